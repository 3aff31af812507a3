"""What a change must have, at the least, for a clause to hold: told from its bytes, undecoded.

A demand never misses a change for which the clause holds; others may meet it, too.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from streams.change import Change
from streams.indexing import stored_name
from streams.rules.deciding.conditions import AnyKey, Appeared, ChangedBy, Differs, Disappeared
from streams.rules.filter_form import Clause, Condition, Field, Test
from streams.rules.matching.access import (
    NUMBER,
    PIECE,
    PREFIX,
    RANGE,
    SUFFIX,
    TEXT,
    Access,
    accesses,
)
from streams.rules.operators import Exact, Exists

# From where to where, both included.
Range = tuple[float, float]
# What JSON spells in one way only, if there are none of these escapes.
_PLAIN_RUN = re.compile('[^"\\\\\x00-\x1f\ud800-\udfff]+')
_ESCAPES = (b"\\u", b"\\/")
# With its quotes a text is at least this long ("DE"): a shorter one is found everywhere.
_SHORTEST = 4
# The plain shape's part of a change, and the record's; of both, a path that ends there is not one.
_ATTRIBUTE = re.compile(r"(keys|old|new)\.([^.]+)\Z", re.DOTALL)
_INSIDE = re.compile(r"(keys|old|new|dynamodb\.Keys|dynamodb\.OldImage|dynamodb\.NewImage)\.")
_RECORD = {"dynamodb.Keys": "keys", "dynamodb.OldImage": "old", "dynamodb.NewImage": "new"}
# What stands behind an attribute's name: the digits of a number, or another plain value.
_TYPED = rb'\s*:\s*(?:\{\s*"(?:N"\s*:\s*"([^"]*)"|([SB]"\s*:\s*"|BOOL"\s*:\s*[tf]|NULL")))?'
BOOLEANS = {True: b"true", False: b"false"}


class Leaves(NamedTuple):
    """In the bytes at a place ("keys", "old" or "new") one of the texts must stand, or the
    attribute `name` with a number in one of the ranges. `path` is where it is asked."""

    path: str
    place: str
    texts: tuple[bytes, ...]
    name: str = ""
    ranges: tuple[Range, ...] = ()

    def met_by(self, change: Change) -> bool:
        raw: bytes | None = getattr(change, self.place)
        if raw is None:
            return False
        if is_escaped(raw):
            return True
        for text in self.texts:
            if text in raw:
                return True
        for number in numbers_in(self.name)(raw) if self.ranges else ():
            for low, high in self.ranges:
                if number is None or low <= number <= high:
                    return True
        return False


class Demand(NamedTuple):
    """All of `leaves`; and one of these attributes must have changed (None: any)."""

    leaves: tuple[Leaves, ...]
    names: frozenset[str] | None

    def met_by(self, change: Change) -> bool:
        """True if the clause may hold for the change."""
        names, changed = self.names, change.changed
        if names is not None and changed is not None and names.isdisjoint(changed):
            return False
        return all([each.met_by(change) for each in self.leaves])


def demand_of(clause: Clause) -> Demand:
    fields = [*clause.fields, *_fields_of_keys(clause.conditions)]
    leaves = [found for field in fields for found in _leaves(field)]
    names = [found for field in clause.fields if (found := _changed_names(field))]
    names += [found for each in clause.conditions if (found := _names_in(each))]
    # Of several sets of names the smallest says enough.
    return Demand(tuple(leaves), min(names, key=len) if names else None)


def is_escaped(raw: bytes) -> bool:
    """True if a text may stand in these bytes of JSON in another spelling."""
    return b"\\" in raw and any(escape in raw for escape in _ESCAPES)


@lru_cache(maxsize=1_024)
def numbers_in(name: str) -> Callable[[bytes], Sequence[float | None]]:
    """Finds, in the bytes of one image or several, the numbers of the attributes of this name; None
    where there may be others: in a list, or where the name is spelled in another way."""
    quoted = b'"%s"' % name.encode()
    usual = quoted + b':{"N":"'
    usual_digits = re.compile(re.escape(usual) + rb'([^"]*)"').findall
    all_digits = re.compile(re.escape(quoted) + _TYPED).findall

    def find(raw: bytes) -> Sequence[float | None]:
        if b"\\u" in raw:
            return (None,)
        if raw.count(quoted) == raw.count(usual):
            try:
                return list(map(float, usual_digits(raw)))
            except ValueError:
                return (None,)
        return [_float(digits) for digits, other in all_digits(raw) if not other]

    return find


def _float(digits: bytes) -> float | None:
    try:
        return float(digits)
    except ValueError:
        return None


def _fields_of_keys(conditions: Sequence[Condition]) -> Iterator[Field]:
    for condition in conditions:
        if isinstance(condition, AnyKey):
            yield Field("keys.", condition.tests)


def _leaves(field: Field) -> Sequence[Leaves]:
    inside, attribute = _INSIDE.match(field.path), _ATTRIBUTE.match(field.path)
    if inside is None:
        return ()
    place = _RECORD.get(inside[1], inside[1])
    name = attribute[2] if attribute and _PLAIN_RUN.fullmatch(attribute[2]) else ""
    if len(field.tests) == 1 and (texts := _texts(field.tests[0], name)):
        return [Leaves(field.path, place, (text,)) for text in texts]
    found: list[bytes] = []
    ranges: list[Range] = []
    for test in field.tests:
        if name and (of_test := _ranges(accesses(test))):
            ranges += of_test
        elif texts := _texts(test, name):
            found.append(max(texts, key=len))
        else:
            return ()
    return [Leaves(field.path, place, tuple(found), name, tuple(ranges))]


def _ranges(ways: Iterable[Access]) -> list[Range]:
    found: list[Range] = []
    for way in ways:
        if way.kind == NUMBER and isinstance(way.key, float):
            found.append((way.key, way.key))
        elif way.kind == RANGE and isinstance(way.key, tuple):
            found.append(way.key)
    return found


def _texts(test: Test, name: str) -> Sequence[bytes]:
    """What stands in the JSON of every value that the test accepts, all of it; nothing if that is
    not known."""
    if isinstance(test, Exact) and isinstance(test.value, bool):
        return [BOOLEANS[test.value]]
    if isinstance(test, Exists) and test.present and name:
        return [f'"{name}"'.encode()]
    spelled = [_spelled(way.kind, way.key) for way in accesses(test) if isinstance(way.key, str)]
    return [text for text in spelled if len(text) >= _SHORTEST]


def _spelled(kind: str, text: str) -> bytes:
    if kind not in (TEXT, PREFIX, SUFFIX, PIECE):
        return b""
    if not _PLAIN_RUN.fullmatch(text):
        return max(_PLAIN_RUN.findall(text), key=len, default="").encode()
    begin, end = '"' * (kind in (TEXT, PREFIX)), '"' * (kind in (TEXT, SUFFIX))
    return f"{begin}{text}{end}".encode()


def _changed_names(field: Field) -> frozenset[str] | None:
    if field.path != "changed":
        return None
    names = {t.value for t in field.tests if isinstance(t, Exact) and isinstance(t.value, str)}
    literal = all(isinstance(test, Exact) and test.is_literal for test in field.tests)
    return frozenset(names) if literal else None


def _names_in(condition: Condition) -> frozenset[str] | None:
    """The attributes of which one must differ for the condition to hold."""
    if not isinstance(condition, Differs | Appeared | Disappeared | ChangedBy):
        return None
    if isinstance(condition, ChangedBy) and condition.operator != ">":
        return None  # it may hold for a number that stayed
    # What lies at a.b.c is in the attribute a, or in one that is called a.b.
    steps = condition.path.split(".")
    return frozenset(stored_name(".".join(steps[:n])) for n in range(1, len(steps) + 1))
