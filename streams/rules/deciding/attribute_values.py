"""Attributes of a change's images as typed values, from whichever shape the event has.

The record shape tells each value's type. In the plain shape it is taken from the value: a string is
S, a list L (also where the stream had B or a set).
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from streams.rules.values import Number, leaf

Event = Mapping[str, Any]
# The plain shape's images, and the record's of the same.
RECORD_IMAGES = {"new": "NewImage", "old": "OldImage", "keys": "Keys"}
TYPES = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
# How the record writes the content of a type; sets are lists of strings.
_CONTENT: Mapping[str, type] = {
    **dict.fromkeys(("S", "N", "B"), str),
    **dict.fromkeys(("BOOL", "NULL"), bool),
    "L": list,
    "M": Mapping,
}
# What an image surely was if the stream gave none: an inserted item had no attributes before.
_KNOWN_EMPTY = {"old": "INSERT", "new": "REMOVE"}


class Value(NamedTuple):
    """A value and its DynamoDB type. `typed` tells which shape the content is in."""

    kind: str
    content: Any
    typed: bool

    def elements(self) -> "list[Value]":
        """What a list holds, in order."""
        return [_open(element, self.typed) for element in self.content]

    def members(self) -> "dict[str, Value]":
        """What a map holds."""
        return {name: _open(value, self.typed) for name, value in self.content.items()}

    def member(self, name: str) -> "Value | None":
        return _open(self.content[name], self.typed) if name in self.content else None


def image(event: Event, name: str, typed: bool) -> Value | None:
    """The image `new`, `old` or `keys`; empty where the operation tells that it was, else None
    if the event has none."""
    given = _record(event).get(RECORD_IMAGES[name]) if typed else event.get(name)
    if isinstance(given, Mapping):
        return Value("M", given, typed)
    operation = event.get("operation", event.get("eventName"))
    return Value("M", {}, typed) if name != "keys" and operation == _KNOWN_EMPTY[name] else None


def is_typed(event: Event, *names: str) -> bool:
    """True if these images are to be taken from the record: it has one of them."""
    record = _record(event)
    return any(RECORD_IMAGES[name] in record for name in names)


def _record(event: Event) -> Mapping[str, Any]:
    record = event.get("dynamodb")
    return record if isinstance(record, Mapping) else {}


def at(start: Value, path: str) -> Iterator[Value]:
    """The values at a path below. "." also joins, so `a.b` finds {"a.b": …} and {"a": {"b": …}};
    a list on the way stands for each of its elements, one at the end is the value."""
    waiting = [(start, path)]
    while waiting:
        value, rest = waiting.pop()
        if value.kind == "L":
            waiting += [(element, rest) for element in reversed(value.elements())]
        elif value.kind == "M":
            for name, below in _beginnings(rest):
                found = value.member(name)
                if found is not None and below is None:
                    yield found
                elif found is not None and below is not None:
                    waiting.append((found, below))


def same(one: Value, other: Value) -> bool:
    """True if both are the same value, however their numbers are spelled and sets are ordered."""
    waiting = [(one, other)]
    while waiting:
        one, other = waiting.pop()
        if one.kind != other.kind:
            return False
        if one.kind == "L":
            ours, theirs = one.elements(), other.elements()
            if len(ours) != len(theirs):
                return False
            waiting += zip(ours, theirs, strict=True)
        elif one.kind == "M":
            names, others = one.members(), other.members()
            if names.keys() != others.keys():
                return False
            waiting += [(names[name], others[name]) for name in names]
        elif _plain(one) != _plain(other):
            return False
    return True


def number(value: Value) -> Decimal | None:
    """The exact value of an N, else None."""
    return _decimal(value.content) if value.kind == "N" else None


def _plain(value: Value) -> Any:
    """A value without others inside, so that equal ones compare equal."""
    if value.kind == "N":
        found = _decimal(value.content)
        return value.content if found is None else found
    if value.kind == "NS":
        return frozenset(map(_decimal, value.content))
    return frozenset(value.content) if value.kind in ("SS", "BS") else value.content


def _decimal(content: Any) -> Decimal | None:
    found = Number(content) if isinstance(content, str) else leaf(content)
    value = found.value if isinstance(found, Number) else None
    return value if value is not None and value.is_finite() else None


def _open(value: Any, typed: bool) -> Value:
    if typed and isinstance(value, Mapping) and len(value) == 1:
        ((kind, content),) = value.items()
        if _is_content(kind, content):
            return Value(kind, content, True)
    typed = False  # what is no value of DynamoDB is taken as it is
    if isinstance(value, Mapping):
        return Value("M", value, typed)
    if isinstance(value, list):
        return Value("L", value, typed)
    found = leaf(value)
    if isinstance(found, str):
        return Value("S", found, typed)
    if isinstance(found, Number):
        return Value("N", found, typed)
    return Value("NULL", None, typed) if found is None else Value("BOOL", found, typed)


def _is_content(kind: str, content: Any) -> bool:
    """True if DynamoDB writes a value of this type so."""
    if kind in ("SS", "NS", "BS"):
        return isinstance(content, list) and all(isinstance(text, str) for text in content)
    return kind in _CONTENT and isinstance(content, _CONTENT[kind])


def _beginnings(path: str) -> Iterator[tuple[str, str | None]]:
    place = path.find(".")
    while place >= 0:
        yield path[:place], path[place + 1 :]
        place = path.find(".", place + 1)
    yield path, None
