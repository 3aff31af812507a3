"""Reading one condition of an expression: `new.total>100`, `changed(status)`, `status: a -> b`."""

import re
from collections.abc import Iterable
from typing import NoReturn

from streams.rules.deciding.attribute_values import TYPES
from streams.rules.deciding.conditions import (
    AnyKey,
    Appeared,
    ChangedBy,
    Differs,
    Disappeared,
    Length,
    OfType,
)
from streams.rules.expressions.fields import ALONE
from streams.rules.expressions.operands import COMPARISONS, TEXT_OPERATORS, Asked, Operands
from streams.rules.expressions.paths import Path, Paths, Target
from streams.rules.expressions.suggest import nearest
from streams.rules.expressions.tokens import Piece, Scanner, is_number
from streams.rules.filter_form import Clause, Condition, Field, Form, Test
from streams.rules.operators import AnythingBut, Exact, Exists
from streams.rules.values import Number

_LENGTH_SIGNS = {":": "=", "!=": "!=", ">": ">", ">=": ">=", "<": "<", "<=": "<="}
_star_before_arrow = re.compile(r"\*\s*->").match
_star_alone = re.compile(r"\*(?![^\s,()\"<>])").match
_NO_SIDE = "A side of `->` is a value that is there: write missing(old.x) or missing(new.x)"
_LONGEST_LENGTH = 9  # digits


class Terms:
    """Reads terms."""

    def __init__(self, scanner: Scanner, paths: Paths) -> None:
        self._scanner = scanner
        self._paths = paths

    def term(self) -> Form:
        """The term that begins here; PatternError if none does."""
        scanner, start = self._scanner, self._scanner.place
        name = None if scanner.at(".") else scanner.name()
        if name and not name.quoted and scanner.take("("):
            return self._function(name)
        scanner.place = start
        path = self._paths.read("a condition such as new.status:paid")
        scanner.skip()
        place, sign = scanner.place, scanner.operator()
        if sign is None:
            self._no_operator(path)
        scanner.skip()
        target = self._paths.target(path)
        if path.begins_with("actor"):
            return self._actor(target, sign, place)
        operands = Operands(scanner, target.asked)
        if sign == ":":
            return self._values(path, target, operands)
        if sign in TEXT_OPERATORS:
            return _any_of(target, operands.texts(TEXT_OPERATORS[sign]))
        test = operands.anything_but() if sign == "!=" else operands.comparison(sign)
        return _any_of(target, (test,))

    def _actor(self, target: Target, sign: str, position: int) -> Form:
        if sign != ":" or not self._scanner.take_word("ttl"):
            self._scanner.fail(
                "Of who wrote, a stream tells only DynamoDB's time to live: write actor:ttl",
                None if sign == ":" else position,
            )
        return _any_of(target, (Exact(True),))

    def _values(self, path: Path, target: Target, operands: Operands) -> Form:
        """What stands behind `:`, which may turn out to be a transition."""
        star = _star_before_arrow(self._scanner.text, self._scanner.place)
        if star:
            self._scanner.place = star.end()
            return self._arrow(path, None)
        tests = operands.values()
        end = self._scanner.place
        self._scanner.skip()
        if self._scanner.take("->"):
            return self._arrow(path, tests)
        self._scanner.place = end
        return _any_of(target, tests)

    def _no_operator(self, path: Path) -> NoReturn:
        word, scanner = path.text()[:40], self._scanner
        if word.casefold() in ("and", "or", "not") and len(path.segments) == 1:
            scanner.fail(f"Write {word.upper()} in capitals", path.position)
        if scanner.at("="):
            scanner.fail("There is no `=`: write `:` for equals")
        if scanner.at("["):
            scanner.fail("A path has no [ ]: any element of a list counts, as in new.lines.sku")
        scanner.expected(f"an operator such as `:` or `>` behind `{word}`")

    def _arrow(self, path: Path, before: tuple[Test, ...] | None) -> Form:
        """What stands behind `->`. None is `*`: there, and none of the other side's values."""
        scanner = self._scanner
        if path.begins_with(*ALONE):
            scanner.fail(
                f"`{path.text()[:40]}` never changes; an attribute of that name goes in quotes",
                path.position,
            )
        name = self._paths.compared(path, "status: pending -> paid")
        scanner.skip()
        place, star = scanner.place, _star_alone(scanner.text, scanner.place)
        if star:
            scanner.place = star.end()
            after = None
        else:
            after = Operands(scanner, Asked("any", exact=True, no_absence=_NO_SIDE)).values()
        given = before if after is None else after
        if given is None:
            scanner.fail(f"From anything to anything: write changed({name[:40]})", place)
        if before is None or after is None:
            if any(isinstance(test, AnythingBut) for test in given):
                scanner.fail("`*` is any other value, so the other side must be values", place)
            other = (AnythingBut(given),)
            before, after = before or other, after or other
        return (Clause((Field(f"old.{name}", before), Field(f"new.{name}", after))),)

    def _function(self, name: Piece) -> Form:
        """What follows `name(`."""
        functions = {
            "exists": self._exists,
            "missing": self._missing,
            "appeared": self._appeared,
            "disappeared": self._disappeared,
            "changed": self._changed,
            "length": self._length,
            "type": self._type,
        }
        function = functions.get(name.text)
        if function is None:
            near = nearest(name.text, functions)
            hint = f"did you mean `{near}`?" if near else f"there are {', '.join(functions)}"
            self._scanner.fail(f"No function `{name.text[:40]}`; {hint}", name.position)
        self._scanner.skip()
        path = self._paths.read("the path of an attribute, such as new.status")
        self._scanner.skip()
        if not self._scanner.take(")"):
            self._scanner.expected("`)`")
        return function(path)

    def _fields_of(self, path: Path) -> tuple[str, ...]:
        if path.begins_with("key", "actor"):
            self._scanner.fail("Name a field here, such as new.status or keys.pk", path.position)
        return self._paths.target(path).paths

    def _exists(self, path: Path) -> Form:
        return tuple(Clause((Field(p, (Exists(True),)),)) for p in self._fields_of(path))

    def _missing(self, path: Path) -> Form:
        return (Clause(tuple(Field(p, (Exists(False),)) for p in self._fields_of(path))),)

    def _appeared(self, path: Path) -> Form:
        return _one(Appeared(self._paths.compared(path, "appeared(status)")))

    def _disappeared(self, path: Path) -> Form:
        return _one(Disappeared(self._paths.compared(path, "disappeared(status)")))

    def _changed(self, path: Path) -> Form:
        """changed(path), perhaps with `by >10` behind it."""
        scanner, name = self._scanner, self._paths.compared(path, "changed(status)")
        place = scanner.place
        scanner.skip()
        if scanner.take_word("by"):
            scanner.skip()
            for sign in COMPARISONS:
                if scanner.take(sign):
                    return _one(self._amount(name, sign))
            if scanner.text[scanner.place : scanner.place + 1].isdigit():
                scanner.expected("`>`, `>=`, `<` or `<=`")
        scanner.place = place
        if "." in name:
            return _one(Differs(name))
        return (Clause((Field("changed", (Exact(name),)),)),)

    def _amount(self, name: str, sign: str) -> ChangedBy:
        self._scanner.skip()
        place, piece = self._scanner.place, self._scanner.word()
        text = piece.text.removesuffix("%") if piece and not piece.quoted else ""
        if piece is None or not is_number(text) or Number(text).value is None or text[0] == "-":
            self._scanner.fail("Expected an amount such as 10, or 5% of what it was", place)
        return ChangedBy(name, sign, Number(text), percent=text != piece.text)

    def _length(self, path: Path) -> Form:
        scanner, paths = self._scanner, self._fields_of(path)
        scanner.skip()
        sign = scanner.operator()
        if sign not in _LENGTH_SIGNS:
            scanner.expected("`:`, `!=`, `>`, `>=`, `<` or `<=` and a number")
        scanner.skip()
        place, piece = scanner.place, scanner.word()
        digits = piece.text if piece and not piece.quoted else ""
        if not re.fullmatch(rf"[0-9]{{1,{_LONGEST_LENGTH}}}", digits):
            scanner.fail("Expected a length, a whole number such as 5", place)
        return _each(Length(p, _LENGTH_SIGNS[sign], int(digits)) for p in paths)

    def _type(self, path: Path) -> Form:
        scanner, paths = self._scanner, self._fields_of(path)
        scanner.skip()
        if not scanner.take(":"):
            scanner.expected("`:` and types such as S,N")
        types: list[str] = []
        while not types or scanner.take(","):
            scanner.skip()
            place, piece = scanner.place, scanner.word()
            if piece is None or piece.text not in TYPES:
                scanner.fail(f"Expected a type of DynamoDB: {', '.join(TYPES)}", place)
            types.append(piece.text)
        return _each(OfType(p, tuple(types)) for p in paths)


def _any_of(target: Target, tests: tuple[Test, ...]) -> Form:
    if not target.paths:
        return _one(AnyKey(tests))
    return tuple(Clause((Field(path, tests),)) for path in target.paths)


def _one(condition: Condition) -> Form:
    return (Clause(conditions=(condition,)),)


def _each(conditions: Iterable[Condition]) -> Form:
    return tuple(form for condition in conditions for form in _one(condition))
