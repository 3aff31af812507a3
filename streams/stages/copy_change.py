"""Writing changes: Postgres' binary COPY format, spelled here because it is the hot path.

The column list, `encode` and `rows` must agree with the table's migration.
Format: postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

import msgspec
from django.db import connection, transaction
from django.db.utils import DataError

from streams.change import OPERATION_CODE, Change, sequence_key

COPY = """
    COPY streams_change (ordinal, occurred_at, stream_id, size, generation, operation, item,
                         sequence, event_id, keys, old, new, changed, user_identity, terms,
                         batch_id)
    FROM STDIN (FORMAT BINARY)
"""
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)
# Rows that are joined at a time. A buffer of a whole page would come fresh from the system and go
# back there (memory.py), at the price of a page fault for every 4 KB.
_PIECE_ROWS = 64
# What comes before a change's row: the number of fields, then (length, value) of ordinal. Few
# batches are longer than those made ready here.
_head = struct.Struct(">h ii")
_HEADS = [_head.pack(16, 4, ordinal) for ordinal in range(4_096)]
# What comes after it, besides the terms: (length, value) of batch_id.
_batch = struct.Struct(">i q")
_length = struct.Struct(">i")
_NULL = struct.pack(">i", -1)
# With the length of the next column, the item.
_OPERATIONS = {name: code.encode() + _length.pack(16) for name, code in OPERATION_CODE.items()}
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
    """The bytes that COPY takes, in pieces."""
    parts = [_HEADER]
    batch = _batch.pack(8, batch_id)
    plain = _NULL + batch
    few = len(rows) <= len(_HEADS)
    heads = (
        _HEADS[: len(rows)] if few else [_head.pack(16, 4, ordinal) for ordinal in range(len(rows))]
    )
    for ordinal, (head, row, change) in enumerate(zip(heads, rows, changes, strict=True)):
        terms = change.terms
        parts += head, row, _terms(terms) + batch if terms else plain
        if ordinal % _PIECE_ROWS == _PIECE_ROWS - 1:
            yield b"".join(parts)
            parts = []
    parts.append(_TRAILER)
    yield b"".join(parts)


def rows(stream_id: int, generation: int, changes: Iterable[Change]) -> list[bytes]:
    """Changes as COPY takes them, without their batch and their places there, and without what
    they are indexed by: that is made from the rest, and the ledger's digest does not cover it."""
    stream = struct.pack(">iii", 4, stream_id, 4)  # and the length of the size
    shard = struct.pack(">ihi", 2, generation, 1)  # and the length of the operation
    return [_row(stream, shard, change) for change in changes]


def row(stream_id: int, generation: int, change: Change) -> bytes:
    """One change as `rows` gives it."""
    return rows(stream_id, generation, [change])[0]


def _row(stream: bytes, shard: bytes, change: Change) -> bytes:
    sequence, event_id = sequence_key(change.sequence).encode(), change.event_id.encode()
    keys, old, new = change.keys, change.old, change.new
    changed, user_identity = change.changed, change.user_identity
    in_sequence, in_event_id = len(sequence), len(event_id)
    return b"".join(
        (
            _fixed(in_sequence, in_event_id)(
                8,
                change.occurred - _EPOCH_2000,
                stream,
                change.size,
                shard,
                _OPERATIONS[change.operation],
                change.item,
                in_sequence,
                sequence,
                in_event_id,
                event_id,
                len(keys),
            ),
            keys,
            _NULL if old is None else _length.pack(len(old)),
            old or b"",
            _NULL if new is None else _length.pack(len(new)),
            new or b"",
            _NULL if changed is None else _changed(changed),
            _NULL if user_identity is None else _field(user_identity),
        )
    )


@lru_cache(maxsize=128)  # sequences are as long as their neighbours, and so are event ids
def _fixed(in_sequence: int, in_event_id: int) -> Callable[..., bytes]:
    """Packs the columns up to the event id, and the length of the keys."""
    return struct.Struct(f">iq 12si 10s 5s16s i{in_sequence}s i{in_event_id}s i").pack


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


def _field(value: bytes) -> bytes:
    return _length.pack(len(value)) + value


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
