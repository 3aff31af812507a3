"""The group of a change, for rules that make one alert for each value, and what a change shows that
may never have been seen before. Plain Python; live matches and backtests call the same."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any, Protocol

from streams.alerting.definition import Definition, FirstSeen
from streams.item_key import canonical_number, label
from streams.rules import EventError
from streams.rules.deciding.attribute_values import RECORD_IMAGES, Value, at, image
from streams.rules.events.change_event import ChangeEvents, plain
from streams.rules.events.change_parts import StreamFacts, Wanted
from streams.rules.values import Number

# As long as the columns that hold a group and what was seen, in characters.
LONGEST = 300
NONE = "(none)"
_HASH_DIGITS = 16
_MEMBERS = {"SS": "S", "NS": "N", "BS": "B"}
_BETWEEN = ", "


class Imaged(Protocol):
    """A change, parsed or stored. Keys and images are DynamoDB JSON, None where there is none."""

    @property
    def operation(self) -> str: ...
    @property
    def keys(self) -> bytes: ...
    @property
    def old(self) -> bytes | None: ...
    @property
    def new(self) -> bytes | None: ...


def group_of(group_by: Sequence[str], stream_name: str, change: Imaged) -> str:
    """The values of a rule's `group_by`, joined by ", ", at most LONGEST characters; "" without
    any. Different values give different groups, but for how numbers are spelled."""
    if not group_by:
        return ""
    event = _event(tuple(group_by), change)
    values = [_value(path, stream_name, change, event) for path in group_by]
    if len(values) > 1:
        values = [json.dumps(text) if _BETWEEN in text else text for text in values]
    return shortened(_BETWEEN.join(values))


def seen_in(definition: Definition, change: Imaged) -> list[str]:
    """What a first-seen rule looks for and this change has: "total:N" for each attribute with its
    type, or the values of the rule's field. Sorted, each once, at most LONGEST characters."""
    assert isinstance(definition.params, FirstSeen)  # noqa: S101 - no other kind asks
    what = definition.params.what
    if what == "attributes":
        root = (
            "keys" if change.new is change.old is None else "old" if change.new is None else "new"
        )
        found = _attributes(_event((root,), change), root)
    else:
        found = list(_spelled_values(what, _event((what,), change)))
    return sorted({shortened(text) for text in found})


def shortened(text: str) -> str:
    """The text, or its beginning and a hash of all of it."""
    if len(text) <= LONGEST:
        return text
    digits = sha256(text.encode()).hexdigest()[:_HASH_DIGITS]
    return f"{text[: LONGEST - _HASH_DIGITS - 2]}… {digits}"


def _event(paths: tuple[str, ...], change: Imaged) -> Mapping[str, Any]:
    """The change with the parts of its images that these paths ask for; without any if they are
    nested too deep."""
    try:
        return _events(paths).make(
            *(change.operation, change.keys, change.old, change.new),
            changed=None,
            user_identity=None,
            size=0,
            sequence="",
            event_id="",
            occurred=0,
        )
    except EventError:
        return {}


@lru_cache(maxsize=1_024)
def _events(paths: tuple[str, ...]) -> ChangeEvents:
    wanted = {"operation"}
    for path in paths:
        root, dot, below = path.partition(".")
        if path == "item":
            wanted.add("dynamodb.Keys")
        elif root in RECORD_IMAGES:
            wanted.add(f"dynamodb.{RECORD_IMAGES[root]}{dot}{below}")
    return ChangeEvents(StreamFacts.of("", "", ""), Wanted.of_paths(wanted))


def _value(path: str, stream_name: str, change: Imaged, event: Mapping[str, Any]) -> str:
    if path == "stream":
        return stream_name
    if path == "operation":
        return change.operation
    if path == "item":
        return _item(event)
    found = list(_spelled_values(path, event))
    return found[0] if len(found) == 1 else json.dumps(found) if found else NONE


def _item(event: Mapping[str, Any]) -> str:
    key = event.get("dynamodb", {}).get("Keys", {})
    if any(" / " in str(value) for typed in key.values() for value in typed.values()):
        return json.dumps({name: plain(typed) for name, typed in key.items()}, default=str)
    return _plainly(label(key))


def _attributes(event: Mapping[str, Any], root: str) -> list[str]:
    attributes = event.get("dynamodb", {}).get(RECORD_IMAGES[root], {})
    return [
        f"{_plainly(name)}:{_plainly(kind)}" for name, typed in attributes.items() for kind in typed
    ]


def _spelled_values(path: str, event: Mapping[str, Any]) -> Iterator[str]:
    root, _, below = path.partition(".")
    start = image(event, root, typed=True)
    for value in at(start, below) if start else ():
        if value.kind in _MEMBERS:
            for member in value.content:
                yield _spelled(Value(_MEMBERS[value.kind], member, value.typed))
        else:
            yield _spelled(value)


def _spelled(value: Value) -> str:
    content = value.content
    match value.kind:
        case "S" | "B":
            return _plainly(content)
        case "N":
            return _number(content.text if isinstance(content, Number) else str(content))
        case "BOOL":
            return "true" if content else "false"
        case "NULL":
            return "null"
    return json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)


def _number(text: str) -> str:
    try:
        return canonical_number(text)
    except ArithmeticError:
        return _plainly(text)


def _plainly(text: str) -> str:
    """The text as it is, or as JSON where it could not be stored or read as what it is."""
    odd = not text or not text.isprintable() or text.startswith('"') or text == NONE
    return json.dumps(text) if odd else text
