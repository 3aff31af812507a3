"""What changes most in a stream: its hot items and fields, from its newest changes.

A bounded sample, read without images: counting all changes is what no page does.
"""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from streams.change import MODIFY, OPERATION_NAME
from streams.queries.rows import Extent, changes_of

# So many of the newest changes are looked at, from so many batches at most.
CHANGES, BATCHES = 2_000, 500
_TOP = 10


@dataclass(frozen=True)
class HotItem:
    """An item that changed more than once; `keys` is DynamoDB JSON, `share` of the changes that
    were looked at."""

    keys: bytes
    changes: int
    share: float


@dataclass(frozen=True)
class HotField:
    """A top-level attribute: how many changes touched it, and how many MODIFYs nothing else."""

    name: str
    changes: int
    alone: int


@dataclass(frozen=True)
class Hot:
    """`looked_at` changes; `known` of them say which fields differ."""

    looked_at: int
    known: int
    items: list[HotItem]
    fields: list[HotField]


_BATCHES_SQL = """
    SELECT id, stream_id, oldest_change_at, newest_change_at
    FROM (SELECT *, sum(changes) OVER (ORDER BY feed_position DESC) - changes AS newer
          FROM (SELECT *, inserts + modifies + removes AS changes FROM streams_batch
                WHERE stream_id = %s AND feed_position IS NOT NULL
                ORDER BY feed_position DESC LIMIT %s) newest
          WHERE changes > 0) counted
    WHERE newer < %s
"""


def hot(stream_id: int) -> Hot:
    """The items and fields that the newest changes of a stream touch most."""
    with connection.cursor() as cursor:
        cursor.execute(_BATCHES_SQL, [stream_id, BATCHES, CHANGES])
        arms, given = changes_of([Extent(*row) for row in cursor.fetchall()])
        if not arms:
            return Hot(0, 0, [], [])
        # A key is read for the top items only: it may be as long as 3 KB.
        cursor.execute(
            f"""SELECT item, operation::text, changed, batch_id, ordinal FROM ({arms}) c
                ORDER BY batch_id DESC, ordinal DESC LIMIT %s""",
            [*given, CHANGES],
        )
        rows = cursor.fetchall()
        items: Counter[UUID] = Counter(row[0] for row in rows)
        top = [(item, count) for item, count in items.most_common(_TOP) if count > 1]
        cursor.execute(
            f"""SELECT DISTINCT ON (item) item, keys::text FROM ({arms}) c
                WHERE item = ANY(%s) ORDER BY item""",
            [*given, [item for item, _ in top]],
        )
        keys = {item: text.encode() for item, text in cursor.fetchall()}
    return Hot(
        looked_at=len(rows),
        known=sum(row[2] is not None for row in rows),
        items=[HotItem(keys[item], count, count / len(rows)) for item, count in top],
        fields=_fields([(OPERATION_NAME[row[1]], row[2]) for row in rows]),
    )


def _fields(rows: list[tuple[str, list[str] | None]]) -> list[HotField]:
    """The fields of MODIFYs: every field of an INSERT is new, which says nothing."""
    changed = [names for operation, names in rows if operation == MODIFY and names]
    touched: Counter[str] = Counter(name for names in changed for name in names)
    alone: Counter[str] = Counter(names[0] for names in changed if len(names) == 1)
    return [HotField(name, count, alone[name]) for name, count in touched.most_common(_TOP)]
