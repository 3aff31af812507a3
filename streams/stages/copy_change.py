"""Writing changes: Postgres' binary COPY format, spelled here because it is the hot path.

The column list, the fixed part and `row` must agree with the table's migration.
Format: postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache

import msgspec
from django.db import connection, transaction
from django.db.utils import DataError

from streams.change import OPERATION_CODE, PIECE_ROWS, Change, sequence_key

COPY = """
    COPY streams_change (batch_id, ordinal, occurred_at, stream_id, size, generation, operation,
                         item, sequence, event_id, keys, old, new, changed, user_identity, terms)
    FROM STDIN (FORMAT BINARY)
"""
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
# Field count, then (length, value) of batch_id and ordinal: what a change gets only in its batch.
_place = struct.Struct(">h iq ii")
# (length, value) of the next six columns, and the length of the seventh.
_fixed = struct.Struct(">iq ii ii ih ic i16s i")
_length = struct.Struct(">i")
_NULL = struct.pack(">i", -1)
# Most lengths are small, and a look-up is cheaper than packing.
_LENGTHS = [_length.pack(number) for number in range(2_048)]
_OPERATIONS = {name: code.encode() for name, code in OPERATION_CODE.items()}
# Postgres counts microseconds from 2000.
_EPOCH_2000 = 946_684_800_000_000
_TEXT_OID, _INT4_OID = 25, 23
# An array's length and head; an int4 with its length.
_array = struct.Struct(">i iiiii")
_element = struct.Struct(">ii")


def copy(batch_id: int, changes: Sequence[Change], rows: Sequence[bytes]) -> None:
    """Write a batch's changes, in order; `rows` are the same changes as `row` gives them."""
    if not rows:
        return
    # Django translates the errors of execute, but not those of copy.
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(COPY) as to:
        for piece in encode(batch_id, changes, rows):
            to.write(piece)


def encode(batch_id: int, changes: Sequence[Change], rows: Sequence[bytes]) -> Iterator[bytes]:
    """The bytes that COPY takes, in pieces: see PIECE_ROWS."""
    parts = [_HEADER]
    for ordinal, (change, row) in enumerate(zip(changes, rows, strict=True)):
        terms = change.terms
        place = _place.pack(16, 8, batch_id, 4, ordinal)
        parts += (place, row, _terms(terms) if terms else _NULL)
        if ordinal % PIECE_ROWS == PIECE_ROWS - 1:
            yield b"".join(parts)
            parts = []
    parts.append(_TRAILER)
    yield b"".join(parts)


def row(stream_id: int, generation: int, change: Change) -> bytes:
    """A change as COPY takes it, without its batch and its place there, and without what it is
    indexed by: that is made from the rest, and the ledger's digest does not cover it."""
    sequence = sequence_key(change.sequence).encode()
    event_id = change.event_id.encode()
    occurred, size, item = change.occurred - _EPOCH_2000, change.size, change.item
    operation, length = _OPERATIONS[change.operation], len(sequence)
    keys, changed, user_identity = change.keys, change.changed, change.user_identity
    fixed = (8, occurred, 4, stream_id, 4, size, 2, generation, 1, operation, 16, item, length)
    return b"".join(
        (
            _fixed.pack(*fixed),
            sequence,
            _spelled(len(event_id)),
            event_id,
            _spelled(len(keys)),
            keys,
            _field(change.old),
            _field(change.new),
            _NULL if changed is None else _changed(changed),
            _NULL if user_identity is None else _field(user_identity),
        )
    )


def refused(stream_id: int, change: Change) -> str:
    """Why Postgres cannot hold this change; "" if it can. Writes nothing."""
    try:
        with transaction.atomic():
            copy(0, [change], [row(stream_id, 0, change)])
            transaction.set_rollback(True)
    except DataError as error:
        return f"Postgres cannot hold it: {error}".splitlines()[0]
    return ""


def raw(change: Change) -> bytes:
    """A change that cannot be stored, as JSON with its bytes in base64, to be kept as poison."""
    return msgspec.json.encode(change)


def _field(value: bytes | None) -> bytes:
    return _NULL if value is None else _spelled(len(value)) + value


def _spelled(length: int) -> bytes:
    return _LENGTHS[length] if length < 2_048 else _length.pack(length)


def _changed(names: tuple[str, ...]) -> bytes:
    return _few_names(names) if len(names) <= _FEW else _names(names)


def _terms(terms: tuple[int, ...]) -> bytes:
    """A one-dimensional int4[] with its length, spelled as below."""
    count = len(terms)
    head = _array.pack(20 + 8 * count, 1, 0, _INT4_OID, count, 1)
    return head + b"".join([_element.pack(4, term) for term in terms])


def _names(names: tuple[str, ...]) -> bytes:
    """A one-dimensional text[] with its length: dimensions, has-null flag, element type, size,
    lower bound, then the elements."""
    if not names:
        value = struct.pack(">iii", 0, 0, _TEXT_OID)
    else:
        encoded = [name.encode() for name in names]
        value = struct.pack(">iiiii", 1, 0, _TEXT_OID, len(encoded), 1)
        value += b"".join([_length.pack(len(name)) + name for name in encoded])
    return _length.pack(len(value)) + value


# The same few names change again and again. An item has at most 400 KB, so this is bounded.
_FEW = 16
_few_names = lru_cache(maxsize=128)(_names)
