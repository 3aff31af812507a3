"""A change, and what is computed from changes alone: their order and their digest.

Plain Python: no Django, no network. Images and keys stay the bytes the source sent.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec

INSERT, MODIFY, REMOVE = "INSERT", "MODIFY", "REMOVE"
OPERATIONS = (INSERT, MODIFY, REMOVE)
# How an operation is stored, in one byte.
OPERATION_CODE = {INSERT: "I", MODIFY: "M", REMOVE: "R"}
OPERATION_NAME = {code: name for name, code in OPERATION_CODE.items()}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Change(msgspec.Struct, frozen=True, gc=False):
    """One change of one item, as parsed from the source.

    `item` is the item's id, 16 bytes (item_key.py); `occurred` is in microseconds since 1970, UTC;
    `keys`, `old`, `new` and `user_identity` are JSON as it came; `changed` holds the top-level
    names that differ, None where the stream does not give both images of a MODIFY; `terms` are
    what search finds it by (indexing.py).
    """

    operation: str
    item: bytes
    sequence: str
    event_id: str
    occurred: int
    keys: bytes
    old: bytes | None
    new: bytes | None
    changed: tuple[str, ...] | None
    user_identity: bytes | None
    size: int
    terms: tuple[int, ...] = ()


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


def digest(previous: bytes, entry: LedgerEntry, rows: Sequence[bytes]) -> bytes:
    """32 bytes over a batch, its changes in order, and the digest of the shard's batch before.

    `rows` are the changes as the store writes them (stages/copy_change.py), where every field has
    its length in front; so no two different batches spell the same bytes.
    """
    found = sha256(b"%b%b\0%d\0" % (previous, msgspec.json.encode(entry), len(rows)))
    # One by one: for 2 KB or more at once Python gives up its lock, and a poller's other threads
    # are slow to give it back.
    for row in rows:
        found.update(row)
    return found.digest()
