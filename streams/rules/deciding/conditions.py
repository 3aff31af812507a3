"""Conditions on a whole change: what no single field of it answers. Only expressions have them.

Each is false where the event does not show what it needs: without both images of a MODIFY nothing
appeared, differs or changed by an amount. An inserted item's old image and a removed item's new one
are empty, though no stream sends them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal
from typing import Any

from streams.rules.deciding.attribute_values import (
    RECORD_IMAGES,
    Event,
    Value,
    at,
    image,
    is_typed,
    number,
    same,
)
from streams.rules.filter_form import Test
from streams.rules.values import Number, leaf

COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": lambda one, other: bool(one > other),
    ">=": lambda one, other: bool(one >= other),
    "<": lambda one, other: bool(one < other),
    "<=": lambda one, other: bool(one <= other),
    "=": lambda one, other: bool(one == other),
    "!=": lambda one, other: bool(one != other),
}
# DynamoDB's numbers lie between 1e-130 and 1e126 with 38 digits, so their differences, and
# 100 times those, are exact well within this. Nothing signals: what lies beyond is rounded.
_EXACTLY = Context(prec=2_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[])


@dataclass(frozen=True, slots=True)
class AnyKey:
    """One of the values of the item's key passes one of the tests."""

    tests: tuple[Test, ...]

    def holds(self, event: Any) -> bool:
        keys = event.get("keys")
        values = keys.values() if isinstance(keys, Mapping) else ()
        leaves = [leaf(value) for value in values if not isinstance(value, (Mapping, list))]
        return any(test.accepts(found) for found in leaves for test in self.tests)

    def paths(self) -> Iterator[str]:
        yield "keys"


@dataclass(frozen=True, slots=True)
class Differs:
    """What lies at the path is not the same in both images, or only in one of them."""

    path: str

    def holds(self, event: Any) -> bool:
        both = _both(event, self.path)
        if both is None:
            return False
        old, new = both
        return len(old) != len(new) or not all(map(same, old, new))

    def paths(self) -> Iterator[str]:
        return _paths_of_both(self.path)


@dataclass(frozen=True, slots=True)
class Appeared:
    """The new image has something at the path, if only null or an empty list, the old one not."""

    path: str

    def holds(self, event: Any) -> bool:
        both = _both(event, self.path)
        return both is not None and not both[0] and bool(both[1])

    def paths(self) -> Iterator[str]:
        return _paths_of_both(self.path)


@dataclass(frozen=True, slots=True)
class Disappeared:
    """The old image has something at the path, the new one nothing."""

    path: str

    def holds(self, event: Any) -> bool:
        both = _both(event, self.path)
        return both is not None and bool(both[0]) and not both[1]

    def paths(self) -> Iterator[str]:
        return _paths_of_both(self.path)


@dataclass(frozen=True, slots=True)
class ChangedBy:
    """How far a number moved, up or down, compares to the amount: exactly, or in percent of what it
    was. Each image must have one value at the path, a number. From 0 every move is more than any
    percentage, and 0 that stays 0 moved by 0 %."""

    path: str
    operator: str
    amount: Number
    percent: bool = False

    def holds(self, event: Any) -> bool:
        both = _both(event, self.path)
        if both is None or len(both[0]) != 1 or len(both[1]) != 1:
            return False
        old, new, amount = number(both[0][0]), number(both[1][0]), self.amount.value
        if old is None or new is None or amount is None:
            return False
        moved, compare = _EXACTLY.subtract(new, old).copy_abs(), COMPARE[self.operator]
        if not self.percent or not moved:
            return compare(moved, amount)
        if not old:
            return self.operator in (">", ">=")
        base = _EXACTLY.multiply(amount, old.copy_abs())
        return compare(_EXACTLY.multiply(moved, Decimal(100)), base)

    def paths(self) -> Iterator[str]:
        return _paths_of_both(self.path)


@dataclass(frozen=True, slots=True)
class Length:
    """How long a value at the path is: a text in characters, a binary in bytes, a list, a set or a
    map in elements. Numbers, true, false and null have no length."""

    path: str
    operator: str
    length: int

    def holds(self, event: Any) -> bool:
        lengths = map(_length, _values(event, self.path))
        return any(n is not None and COMPARE[self.operator](n, self.length) for n in lengths)

    def paths(self) -> Iterator[str]:
        return _paths_of_one(self.path)


@dataclass(frozen=True, slots=True)
class OfType:
    """A value at the path has one of these DynamoDB types."""

    path: str
    types: tuple[str, ...]

    def holds(self, event: Any) -> bool:
        return any(value.kind in self.types for value in _values(event, self.path))

    def paths(self) -> Iterator[str]:
        return _paths_of_one(self.path)


def _both(event: Event, path: str) -> tuple[list[Value], list[Value]] | None:
    """What old and new have at the path; None if the event does not show both."""
    typed = is_typed(event, "old", "new")
    old, new = image(event, "old", typed), image(event, "new", typed)
    return None if old is None or new is None else (list(at(old, path)), list(at(new, path)))


def _values(event: Event, path: str) -> Iterator[Value]:
    """What lies at a path from the top of the event."""
    root, _, below = path.partition(".")
    if root not in RECORD_IMAGES or not below:
        return at(Value("M", event, False), path)
    start = image(event, root, is_typed(event, root))
    return at(start, below) if start else iter(())


def _length(value: Value) -> int | None:
    if value.kind in ("N", "BOOL", "NULL"):
        return None
    length = len(value.content)
    if value.kind == "B":  # in base64: four characters for three bytes
        return length * 3 // 4 - int(value.content[-2:].count("="))
    return length


def _paths_of_both(path: str) -> Iterator[str]:
    yield from _paths_of_one(f"old.{path}")
    yield from _paths_of_one(f"new.{path}")
    yield "operation"


def _paths_of_one(path: str) -> Iterator[str]:
    """Both shapes: the record tells types, and a hand-made event may have only the plain one."""
    yield path
    root, _, below = path.partition(".")
    if root in RECORD_IMAGES:
        yield f"dynamodb.{RECORD_IMAGES[root]}.{below}"
