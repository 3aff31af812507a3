"""Writing changes: Postgres' binary COPY format, spelled here because it is the hot path.

The column list, the fixed part and `_row` must agree with the migration `0002_change`.
Format: postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

import struct
from collections.abc import Sequence

import msgspec
from django.db import connection, transaction
from django.db.utils import DataError

from streams.change import OPERATION_CODE, Change, sequence_key

COPY = """
    COPY streams_change (occurred_at, batch_id, stream_id, ordinal, size, generation, operation,
                         item, sequence, event_id, keys, old, new, changed, user_identity)
    FROM STDIN (FORMAT BINARY)
"""
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
# Field count, then (length, value) of the first eight columns.
_fixed = struct.Struct(">h iq iq ii ii ii ih ic i16s")
_length = struct.Struct(">i")
_NULL = struct.pack(">i", -1)
# Postgres counts microseconds from 2000.
_EPOCH_2000 = 946_684_800_000_000
_TEXT_OID = 25


def copy(batch_id: int, stream_id: int, generation: int, changes: Sequence[Change]) -> None:
    """Write a batch's changes, in order."""
    if not changes:
        return
    data = encode(batch_id, stream_id, generation, changes)
    # Django translates the errors of execute, but not those of copy.
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(COPY) as to:
        to.write(data)


def encode(batch_id: int, stream_id: int, generation: int, changes: Sequence[Change]) -> bytes:
    """The bytes that COPY takes."""
    parts = [_HEADER]
    for ordinal, change in enumerate(changes):
        _row(parts, batch_id, stream_id, generation, ordinal, change)
    parts.append(_TRAILER)
    return b"".join(parts)


def refused(change: Change) -> str:
    """Why Postgres cannot hold this change; "" if it can. Writes nothing."""
    try:
        with transaction.atomic():
            copy(0, 0, 0, [change])
            transaction.set_rollback(True)
    except DataError as error:
        return f"Postgres cannot hold it: {error}".splitlines()[0]
    return ""


def raw(change: Change) -> bytes:
    """A change that cannot be stored, as JSON with its bytes in base64, to be kept as poison."""
    return msgspec.json.encode(change)


def _row(
    parts: list[bytes],
    batch_id: int,
    stream_id: int,
    generation: int,
    ordinal: int,
    change: Change,
) -> None:
    sequence = sequence_key(change.sequence).encode()
    event_id = change.event_id.encode()
    parts += (
        _fixed.pack(
            *(15, 8, change.occurred - _EPOCH_2000, 8, batch_id, 4, stream_id, 4, ordinal),
            *(4, change.size, 2, generation, 1, OPERATION_CODE[change.operation].encode()),
            *(16, change.item.bytes),
        ),
        _length.pack(len(sequence)) + sequence,
        _length.pack(len(event_id)) + event_id,
        _length.pack(len(change.keys)) + change.keys,
        _field(change.old),
        _field(change.new),
        _field(None if change.changed is None else _names(change.changed)),
        _field(change.user_identity),
    )


def _field(value: bytes | None) -> bytes:
    return _NULL if value is None else _length.pack(len(value)) + value


def _names(names: Sequence[str]) -> bytes:
    """A one-dimensional text[]: dimensions, has-null flag, element type, size, lower bound."""
    if not names:
        return struct.pack(">iii", 0, 0, _TEXT_OID)
    encoded = [name.encode() for name in names]
    head = struct.pack(">iiiii", 1, 0, _TEXT_OID, len(encoded), 1)
    return head + b"".join([_length.pack(len(name)) + name for name in encoded])
