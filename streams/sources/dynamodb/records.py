"""A raw DynamoDB Streams record as a `Change`. Images stay the bytes they came in."""

import re
from datetime import UTC, datetime

import msgspec

from streams.change import INSERT, MODIFY, OPERATIONS, Change
from streams.errors import UnreadableRecord
from streams.item_key import canonical, item_id

_SEQUENCE = re.compile(r"[0-9]{1,128}\Z")
_EVENT_ID = re.compile(r"[!-~]{1,100}\Z")
_SETS = (b'{"SS"', b'{"NS"', b'{"BS"')
# A record outside these years has a broken clock, and would get a partition of its own.
_YEARS = range(2010, 2200)


class _Data(msgspec.Struct):
    Keys: msgspec.Raw
    SequenceNumber: str
    ApproximateCreationDateTime: float
    NewImage: msgspec.Raw | None = None
    OldImage: msgspec.Raw | None = None
    SizeBytes: int = 0
    StreamViewType: str = ""


class _Record(msgspec.Struct):
    eventName: str
    dynamodb: _Data
    eventID: str = ""
    userIdentity: msgspec.Raw | None = None


class _Found(msgspec.Struct):
    SequenceNumber: str = ""


class _Anything(msgspec.Struct):
    dynamodb: _Found = msgspec.field(default_factory=_Found)


_record = msgspec.json.Decoder(_Record)
_anything = msgspec.json.Decoder(_Anything)
_attributes = msgspec.json.Decoder(dict[str, msgspec.Raw])
_key = msgspec.json.Decoder(dict[str, dict[str, str]])
_set = msgspec.json.Decoder(dict[str, set[str]])


def parse(raw: bytes, stream_id: int) -> Change:
    """The record as a change; UnreadableRecord says what is wrong with it."""
    try:
        record = _record.decode(raw)
        data = record.dynamodb
        keys = bytes(data.Keys)
        item = item_id(stream_id, canonical(_checked_key(keys)))
        old, new = _image(data.OldImage), _image(data.NewImage)
        changed = _changed(record.eventName, old, new)
    # UnicodeError: bytes that are no UTF-8; ArithmeticError: a key number that is none.
    except (msgspec.MsgspecError, UnicodeError, ArithmeticError) as error:
        raise UnreadableRecord(f"The record cannot be parsed: {error}") from error
    _check(record)
    return Change(
        operation=record.eventName,
        item=item,
        sequence=data.SequenceNumber,
        event_id=record.eventID,
        occurred=round(data.ApproximateCreationDateTime * 1_000_000),
        keys=keys,
        old=old,
        new=new,
        changed=changed,
        user_identity=_image(record.userIdentity),
        size=data.SizeBytes,
    )


def sequence_of(raw: bytes) -> str:
    """The sequence of a record that cannot be parsed; "" if not even that can be found."""
    try:
        sequence = _anything.decode(raw).dynamodb.SequenceNumber
    except (msgspec.MsgspecError, UnicodeError):
        return ""
    return sequence if _SEQUENCE.match(sequence) else ""


def _checked_key(raw: bytes) -> dict[str, dict[str, str]]:
    key = _key.decode(raw)
    if not key or any(
        len(typed) != 1 or not typed.keys() <= {"S", "N", "B"} for typed in key.values()
    ):
        raise msgspec.ValidationError("the key has an attribute that is no S, N or B")
    return key


def _check(record: _Record) -> None:
    if record.eventName not in OPERATIONS:
        raise UnreadableRecord(f"The operation is {record.eventName!r}, not one of {OPERATIONS}.")
    if not _SEQUENCE.match(record.dynamodb.SequenceNumber):
        raise UnreadableRecord("The sequence number is no decimal number.")
    if record.eventID and not _EVENT_ID.match(record.eventID):
        raise UnreadableRecord("The event id is no plain text.")
    seconds = record.dynamodb.ApproximateCreationDateTime
    try:
        year = datetime.fromtimestamp(seconds, UTC).year
    except (ValueError, OverflowError, OSError):
        year = 0
    if year not in _YEARS:
        raise UnreadableRecord(f"The time {seconds!r} is not within {_YEARS[0]} to {_YEARS[-1]}.")


def _image(raw: msgspec.Raw | None) -> bytes | None:
    # Raw keeps the whole page alive; bytes() copies just this image out.
    return None if raw is None or raw == b"null" else bytes(raw)


def _changed(operation: str, old: bytes | None, new: bytes | None) -> tuple[str, ...] | None:
    """The top-level names that differ, None where the stream does not tell."""
    if operation != MODIFY:
        image = new if operation == INSERT else old
        return None if image is None else tuple(_name(n) for n in sorted(_attributes.decode(image)))
    if old is None or new is None:
        return None
    before, after = _attributes.decode(old), _attributes.decode(new)
    differing = [
        name
        for name in before.keys() | after.keys()
        if not _same(before.get(name), after.get(name))
    ]
    return tuple(_name(name) for name in sorted(differing))


def _same(before: msgspec.Raw | None, after: msgspec.Raw | None) -> bool:
    """True if two values are the same; the order of a set's members does not count."""
    if before == after:
        return True
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
