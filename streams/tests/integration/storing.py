"""Short ways to store changes, look at what is stored, and work in several connections."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import connection

from streams.change import Change, microseconds
from streams.models import Batch, Shard, Stream
from streams.queries.rows import StoredChange, fetch
from streams.stages.store import ReadBatch, Tail, Target, store

T = TypeVar("T")


def target_of(shard: Shard, token: int = 1) -> Target:
    """The shard, leased with this token."""
    Shard.objects.filter(pk=shard.pk).update(lease_token=token)
    return Target(shard.stream, shard.pk, shard.generation, token)


def tail_of(shard: Shard) -> Tail:
    row = Shard.objects.get(pk=shard.pk)
    return Tail(row.position, row.number, bytes(row.digest))


def batch_of(*changes: Change, **fields: Any) -> ReadBatch:
    sequences = [change.sequence for change in changes] or [""]
    given: dict[str, Any] = {
        "changes": changes,
        "poison": [],
        "first_sequence": sequences[0],
        "last_sequence": sequences[-1],
        "before_start": 0,
        "repeated": 0,
        "ended": False,
        **fields,
    }
    return ReadBatch(**given)


def store_in(shard: Shard, *changes: Change, **fields: Any) -> Tail:
    """Store changes as the shard's next batch."""
    return store(target_of(shard), tail_of(shard), batch_of(*changes, **fields))


def last_batch(shard: Shard) -> Batch:
    return Batch.objects.filter(shard=shard).latest("number")


def stored_in(stream: Stream) -> list[StoredChange]:
    """What is stored of a stream, in the order of storing."""
    return fetch("WHERE c.stream_id = %s ORDER BY c.batch_id, c.ordinal", [stream.pk])


def terms_in(stream: Stream) -> list[tuple[int, ...]]:
    """What each change of a stream is indexed by, in the order of storing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(terms, '{}') FROM streams_change WHERE stream_id = %s
               ORDER BY batch_id, ordinal""",
            [stream.pk],
        )
        return [tuple(row[0]) for row in cursor.fetchall()]


def as_change(row: StoredChange) -> Change:
    """The change that was stored as this row, but for its terms."""
    other = ("occurred", "item", "terms")
    same = {name: getattr(row, name) for name in Change.__struct_fields__ if name not in other}
    return Change(occurred=microseconds(row.occurred_at), item=row.item.bytes, **same)


def in_threads(*work: Callable[[], T]) -> list[T]:
    """Do it all at once, each in a connection of its own; the results, or the first error."""
    with ThreadPoolExecutor(len(work)) as pool:
        return [done.result() for done in [pool.submit(alone, each) for each in work]]


def alone(work: Callable[[], T]) -> T:
    try:
        return work()
    finally:
        connection.close()
