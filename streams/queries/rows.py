"""One stored change as it is read back, and the one SELECT that reads it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from streams.change import OPERATION_NAME, sequence_text


class Cursor(NamedTuple):
    """A place in the feed: everything at or below it is complete for ever."""

    position: int
    ordinal: int

    def __str__(self) -> str:
        return f"{self.position}.{self.ordinal}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The cursor of its text; ValueError if it is none."""
        position, dot, ordinal = text.partition(".")
        if not (dot and position.isdecimal() and ordinal.isdecimal() and len(text) < 40):
            raise ValueError(f"{text!r} is not a cursor; a cursor looks like 118.42")
        return cls(int(position), int(ordinal))


class StoredChange(msgspec.Struct, frozen=True):
    """A change from the store.

    `id` is its permalink; keys and images are DynamoDB JSON bytes, exactly as the stream gave
    them, None where it gave none. `view_type` is the stream's of today. `cursor` is None until
    the change has its place in the feed.
    """

    id: str
    cursor: Cursor | None
    stream_id: int
    stream: str
    view_type: str
    shard: str
    generation: int
    sequence: str
    event_id: str
    operation: str
    item: UUID
    keys: bytes
    old: bytes | None
    new: bytes | None
    changed: tuple[str, ...] | None
    user_identity: bytes | None
    occurred_at: datetime
    stored_at: datetime
    size: int

    @property
    def ttl(self) -> bool:
        """True for a deletion by DynamoDB's time-to-live, not by a writer."""
        return b"dynamodb.amazonaws.com" in (self.user_identity or b"")


# json columns are read as text and kept as bytes: nobody on the way may re-spell an image.
SELECT = """
    SELECT c.batch_id, c.ordinal, b.feed_position, c.stream_id, s.name, s.view_type, h.name,
           c.generation, c.sequence, c.event_id, c.operation::text, c.item, c.keys::text,
           c.old::text, c.new::text, c.changed, c.user_identity::text, c.occurred_at,
           b.stored_at, c.size
    FROM streams_change c
    JOIN streams_batch b ON b.id = c.batch_id
    JOIN streams_shard h ON h.id = b.shard_id
    JOIN streams_stream s ON s.id = c.stream_id
"""


def fetch(where: str, parameters: Sequence[Any]) -> list[StoredChange]:
    """The changes that the rest of the query (WHERE … ORDER BY … LIMIT …) selects."""
    with connection.cursor() as cursor:
        cursor.execute(f"{SELECT} {where}", parameters)
        return [_change(row) for row in cursor.fetchall()]


def _change(row: Sequence[Any]) -> StoredChange:
    batch, ordinal, position = row[0:3]
    return StoredChange(
        id=f"{batch}-{ordinal}",
        cursor=None if position is None else Cursor(position, ordinal),
        stream_id=row[3],
        stream=row[4],
        view_type=row[5],
        shard=row[6],
        generation=row[7],
        sequence=sequence_text(row[8]),
        event_id=row[9],
        operation=OPERATION_NAME[row[10]],
        item=row[11],
        keys=row[12].encode(),
        old=_bytes(row[13]),
        new=_bytes(row[14]),
        changed=None if row[15] is None else tuple(row[15]),
        user_identity=_bytes(row[16]),
        occurred_at=row[17],
        stored_at=row[18],
        size=row[19],
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
