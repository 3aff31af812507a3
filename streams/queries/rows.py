"""One stored change as it is read back, and the one SELECT that reads it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from streams.change import OPERATION_NAME, sequence_key, sequence_text


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

    @property
    def order(self) -> tuple[int, str]:
        """Its place among the versions of its item: a later one has a greater."""
        return self.generation, sequence_key(self.sequence)


class Extent(NamedTuple):
    """Where a batch's changes are: its stream, and from when to when they happened (None, None if
    it holds none)."""

    batch_id: int
    stream_id: int
    oldest_change_at: datetime | None
    newest_change_at: datetime | None


# json columns are read as text and kept as bytes: nobody on the way may re-spell an image.
_COLUMNS = """
    c.batch_id, c.ordinal, b.feed_position, c.stream_id, s.name, s.view_type, h.name,
    c.generation, c.sequence, c.event_id, c.operation::text, c.item, c.keys::text,
    c.old::text, c.new::text, c.changed, c.user_identity::text, c.occurred_at,
    b.stored_at, c.size
"""
_JOINED = """
    JOIN streams_batch b ON b.id = c.batch_id
    JOIN streams_shard h ON h.id = b.shard_id
    JOIN streams_stream s ON s.id = c.stream_id
"""


def fetch(where: str, parameters: Sequence[Any]) -> list[StoredChange]:
    """The changes that the rest of the query (WHERE … ORDER BY … LIMIT …) selects.

    The WHERE must name c.stream_id, else every leaf of every stream is planned and locked.
    """
    return _fetch("streams_change", where, parameters)


def fetch_of(extents: Iterable[Extent], rest: str, parameters: Sequence[Any]) -> list[StoredChange]:
    """The changes of these batches that the rest of the query selects."""
    arms, given = changes_of(extents)
    return _fetch(f"({arms})", rest, [*given, *parameters]) if arms else []


def fetch_versions(
    stream_id: int,
    item: UUID,
    place: tuple[int, str] | None,
    limit: int,
    *,
    newer: bool = False,
    where: str = "TRUE",
    given: Sequence[Any] = (),
    look_at: int | None = None,
    most_bytes: int = 2**62,
) -> list[StoredChange]:
    """The versions of an item next to a place (generation and sequence key), the nearest first:
    older ones down from it or from the newest (None), or newer ones up from it.

    With `look_at`, only those of the next so many for which `where` holds, until their records
    have `most_bytes` together.
    """
    source, parameters = versions_next_to(stream_id, item, place, look_at or limit, newer=newer)
    order = "ASC" if newer else "DESC"
    if look_at is not None:
        in_order = f"ORDER BY generation {order}, sequence {order}"
        source = f"""
            (SELECT *, sum(size) OVER ({in_order}) - size AS size_before
             FROM (SELECT * FROM {source} looked_at WHERE {where} {in_order} LIMIT %s) found)"""
        parameters += [*given, limit, most_bytes]
    bound = "" if look_at is None else "WHERE c.size_before < %s"
    return _fetch(source, f"{bound} ORDER BY c.generation {order}, c.sequence {order}", parameters)


def versions_next_to(
    stream_id: int, item: UUID, place: tuple[int, str] | None, limit: int, *, newer: bool = False
) -> tuple[str, list[Any]]:
    """The next rows of an item in order, as a bracketed SELECT and its parameters."""
    sign, order = (">", "ASC") if newer else ("<", "DESC")
    beyond = "" if place is None else f"AND (generation, sequence) {sign} (%s, %s)"
    # Cut before the joins: then every leaf gives its next version by its index, in order, and
    # none sorts all the versions of an item that changes all day.
    text = f"""(SELECT * FROM streams_change WHERE stream_id = %s AND item = %s {beyond}
                ORDER BY generation {order}, sequence {order} LIMIT %s)"""
    return text, [stream_id, item, *(place or ()), limit]


def fetch_at(leaf: str, tids: Sequence[str]) -> list[StoredChange]:
    """The changes in these rows (ctid) of a leaf, in no order; a row that has moved is left out."""
    return _fetch(f"(SELECT * FROM {leaf} WHERE ctid = ANY(%s::tid[]))", "", [list(tids)])


def changes_of(extents: Iterable[Extent]) -> tuple[str, list[Any]]:
    """A SELECT of these batches' rows, as (text, parameters); "" if they hold no change.

    One arm a stream, with its own range of time: so the planner sees only the leaves that hold
    them, even if one stream catches up on last week while the others are at today.
    """
    streams: dict[int, list[Extent]] = {}
    for extent in extents:
        if extent.oldest_change_at is not None:
            streams.setdefault(extent.stream_id, []).append(extent)
    arm = """SELECT * FROM streams_change WHERE stream_id = %s AND occurred_at BETWEEN %s AND %s
             AND batch_id = ANY(%s)"""
    given: list[Any] = []
    for stream_id, some in streams.items():
        oldest = min(e.oldest_change_at for e in some if e.oldest_change_at)
        newest = max(e.newest_change_at for e in some if e.newest_change_at)
        given += [stream_id, oldest, newest, [extent.batch_id for extent in some]]
    return " UNION ALL ".join([arm] * len(streams)), given


def _fetch(source: str, rest: str, parameters: Sequence[Any]) -> list[StoredChange]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM {source} c {_JOINED} {rest}", parameters)
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
