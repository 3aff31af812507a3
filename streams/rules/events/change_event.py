"""The event of a change: both shapes side by side, and only the parts that a filter asks for.

Images are the largest part of a change. An attribute that no filter names is skipped by the
decoder, in C; an image that no filter names is not looked at.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

import msgspec

from streams.change import Change
from streams.rules.errors import EventError
from streams.rules.events.change_parts import PLAIN_IMAGES, RECORD_IMAGES, StreamFacts, Wanted
from streams.rules.values import Number

_whole = msgspec.json.Decoder(dict[str, dict[str, Any]])
# A decoded image or key, {"status": {"S": "paid"}}.
Image = Mapping[str, Mapping[str, Any]]
Event = dict[str, Any]

# What DynamoDB writes as the deleter where the item's time to live was over.
_TIME_TO_LIVE = b"dynamodb.amazonaws.com"
# msgspec compares a key with each wanted name in turn: beyond so many, decoding all is quicker.
_MOST_NAMES = 64


class ChangeEvents:
    """Makes the events of one stream's changes. Shared by threads: nothing in it changes."""

    def __init__(self, stream: StreamFacts, wanted: Wanted) -> None:
        self._constant: Event = {n: value for n, value in stream.event().items() if n in wanted}
        self._wanted = frozenset(wanted.parts)
        self._outer = self._wanted & {"eventName", "eventID", "userIdentity"}
        self._data = frozenset(
            part.removeprefix("dynamodb.") for part in wanted.parts if part.startswith("dynamodb.")
        )
        # Which of (keys, old, new) to look into, and how.
        self._images = [
            (place, _Looked(plain_part, record_part, wanted))
            for place, (plain_part, record_part) in enumerate(
                zip(PLAIN_IMAGES, RECORD_IMAGES, strict=True)
            )
            if plain_part in wanted or record_part in wanted
        ]
        self._view_type = stream.view_type

    def of(self, change: Change) -> Event:
        return self.make(
            change.operation,
            change.keys,
            change.old,
            change.new,
            change.changed,
            change.user_identity,
            change.size,
            change.sequence,
            change.event_id,
            change.occurred,
        )

    def make(
        self,
        operation: str,
        keys: bytes,
        old: bytes | None,
        new: bytes | None,
        changed: tuple[str, ...] | None,
        user_identity: bytes | None,
        size: int,
        sequence: str,
        event_id: str,
        occurred: int,
    ) -> Event:
        """The event. Keys and images are DynamoDB JSON, None for what the stream did not give;
        `occurred` is in microseconds since 1970. EventError if a part is nested too deep."""
        wanted, event = self._wanted, self._constant.copy()
        if "operation" in wanted:
            event["operation"] = operation
        if "ttl" in wanted:
            event["ttl"] = user_identity is not None and _TIME_TO_LIVE in user_identity
        if "changed" in wanted and changed is not None:
            event["changed"] = list(changed)
        if "size" in wanted:
            event["size"] = size
        if self._outer:
            self._show_record(event, operation, event_id, user_identity)
        data = self._record_data(size, sequence, occurred) if self._data else {}
        if self._images:
            self._show_images(event, data, (keys, old, new))
        if self._data:
            event["dynamodb"] = data
        return event

    def _show_images(self, event: Event, data: Event, images: tuple[bytes | None, ...]) -> None:
        for place, image in self._images:
            raw = images[place]
            if raw is not None:
                try:
                    image.show(raw, event, data)
                except RecursionError as error:
                    raise EventError("The change is nested too deep") from error

    def _show_record(
        self, event: Event, operation: str, event_id: str, user_identity: bytes | None
    ) -> None:
        outer = self._outer
        if "eventName" in outer:
            event["eventName"] = operation
        if "eventID" in outer:
            event["eventID"] = event_id
        if "userIdentity" in outer and user_identity is not None:
            event["userIdentity"] = _identity(user_identity)

    def _record_data(self, size: int, sequence: str, occurred: int) -> Event:
        """The record's inner part, as Lambda gets it, without images."""
        wanted, data = self._data, Event()
        if "ApproximateCreationDateTime" in wanted:
            seconds, rest = divmod(occurred, 1_000_000)
            data["ApproximateCreationDateTime"] = occurred / 1_000_000 if rest else seconds
        if "SequenceNumber" in wanted:
            data["SequenceNumber"] = sequence
        if "SizeBytes" in wanted:
            data["SizeBytes"] = size
        if "StreamViewType" in wanted:
            data["StreamViewType"] = self._view_type
        return data


class _Looked:
    """How one image (or the key) is looked into, once for both shapes."""

    def __init__(self, plain_part: str, record_part: str, wanted: Wanted) -> None:
        self._plain_part = plain_part
        self._record_part = record_part.removeprefix("dynamodb.")
        nothing: frozenset[str] = frozenset()
        self._plain = wanted.parts.get(plain_part, nothing)
        self._typed = wanted.parts.get(record_part, nothing)
        self._shows_plain, self._shows_typed = plain_part in wanted, record_part in wanted
        both = None if self._plain is None or self._typed is None else self._plain | self._typed
        self._read = _reader(both)

    def show(self, raw: bytes, event: Event, data: Event) -> None:
        image, names, typed = self._read(raw), self._plain, self._typed
        if self._shows_plain:
            shown: Event = {}
            event[self._plain_part] = shown
            for name, value in image.items():
                if names is None or name in names:
                    text = value.get("S")
                    shown[name] = plain(value) if text is None else text
        if self._shows_typed:
            data[self._record_part] = {
                name: value for name, value in image.items() if typed is None or name in typed
            }


def _reader(names: frozenset[str] | None) -> Callable[[bytes], Image]:
    """What reads these attributes of an image (and perhaps others); None: all."""
    decode: Callable[[bytes], Image] = _whole.decode
    # msgspec does not find the keys of a TypedDict that are not ASCII.
    if names is not None and len(names) <= _MOST_NAMES and all(map(str.isascii, names)):
        fields = dict.fromkeys(names, dict[str, Any])
        kept: Any = TypedDict  # made at run time, which mypy cannot follow
        decode = msgspec.json.Decoder(kept("Kept", fields, total=False)).decode

    def read(raw: bytes) -> Image:
        try:
            return decode(raw)
        except (msgspec.DecodeError, UnicodeError):
            # What is no typed value is none of DynamoDB's.
            found = _lenient(raw)
            items = found.items() if isinstance(found, dict) else ()
            return {name: value for name, value in items if isinstance(value, dict)}

    return read


def _lenient(raw: bytes) -> Any:
    """Reading what msgspec refuses: lone surrogates, and bytes that are no UTF-8."""
    return json.loads(raw.decode("utf-8", "surrogateescape"))


def plain(typed: Any) -> Any:
    """A typed value as filters see it in the plain shape: {"N": "7"} gives Number("7"). What is no
    value of DynamoDB is shown as it is, at every level: a change may come from elsewhere."""
    if type(typed) is not dict:
        return typed
    text = typed.get("S")  # as most are
    if text is not None:
        return text
    if len(typed) != 1:
        return typed
    ((kind, content),) = typed.items()
    convert = _PLAIN.get(kind)
    return content if convert is None else convert(content)


def _map(content: Any) -> Any:
    if type(content) is not dict:
        return content
    return {name: plain(value) for name, value in content.items()}


def _list(content: Any) -> Any:
    return [plain(value) for value in content] if type(content) is list else content


def _number(content: Any) -> Any:
    try:
        float(content)
    except (ValueError, TypeError):
        return content
    return Number(content) if type(content) is str and content[-1:].isdigit() else content


def _numbers(content: Any) -> Any:
    return [_number(text) for text in content] if type(content) is list else content


# The types whose content is not the plain value already (S, B, BOOL, SS and BS are).
_PLAIN: Mapping[str, Callable[[Any], Any]] = {
    "N": _number,
    "NULL": lambda _: None,
    "M": _map,
    "L": _list,
    "NS": _numbers,
}


def _identity(raw: bytes) -> Any:
    # The stream's API spells PrincipalId and Type, Lambda principalId and type.
    found = _lenient(raw)
    if not isinstance(found, dict):
        return found
    return {name[:1].lower() + name[1:]: value for name, value in found.items()}
