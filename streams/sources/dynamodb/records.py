"""A raw DynamoDB Streams record as a `Change`. Images stay the bytes they came in."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from itertools import compress
from operator import ne
from typing import Any, NamedTuple

import msgspec

from streams.change import INSERT, OPERATIONS, REMOVE, Change
from streams.errors import UnreadableRecord
from streams.indexing import Indexed, stored_name, terms
from streams.item_key import canonical, is_canonical, item_bytes
from streams.sources.dynamodb import lenient

# In a record only its own sequence number is a bare string under this name: an attribute's value
# would be an object that gives its type.
_SEQUENCE_IN = re.compile(rb'"SequenceNumber"\s*:\s*"([0-9]{1,128})"')
_KEY_TYPES = {"S", "N", "B"}
_SETS = {b'{"SS"', b'{"NS"', b'{"BS"'}
# A record outside these years has a broken clock, and would get a partition of its own.
_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
# Characters of a sequence number or an event id.
_LONGEST = 128


# What a field that the record leaves out, or gives as null, looks like.
_NULL = msgspec.Raw(b"null")


# An image's top level: a value is `Raw`, or what Python's json made of it.
Attributes = dict[str, Any]


class Data(msgspec.Struct, gc=False):
    Keys: msgspec.Raw
    SequenceNumber: str
    ApproximateCreationDateTime: float
    NewImage: msgspec.Raw = _NULL
    OldImage: msgspec.Raw = _NULL
    SizeBytes: int = 0
    StreamViewType: str = ""


class Record(msgspec.Struct, gc=False):
    """A record, decoded as far as it goes for every record alike."""

    eventName: str
    dynamodb: Data
    eventID: str = ""
    userIdentity: msgspec.Raw = _NULL


class _Reading(NamedTuple):
    """How the parts that stay bytes are looked into."""

    key: Callable[[bytes], dict[str, dict[str, str]]]
    attributes: Callable[[bytes], Attributes]
    # True if two values that differ are the same set in another order.
    same: Callable[[Any, Any], bool]
    # An attribute's value as bytes again.
    raw: Callable[[Any], bytes]


def _same(before: msgspec.Raw | None, after: msgspec.Raw | None) -> bool:
    if before is None or after is None:
        return False
    kind = bytes(after)[:5]
    return kind in _SETS and bytes(before)[:5] == kind and _set.decode(before) == _set.decode(after)


_record = msgspec.json.Decoder(Record)
_set = msgspec.json.Decoder(dict[str, set[str]])
_KEY = dict[str, dict[str, str]]
_strict = _Reading(
    msgspec.json.Decoder(_KEY).decode,
    msgspec.json.Decoder(dict[str, msgspec.Raw]).decode,
    _same,
    bytes,
)
_lenient = _Reading(
    lambda raw: msgspec.convert(lenient.load(raw), _KEY), lenient.load, lenient.same, lenient.spell
)
# What shows that a record is none. ArithmeticError: a key's number that is no number;
# RecursionError: nested without end.
_WRONG = (msgspec.MsgspecError, ValueError, TypeError, ArithmeticError, RecursionError)


def parse_all(decoded: Iterable[Record], stream_id: int, indexed: Indexed) -> list[Change]:
    """The records of a page as changes; UnreadableRecord if one of them needs `parse`."""
    try:
        return [_change(record, stream_id, indexed, _strict) for record in decoded]
    except _WRONG as error:
        raise UnreadableRecord(f"A record cannot be parsed: {error}") from error


def parse(raw: bytes, stream_id: int, indexed: Indexed) -> Change:
    """The record as a change; UnreadableRecord says what is wrong with it."""
    try:
        try:
            return _change(_record.decode(raw), stream_id, indexed, _strict)
        except (msgspec.DecodeError, UnicodeError):
            return _change(lenient.record(raw, Record), stream_id, indexed, _lenient)
    except _WRONG as error:
        raise UnreadableRecord(f"The record cannot be parsed: {error}") from error


def sequence_of(raw: bytes) -> str:
    """The sequence of a record that cannot be parsed; "" if not even that can be found."""
    found = _SEQUENCE_IN.search(raw)
    return found[1].decode() if found else ""


def _change(record: Record, stream_id: int, indexed: Indexed, reading: _Reading) -> Change:
    _check(record)
    data = record.dynamodb
    keys, old, new = bytes(data.Keys), _given(data.OldImage), _given(data.NewImage)
    spelled = keys if is_canonical(keys) else _canonical(reading.key(keys))
    images = _look(old, new, reading)
    occurred = round(data.ApproximateCreationDateTime * 1_000_000)
    return Change(
        operation=record.eventName,
        item=item_bytes(stream_id, spelled),
        sequence=data.SequenceNumber,
        event_id=record.eventID,
        occurred=occurred,
        keys=keys,
        old=old,
        new=new,
        changed=_changed(record.eventName, images, new, reading),
        user_identity=_given(record.userIdentity),
        size=data.SizeBytes,
        terms=() if occurred < indexed.since else _terms(indexed, keys, images, reading),
    )


def _canonical(key: dict[str, dict[str, str]]) -> bytes:
    if not key or any(len(typed) != 1 or not typed.keys() <= _KEY_TYPES for typed in key.values()):
        raise UnreadableRecord("The key has an attribute that is no S, N or B.")
    return canonical(key).encode()


def _check(record: Record) -> None:
    data = record.dynamodb
    sequence, event_id = data.SequenceNumber, record.eventID
    if record.eventName not in OPERATIONS:
        raise UnreadableRecord(f"The operation is {record.eventName!r}, not one of {OPERATIONS}.")
    if not (sequence.isdecimal() and sequence.isascii() and len(sequence) <= _LONGEST):
        raise UnreadableRecord("The sequence number is no decimal number.")
    if not (event_id.isascii() and event_id.isprintable() and len(event_id) <= _LONGEST):
        raise UnreadableRecord("The event id is no plain text.")
    if not 0 <= data.SizeBytes < 2**31:
        raise UnreadableRecord("The size is no number of bytes.")
    seconds = data.ApproximateCreationDateTime
    if not _EARLIEST <= seconds < _LATEST:
        raise UnreadableRecord(f"The time {seconds!r} is not within the years 2010 to 2199.")


def _given(raw: msgspec.Raw) -> bytes | None:
    # Raw keeps the whole page alive; bytes() copies just this part out.
    return None if raw == _NULL else bytes(raw)


class _Images(NamedTuple):
    """The top level of a change's images, None where the stream gives none; `alike` if both have
    the same names in the same order, as they mostly have."""

    before: Attributes | None
    after: Attributes | None
    names_before: tuple[str, ...]
    names_after: tuple[str, ...]
    alike: bool


def _look(old: bytes | None, new: bytes | None, reading: _Reading) -> _Images:
    before = None if old is None else reading.attributes(old)
    after = None if new is None else reading.attributes(new)
    names_before, names_after = tuple(before or ()), tuple(after or ())
    return _Images(before, after, names_before, names_after, names_before == names_after)


def _changed(
    operation: str, images: _Images, new: bytes | None, reading: _Reading
) -> tuple[str, ...] | None:
    """The top-level names that differ, None where the stream does not tell."""
    before, after, names_before, names_after, alike = images
    if operation == INSERT:
        return None if after is None else _sorted(names_after)
    if operation == REMOVE:
        return None if before is None else _sorted(names_before)
    if before is None or after is None or new is None:
        return None
    names: Iterable[str] = names_after
    if alike:  # compared without a step of Python for each
        differ = map(ne, before.values(), after.values())
    else:
        names = [*names_after, *(before.keys() - after.keys())]
        differ = map(ne, map(before.get, names), map(after.get, names))
    names = compress(names, differ)
    if b'S":[' in new:  # as sets are spelled, and hardly anything else
        names = [name for name in names if not reading.same(before.get(name), after.get(name))]
    return _sorted(tuple(names))


def _terms(indexed: Indexed, keys: bytes, images: _Images, reading: _Reading) -> tuple[int, ...]:
    """What search finds the change by: of both images, or of the key alone."""
    before, after, names_before, names_after, alike = images
    chosen = indexed.of(names_after)
    if alike and not chosen and not indexed.in_key:
        return ()
    values = [(name, after[name]) for name in chosen] if after else []
    if before:
        chosen = chosen if alike else indexed.of(names_before)
        given = after or {}
        values += [(name, before[name]) for name in chosen if given.get(name) != before[name]]
    if before is None and after is None and indexed.in_key:
        key = reading.attributes(keys)
        values = [(name, key[name]) for name in indexed.of(tuple(key))]
    return terms([(name, reading.raw(value)) for name, value in values]) if values else ()


@lru_cache(maxsize=128)  # the same few names change again and again
def _sorted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(map(stored_name, names)))
