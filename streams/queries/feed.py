"""Reading the feed by cursor: what the hub, the API and `manage.py tail` share.

Batches are numbered after their commit, one numbering at a time (stages/publish.py), so a reader
that continues after its cursor can miss nothing and waits for no open transaction.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Max, Min, QuerySet, Sum

from streams.change import OPERATIONS
from streams.models import Batch, FeedHead
from streams.queries.rows import Cursor, Extent, StoredChange, changes_of, fetch_of

__all__ = [
    "START",
    "Cursor",
    "Page",
    "StoredChange",
    "count",
    "count_each",
    "head",
    "newest",
    "read",
    "times",
]

START = Cursor(0, 0)
# The columns of an Extent.
_EXTENT = "id, stream_id, oldest_change_at, newest_change_at"
# A batch holds at most one page of GetRecords; a cursor at this ordinal is after all of it.
_AFTER_ALL = 2_147_483_647


class Page(NamedTuple):
    """Changes, oldest first; where to go on; and whether more was there already."""

    changes: list[StoredChange]
    cursor: Cursor
    more: bool


def head() -> Cursor:
    """The feed's newest place."""
    position = FeedHead.objects.values_list("position", flat=True).filter(pk=1).first()
    return Cursor(position or 0, _AFTER_ALL)


def read(after: Cursor, *, streams: Collection[int] | None, limit: int) -> Page:
    """The next `limit` changes after a cursor, of all streams (None) or some.

    The page's cursor moves on even if nothing matched, so no stretch is searched twice.
    """
    end = head()
    batches, stretch = _batches(after, end, streams, limit)
    if not batches:
        return Page([], max(after, end), False)
    changes = _changes(batches, after, limit)
    if len(changes) == limit:
        assert changes[-1].cursor is not None  # noqa: S101 - read by their feed position
        return Page(changes, changes[-1].cursor, True)
    return Page(changes, stretch, stretch < end)


def newest(*, streams: Collection[int] | None, limit: int) -> Page:
    """The newest `limit` changes, oldest first, with the head as cursor."""
    end = head()
    where, parameters = _of(streams)
    with connection.cursor() as cursor:
        # Batches from the newest down until they hold enough changes.
        cursor.execute(
            f"""SELECT {_EXTENT} FROM (
                    SELECT {_EXTENT}, sum(size) OVER (ORDER BY feed_position DESC) - size AS newer
                    FROM (SELECT {_EXTENT}, feed_position, inserts + modifies + removes AS size
                          FROM streams_batch
                          WHERE feed_position <= %s AND inserts + modifies + removes > 0 {where}
                          ORDER BY feed_position DESC LIMIT %s) recent
                ) counted WHERE newer < %s""",
            [end.position, *parameters, limit, limit],
        )
        batches = [Extent(*row) for row in cursor.fetchall()]
    changes = fetch_of(batches, "ORDER BY b.feed_position DESC, c.ordinal DESC LIMIT %s", [limit])
    return Page(changes[::-1], end, False)


def count(after: Cursor, upto: Cursor, *, streams: Collection[int] | None) -> dict[str, int]:
    """How many changes of each operation lie after one cursor and not after the other."""
    counts = dict.fromkeys(OPERATIONS, 0)
    for (_, operation), number in count_each(after, upto, streams=streams).items():
        counts[operation] += number
    return counts


def count_each(
    after: Cursor, upto: Cursor, *, streams: Collection[int] | None
) -> dict[tuple[int, str], int]:
    """The same per stream (its id) and operation, without those that are 0.

    Whole batches are counted by the ledger; only the two cut ones are looked into.
    """
    whole = (
        _between(after.position + 1, upto.position - 1, streams)
        .values_list("stream_id")
        .annotate(Sum("inserts"), Sum("modifies"), Sum("removes"))
        .order_by()
    )
    counts: Counter[tuple[int, str]] = Counter()
    for stream, *numbers in whole:
        counts.update({(stream, name): n for name, n in zip(OPERATIONS, numbers, strict=True) if n})
    for position in {after.position, upto.position}:
        for stream, operation, number in _cut(position, after, upto, streams):
            counts[stream, operation] += number
    return counts


def times(
    after: Cursor, upto: Cursor, *, streams: Collection[int] | None
) -> tuple[datetime, datetime] | None:
    """From when to when the changes in the batches between two cursors happened; None if there are
    none."""
    found = _between(after.position, upto.position, streams).aggregate(
        oldest=Min("oldest_change_at"), newest=Max("newest_change_at")
    )
    return (found["oldest"], found["newest"]) if found["oldest"] else None


def _between(first: int, last: int, streams: Collection[int] | None) -> QuerySet[Batch]:
    """The batches at these places of the feed, both included."""
    of = {} if streams is None else {"stream__in": list(streams)}
    return Batch.objects.filter(feed_position__gte=first, feed_position__lte=last, **of)


def _batches(
    after: Cursor, end: Cursor, streams: Collection[int] | None, limit: int
) -> tuple[list[Extent], Cursor]:
    """The batches that hold the next changes, and the cursor after the last of them."""
    where, parameters = _of(streams)
    begin = after.position + (after.ordinal >= _AFTER_ALL)  # nothing is left of that batch
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {_EXTENT}, feed_position, inserts + modifies + removes FROM streams_batch
                WHERE feed_position >= %s AND feed_position <= %s {where}
                ORDER BY feed_position LIMIT %s""",
            [begin, end.position, *parameters, limit + 1],
        )
        rows = cursor.fetchall()
    found, total = [], 0
    for *extent, position, size in rows:
        # The batch the cursor stands in counts as one: how much of it is left is not known here.
        total += size if position > after.position else min(size, 1)
        found.append(Extent(*extent))
        if total >= limit:
            return found, Cursor(position, _AFTER_ALL)
    if len(rows) > limit:
        return found, Cursor(rows[-1][-2], _AFTER_ALL)
    return found, max(after, end)


def _changes(batches: list[Extent], after: Cursor, limit: int) -> list[StoredChange]:
    return fetch_of(
        batches,
        """WHERE (b.feed_position, c.ordinal) > (%s, %s)
           ORDER BY b.feed_position, c.ordinal LIMIT %s""",
        [after.position, after.ordinal, limit],
    )


def _cut(
    position: int, after: Cursor, upto: Cursor, streams: Collection[int] | None
) -> list[tuple[int, str, int]]:
    where, parameters = _of(streams)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_EXTENT} FROM streams_batch WHERE feed_position = %s {where}",
            [position, *parameters],
        )
        arms, given = changes_of(Extent(*row) for row in cursor.fetchall())
        if not arms:
            return []
        cursor.execute(
            f"""SELECT c.stream_id, CASE c.operation WHEN 'I' THEN 'INSERT' WHEN 'M' THEN 'MODIFY'
                       ELSE 'REMOVE' END, count(*)
                FROM ({arms}) c
                WHERE (%s, c.ordinal) > (%s, %s) AND (%s, c.ordinal) <= (%s, %s) GROUP BY 1, 2""",
            [*given, position, *after, position, *upto],
        )
        return [(stream, operation, int(n)) for stream, operation, n in cursor.fetchall()]


def _of(streams: Collection[int] | None) -> tuple[str, list[Any]]:
    return ("", []) if streams is None else ("AND stream_id = ANY(%s)", [list(streams)])
