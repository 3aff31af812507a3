"""A change, and what is computed from changes alone: their order and their digest.

Plain Python: no Django, no network. Images and keys stay the bytes the source sent.
"""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

import msgspec

INSERT, MODIFY, REMOVE = "INSERT", "MODIFY", "REMOVE"
OPERATIONS = (INSERT, MODIFY, REMOVE)
# How an operation is stored, in one byte.
OPERATION_CODE = {INSERT: "I", MODIFY: "M", REMOVE: "R"}
OPERATION_NAME = {code: name for name, code in OPERATION_CODE.items()}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Change(msgspec.Struct, frozen=True, gc=False):
    """One change of one item, as parsed from the source.

    `occurred` is in microseconds since 1970, UTC; `keys`, `old`, `new` and `user_identity` are
    JSON as it came; `changed` holds the top-level names that differ, None where the stream does
    not give both images of a MODIFY.
    """

    operation: str
    item: UUID
    sequence: str
    event_id: str
    occurred: int
    keys: bytes
    old: bytes | None
    new: bytes | None
    changed: tuple[str, ...] | None
    user_identity: bytes | None
    size: int


def moment(microseconds: int) -> datetime:
    """Microseconds since 1970 as a time in UTC, exactly."""
    return EPOCH + timedelta(microseconds=microseconds)


def microseconds(moment: datetime) -> int:
    """A time as whole microseconds since 1970, exactly (a float would round)."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def sequence_key(sequence: str) -> str:
    """A text that sorts bytewise as the sequence does as a number.

    Sources spell sequences as decimal numbers of varying length (DynamoDB 21 to 40 digits), some
    with leading zeros that must survive; so the length goes in front, as one character.
    """
    return chr(64 + len(sequence)) + sequence if sequence else ""


def sequence_text(key: str) -> str:
    """The sequence as the source spells it; the inverse of `sequence_key`."""
    return key[1:]


class LedgerEntry(msgspec.Struct, frozen=True):
    """The part of a batch's row that its digest covers."""

    stream_id: int
    shard_id: int
    number: int
    continued_from: str
    first_sequence: str
    last_sequence: str
    inserts: int
    modifies: int
    removes: int
    before_start: int
    repeated: int
    poison: int
    size: int


def digest(previous: bytes, entry: LedgerEntry, changes: Iterable[Change]) -> bytes:
    """32 bytes over a batch, its changes in order, and the digest of the shard's batch before.

    Every field goes in with its length, so no two different batches spell the same bytes.
    """
    parts: list[bytes | None] = [previous, msgspec.json.encode(entry)]
    for change in changes:
        head = f"{change.operation}\0{change.sequence}\0{change.event_id}\0{change.occurred}"
        parts += (
            f"{head}\0{change.size}".encode(),
            change.item.bytes,
            change.keys,
            change.old,
            change.new,
            None if change.changed is None else "\0".join([*change.changed, ""]).encode(),
            change.user_identity,
        )
    lengths = struct.pack(f">{len(parts)}q", *[-1 if p is None else len(p) for p in parts])
    return blake2b(lengths + b"".join([p for p in parts if p is not None]), digest_size=32).digest()
