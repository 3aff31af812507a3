"""A raw DynamoDB Streams record as a `Change`. Images stay the bytes they came in."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import compress
from operator import ne
from typing import Any, NamedTuple

import msgspec

from streams.change import INSERT, MODIFY, OPERATIONS, Change
from streams.errors import UnreadableRecord
from streams.indexing import Indexed, stored_name, terms
from streams.item_key import canonical, is_canonical, item_bytes
from streams.sources.dynamodb import lenient

# In a record only its own sequence number is a bare string under this name: an attribute's value
# would be an object that gives its type.
_SEQUENCE_IN = re.compile(rb'"SequenceNumber"\s*:\s*"([0-9]{1,128})"')
_KEY_TYPES = {"S", "N", "B"}
_SETS = {b'{"SS"', b'{"NS"', b'{"BS"'}
# As sets are spelled, and hardly anything else.
_sets_in = re.compile(rb'S":\[').search
# A record outside these years has a broken clock, and would get a partition of its own.
_EARLIEST = datetime(2010, 1, 1, tzinfo=UTC).timestamp()
_LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
# Characters of a sequence number or an event id.
_LONGEST = 128


# What a field that the record leaves out looks like; no other field is this object.
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


def parse_all(decoded: Sequence[Record], stream_id: int, indexed: Indexed) -> list[Change]:
    """The records of a page as changes; UnreadableRecord if one of them needs `parse`."""
    try:
        if not _sound(decoded):
            for record in decoded:
                _check(record)
        return [_change(record, stream_id, indexed, _strict) for record in decoded]
    except _WRONG as error:
        raise UnreadableRecord(f"A record cannot be parsed: {error}") from error


def parse(raw: bytes, stream_id: int, indexed: Indexed) -> Change:
    """The record as a change; UnreadableRecord says what is wrong with it."""
    try:
        try:
            return _alone(_record.decode(raw), stream_id, indexed, _strict)
        except (msgspec.DecodeError, UnicodeError):
            return _alone(lenient.record(raw, Record), stream_id, indexed, _lenient)
    except _WRONG as error:
        raise UnreadableRecord(f"The record cannot be parsed: {error}") from error


def sequence_of(raw: bytes) -> str:
    """The sequence of a record that cannot be parsed; "" if not even that can be found."""
    found = _SEQUENCE_IN.search(raw)
    return found[1].decode() if found else ""


def _alone(record: Record, stream_id: int, indexed: Indexed, reading: _Reading) -> Change:
    _check(record)
    data = record.dynamodb
    # DynamoDB leaves out what there is not; who spells it as null means the same.
    data.OldImage = _NULL if data.OldImage == _NULL else data.OldImage
    data.NewImage = _NULL if data.NewImage == _NULL else data.NewImage
    return _change(record, stream_id, indexed, reading)


def _change(record: Record, stream_id: int, indexed: Indexed, reading: _Reading) -> Change:
    data, operation, identity = record.dynamodb, record.eventName, record.userIdentity
    # Raw keeps the whole page alive; bytes() copies just this part out.
    keys = bytes(data.Keys)
    old = None if data.OldImage is _NULL else bytes(data.OldImage)
    new = None if data.NewImage is _NULL else bytes(data.NewImage)
    before = None if old is None else reading.attributes(old)
    after = None if new is None else reading.attributes(new)
    names_before, names = tuple(before or ()), tuple(after or ())
    alike = names_before == names  # as they mostly are, in the same order too
    changed: tuple[str, ...] | None = None
    if operation == MODIFY:
        if before is not None and after is not None and new is not None:
            changed = _differing(before, after, names, alike, new, reading)
    elif operation == INSERT:
        changed = None if after is None else _sorted(names)
    else:
        changed = None if before is None else _sorted(names_before)
    occurred = round(data.ApproximateCreationDateTime * 1_000_000)
    chosen = indexed.of(names)
    return Change(
        operation=operation,
        item=item_bytes(stream_id, keys if is_canonical(keys) else _canonical(reading.key(keys))),
        sequence=data.SequenceNumber,
        event_id=record.eventID,
        occurred=occurred,
        keys=keys,
        old=old,
        new=new,
        changed=changed,
        user_identity=None if identity is _NULL or identity == _NULL else bytes(identity),
        size=data.SizeBytes,
        terms=()
        if occurred < indexed.since or (alike and not chosen and not indexed.in_key)
        else _terms(indexed, keys, before, after, reading),
    )


def _canonical(key: dict[str, dict[str, str]]) -> bytes:
    if not key or any(len(typed) != 1 or not typed.keys() <= _KEY_TYPES for typed in key.values()):
        raise UnreadableRecord("The key has an attribute that is no S, N or B.")
    return canonical(key).encode()


def _sound(records: Sequence[Record]) -> bool:
    """True if `_check` surely has nothing against any of them: a few looks at the whole page."""
    if not records:
        return True
    parts = [record.dynamodb for record in records]
    sequences = [data.SequenceNumber for data in parts]
    event_ids = [record.eventID for record in records]
    sizes = [data.SizeBytes for data in parts]
    seconds = [data.ApproximateCreationDateTime for data in parts]
    digits, text = "".join(sequences), "".join(event_ids)
    return (
        all(sequences)
        and max(map(len, sequences)) <= _LONGEST
        and max(map(len, event_ids)) <= _LONGEST
        and digits.encode().isdigit()
        and text.encode().isalnum()
        and {record.eventName for record in records}.issubset(OPERATIONS)
        and min(sizes) >= 0
        and max(sizes) < 2**31
        and min(seconds) >= _EARLIEST
        and max(seconds) < _LATEST
    )


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


def _differing(
    before: Attributes,
    after: Attributes,
    names: tuple[str, ...],
    alike: bool,
    new: bytes,
    reading: _Reading,
) -> tuple[str, ...]:
    """The top-level names that differ."""
    if alike:  # compared without a step of Python for each
        found = tuple(compress(names, map(ne, before.values(), after.values())))
    else:
        names = (*names, *(before.keys() - after.keys()))
        found = tuple(compress(names, map(ne, map(before.get, names), map(after.get, names))))
    if _sets_in(new):
        found = tuple(n for n in found if not reading.same(before.get(n), after.get(n)))
    return _sorted(found)


def _terms(
    indexed: Indexed,
    keys: bytes,
    before: Attributes | None,
    after: Attributes | None,
    reading: _Reading,
) -> tuple[int, ...]:
    """What search finds the change by: of both images, or of the key alone."""
    if before is None and after is None and indexed.in_key:
        before = reading.attributes(keys)
    old, new = before or {}, after or {}
    values = [(name, new[name]) for name in indexed.of(tuple(new))]
    values += [(name, old[name]) for name in indexed.of(tuple(old)) if new.get(name) != old[name]]
    return terms([(name, reading.raw(value)) for name, value in values])


@lru_cache(maxsize=128)  # the same few names change again and again
def _sorted(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(map(stored_name, names)))
