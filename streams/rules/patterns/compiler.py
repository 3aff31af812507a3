"""Event patterns: JSON text to the common form. PATTERNS.md has the rules, each with examples."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from streams.rules.errors import EventError, PatternError
from streams.rules.filter import Filter
from streams.rules.filter_form import Clause, Field, Form, Test
from streams.rules.json_text import DEEPEST, Key, Node, read_pattern
from streams.rules.patterns.match_expressions import UNSAID_IN_OR, MatchExpressions
from streams.rules.values import Number, leaf

# AWS refuses patterns whose $or combine to more.
MOST_COMBINATIONS = 1_000
# Each combination has all fields, so a long pattern could fill memory.
MOST_CONDITIONS = 100_000
# Below these an event holds DynamoDB's numbers, which are exact.
EXACT_ROOTS = frozenset({"old", "new", "keys"})

# One combination of the $or: the last tests written for each path, and paths in order.
_Combination = dict[str, tuple[Test, ...]]


def compile_pattern(pattern: str | Mapping[str, Any]) -> Filter:
    """An event pattern, as text or as a dict, compiled: a clause for each combination of its $or.

    PatternError says what is wrong, at which character of the text, and at which path. A dict is
    written as text first, and the error has that text.
    """
    text = pattern if isinstance(pattern, str) else _as_text(pattern)
    return Filter(_Compiler(text).compile(), text, "pattern")


def _as_text(pattern: Mapping[Any, Any]) -> str:
    """PatternError if JSON cannot say it."""
    pieces: list[str] = []
    _write(pattern, pieces, 0)
    return "".join(pieces)


class _Compiler:
    def __init__(self, text: str) -> None:
        self.text = text
        self.expressions = MatchExpressions(text)
        self.conditions = 0

    def compile(self) -> Form:
        root = read_pattern(self.text)
        if not isinstance(root.value, tuple):
            self._fail("A pattern is a JSON object", root.position)
        combinations = self._object(root.value, root.position, (), [{}], in_or=False)
        return tuple(
            Clause(fields=tuple(Field(path, tests) for path, tests in written.items()))
            for written in combinations
        )

    def _fail(self, reason: str, position: int) -> NoReturn:
        raise PatternError(reason, position, self.text)

    def _spend(self, conditions: int, position: int) -> None:
        self.conditions += conditions
        if self.conditions > MOST_CONDITIONS:
            self._fail(
                f"The $or and fields combine to more than {MOST_CONDITIONS:,} conditions", position
            )

    def _object(
        self,
        pairs: tuple[tuple[Key, Node], ...],
        position: int,
        above: tuple[str, ...],
        written: list[_Combination],
        in_or: bool,
    ) -> list[_Combination]:
        """What was written so far, and the object's own fields, in document order."""
        if not pairs:
            self._fail(f"{_place(above)} is an empty object; expected a field in it", position)
        for key, value in pairs:
            if key.name == "$or":
                written = self._or(value, above, written)
            else:
                written = self._field(key, value, above, written, in_or)
        return written

    def _field(
        self,
        key: Key,
        value: Node,
        above: tuple[str, ...],
        written: list[_Combination],
        in_or: bool,
    ) -> list[_Combination]:
        if in_or and key.name in UNSAID_IN_OR:
            self._fail(
                f'"{key.name}" is an operator; inside $or no field has its name', key.position
            )
        path = (*above, key.name)
        if isinstance(value.value, tuple):
            return self._object(value.value, value.position, path, written, in_or)
        if not isinstance(value.value, list):
            self._fail(f"{_place(path)} must be an array of values, or an object", value.position)
        joined = ".".join(path)
        if joined.count(".") >= DEEPEST:
            self._fail(f"A path has at most {DEEPEST} names", key.position)
        exact = joined.partition(".")[0] in EXACT_ROOTS
        tests = self.expressions.tests(value.value, value.position, _place(path), exact)
        self._spend(len(written), key.position)
        for combination in written:
            combination[joined] = tests
        return written

    def _or(
        self, node: Node, above: tuple[str, ...], written: list[_Combination]
    ) -> list[_Combination]:
        branches = node.value
        if not isinstance(branches, list) or len(branches) < 2:
            self._fail("$or must be an array of at least two objects", node.position)
        combined: list[_Combination] = []
        for branch in branches:
            if not isinstance(branch.value, tuple):
                self._fail("Expected an object: $or holds nothing else", branch.position)
            self._spend(sum(map(len, written)), branch.position)
            copies = [dict(combination) for combination in written]
            combined += self._object(branch.value, branch.position, above, copies, in_or=True)
            if len(combined) > MOST_COMBINATIONS:
                self._fail(
                    f"The $or combine to more than {MOST_COMBINATIONS:,} cases", node.position
                )
        return combined


def _place(path: tuple[str, ...]) -> str:
    return f'"{".".join(path)}"' if path else "The pattern"


def _write(value: Any, pieces: list[str], depth: int) -> None:
    if depth > 2 * DEEPEST:  # the reader is stricter, but would not end where a dict holds itself
        _unwritable(f"The pattern is nested more than {DEEPEST} levels deep", pieces)
    if isinstance(value, Mapping):
        _write_object(value, pieces, depth)
    elif isinstance(value, (list, tuple)):
        pieces.append("[")
        for index, element in enumerate(value):
            pieces.append(", " if index else "")
            _write(element, pieces, depth + 1)
        pieces.append("]")
    else:
        _write_leaf(value, pieces)


def _write_object(value: Mapping[Any, Any], pieces: list[str], depth: int) -> None:
    pieces.append("{")
    for index, (key, below) in enumerate(value.items()):
        if not isinstance(key, str):
            _unwritable(f"The key {repr(key)[:40]} is no string", pieces)
        pieces.append(f"{', ' if index else ''}{json.dumps(key, ensure_ascii=False)}: ")
        _write(below, pieces, depth + 1)
    pieces.append("}")


def _write_leaf(value: Any, pieces: list[str]) -> None:
    try:
        plain = leaf(value)
    except EventError:
        _unwritable(f"A pattern holds no {type(value).__name__} such as {repr(value)[:40]}", pieces)
    if isinstance(plain, Number):
        pieces.append(plain.text)
    else:
        pieces.append(json.dumps(plain, ensure_ascii=False))


def _unwritable(reason: str, pieces: list[str]) -> NoReturn:
    text = "".join(pieces)
    raise PatternError(reason, len(text), text)
