"""Does a form hold for an event? The meaning of the language, rule by rule as in PATTERNS.md.

A clause becomes a tree of its paths, and the event is walked along that tree only. An array
holds if one of its elements holds for all that the tree has below it: that is the consistency of
arrays, and it costs one look at each element. What is rare goes to `untidy.py`: keys that are
doubled or dotted, and absence inside of arrays.
"""

from collections.abc import Callable
from typing import Any

from streams.rules.deciding.untidy import Wanted, holds_untidily
from streams.rules.filter_form import Clause, Field, Form, Test
from streams.rules.json_text import Pairs
from streams.rules.operators import Exact, Exists, acceptors
from streams.rules.values import Number, leaf

_MISSING: Any = object()
_PLAIN = frozenset((str, Number, bool, type(None)))


def prepare(form: Form) -> Callable[[Any], bool]:
    """The form as a function of an event: a dict, or the Pairs that json_text kept.

    It raises EventError for a value that JSON has not, RecursionError for arrays nested too deep.
    """
    if len(form) == 1:
        return _Clause(form[0]).holds
    clauses = [_Clause(clause) for clause in form]
    return lambda event: any(clause.holds(event) for clause in clauses)


def acceptor(tests: tuple[Test, ...]) -> Callable[[Any], bool]:
    """The tests, or-ed, as a function of what stands in an event where a leaf is looked for."""
    # Exact strings are most of all tests.
    texts = frozenset(t.value for t in tests if isinstance(t, Exact) and t.is_literal)
    if all(isinstance(test, Exact) and test.is_literal for test in tests):
        return lambda value: isinstance(value, str) and value in texts
    functions = acceptors(tests)
    if len(functions) == 1:
        accepts = functions[0]
        return lambda value: accepts(value if type(value) in _PLAIN else leaf(value))

    def any_accepts(value: Any) -> bool:
        found = leaf(value)
        return any(accepts(found) for accepts in functions)

    return any_accepts


class _Clause:
    __slots__ = ("_conditions", "_excluded", "_root")

    def __init__(self, clause: Clause) -> None:
        # Absence is asked in the order of event-ruler, whose names are sorted by UTF-16 units.
        fields = sorted(clause.fields, key=lambda field: _utf16(field.path))
        self._root = _Branch([_wanted(field) for field in fields]) if fields else None
        self._conditions = tuple(condition.holds for condition in clause.conditions)
        self._excluded = tuple(prepare(form) for form in clause.excluded)

    def holds(self, event: Any) -> bool:
        if self._root is not None and not _holds(self._root, event):
            return False
        for holds in self._conditions:
            if not holds(event):
                return False
        return not any(holds(event) for holds in self._excluded)


def _utf16(path: str) -> bytes:
    return path.encode("utf-16-be", "surrogatepass")


def _wanted(field: Field) -> Wanted:
    may_be_absent = any(isinstance(test, Exists) and not test.present for test in field.tests)
    return Wanted(tuple(field.path.split(".")), acceptor(field.tests), may_be_absent)


class _Branch:
    """What is wanted of a value: of itself as a leaf, and of what lies below its keys."""

    __slots__ = ("absence", "all_absent", "below", "dotted", "leaves", "leaves_absent", "wanted")

    def __init__(self, wanted: list[Wanted]) -> None:
        self.wanted = wanted
        self.leaves = tuple(each.accepts for each in wanted if not each.rest)
        self.leaves_absent = all(each.may_be_absent for each in wanted if not each.rest)
        self.absence = any(each.may_be_absent for each in wanted)
        self.all_absent = all(each.may_be_absent for each in wanted)
        heads: dict[str, list[Wanted]] = {}
        for each in wanted:
            if each.rest:
                heads.setdefault(each.rest[0], []).append(each.below(1))
        self.below = tuple((head, _Branch(deeper)) for head, deeper in heads.items())
        # Keys of the event that name more than one step.
        self.dotted = frozenset(
            ".".join(each.rest[:length])
            for each in wanted
            for length in range(2, len(each.rest) + 1)
        )


def _holds(branch: _Branch, value: Any) -> bool:
    if isinstance(value, dict):
        return _object_holds(branch, value)
    if isinstance(value, list):
        return _array_holds(branch, value)
    if isinstance(value, Pairs):
        return holds_untidily(branch.wanted, value)
    for _, child in branch.below:
        if not child.all_absent:
            return False
    return all(accepts(value) for accepts in branch.leaves)


def _object_holds(branch: _Branch, value: dict[str, Any]) -> bool:
    if branch.dotted and not value.keys().isdisjoint(branch.dotted):
        return holds_untidily(branch.wanted, value)
    if not branch.leaves_absent:
        return False
    for key, child in branch.below:
        found = value.get(key, _MISSING)
        if found is _MISSING:
            if not child.all_absent:
                return False
        elif not _holds(child, found):
            return False
    return True


def _array_holds(branch: _Branch, value: list[Any]) -> bool:
    """One element holds for all that the array's own scalars leave open.

    Arrays may lie in arrays, however deep, so they wait in a list and are not recursed into.
    """
    if branch.absence:
        return holds_untidily(branch.wanted, value)
    pending = [(branch, value)]
    while pending:
        branch, value = pending.pop()
        open_leaves = _left_open(branch, value)
        if not open_leaves and not branch.below:
            return True
        if len(open_leaves) < len(branch.leaves):
            branch = _Branch([each for each in branch.wanted if each.rest] + open_leaves)
        for element in value:
            if isinstance(element, list):
                pending.append((branch, element))
            elif isinstance(element, (dict, Pairs)) and _holds(branch, element):
                return True
    return False


def _left_open(branch: _Branch, array: list[Any]) -> list[Wanted]:
    """The wanted leaves that no scalar directly in the array is."""
    leaves = [each for each in branch.wanted if not each.rest]
    for element in array if leaves else ():
        if not isinstance(element, (dict, list, Pairs)):
            leaves = [each for each in leaves if not each.accepts(element)]
            if not leaves:
                break
    return leaves
