"""A raw DynamoDB Streams record as a `Change`. Images stay the bytes they came in."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from streams.change import INSERT, OPERATIONS, REMOVE, Change
from streams.errors import UnreadableRecord
from streams.item_key import canonical, item_id
from streams.sources.dynamodb import lenient

# In a record only its own sequence number is a bare string under this name: an attribute's value
# would be an object that gives its type.
_SEQUENCE_IN = re.compile(rb'"SequenceNumber"\s*:\s*"([0-9]{1,128})"')
_KEY_TYPES = {"S", "N", "B"}
_SETS = (b'{"SS"', b'{"NS"', b'{"BS"')
# A record outside these years has a broken clock, and would get a partition of its own.
_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
# Characters of a sequence number or an event id.
_LONGEST = 128


# What a field that the record leaves out, or gives as null, looks like.
_NULL = msgspec.Raw(b"null")


class _Data(msgspec.Struct):
    Keys: msgspec.Raw
    SequenceNumber: str
    ApproximateCreationDateTime: float
    NewImage: msgspec.Raw = _NULL
    OldImage: msgspec.Raw = _NULL
    SizeBytes: int = 0
    StreamViewType: str = ""


class _Record(msgspec.Struct):
    eventName: str
    dynamodb: _Data
    eventID: str = ""
    userIdentity: msgspec.Raw = _NULL


_record = msgspec.json.Decoder(_Record)
_attributes = msgspec.json.Decoder(dict[str, msgspec.Raw])
_key = msgspec.json.Decoder(dict[str, dict[str, str]])
_set = msgspec.json.Decoder(dict[str, set[str]])


def parse(raw: bytes, stream_id: int) -> Change:
    """The record as a change; UnreadableRecord says what is wrong with it."""
    try:
        try:
            record = _record.decode(raw)
            _check(record)
            key = _key.decode(record.dynamodb.Keys)
            changed = _changed(record, _attributes.decode, _same)
        except (msgspec.DecodeError, UnicodeError):
            record = lenient.record(raw, _Record)
            _check(record)
            key = msgspec.convert(lenient.load(record.dynamodb.Keys), dict[str, dict[str, str]])
            changed = _changed(record, lenient.load, lenient.same)
        item = item_id(stream_id, canonical(_checked(key)))
    # ArithmeticError: a key's number that is none; RecursionError: nested without end; the
    # others come from a record that is no record at all.
    except (msgspec.MsgspecError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise UnreadableRecord(f"The record cannot be parsed: {error}") from error
    data = record.dynamodb
    return Change(
        operation=record.eventName,
        item=item,
        sequence=data.SequenceNumber,
        event_id=record.eventID,
        occurred=round(data.ApproximateCreationDateTime * 1_000_000),
        keys=bytes(data.Keys),
        old=_given(data.OldImage),
        new=_given(data.NewImage),
        changed=changed,
        user_identity=_given(record.userIdentity),
        size=data.SizeBytes,
    )


def sequence_of(raw: bytes) -> str:
    """The sequence of a record that cannot be parsed; "" if not even that can be found."""
    found = _SEQUENCE_IN.search(raw)
    return found[1].decode() if found else ""


def _checked(key: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    if not key or any(len(typed) != 1 or not typed.keys() <= _KEY_TYPES for typed in key.values()):
        raise UnreadableRecord("The key has an attribute that is no S, N or B.")
    return key


def _check(record: _Record) -> None:
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
    # Raw keeps the whole record alive; bytes() copies just this part out.
    return None if raw == _NULL else bytes(raw)


def _changed(
    record: _Record,
    attributes: Callable[[msgspec.Raw], dict[str, Any]],
    same: Callable[[Any, Any], bool],
) -> tuple[str, ...] | None:
    """The top-level names that differ, None where the stream does not tell."""
    old, new = record.dynamodb.OldImage, record.dynamodb.NewImage
    if record.eventName == INSERT:
        return None if new == _NULL else tuple(sorted(map(_name, attributes(new))))
    if record.eventName == REMOVE:
        return None if old == _NULL else tuple(sorted(map(_name, attributes(old))))
    if old == _NULL or new == _NULL:
        return None
    before, after = attributes(old), attributes(new)
    # Most attributes stay the same: they are compared here, without a call for each.
    names = [
        name
        for name, value in after.items()
        if (was := before.pop(name, None)) != value and not same(was, value)
    ]
    names += before  # what is left was removed
    return tuple(sorted(map(_name, names)))


def _same(before: msgspec.Raw | None, after: msgspec.Raw | None) -> bool:
    """True if two values that differ in their bytes are the same set in another order."""
    if before is None or after is None:
        return False
    first, second = bytes(before), bytes(after)
    if not first.startswith(_SETS) or first[:5] != second[:5]:
        return False
    return _set.decode(first) == _set.decode(second)


def _name(name: str) -> str:
    """A name as Postgres can hold it: text takes neither NUL nor lone surrogates."""
    if "\0" not in name and name.isascii():
        return name
    return name.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()
