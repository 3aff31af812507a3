"""Retain: make leaves ahead of the changes, and drop those that are past what a stream keeps.

A drop is one transaction: the leaf, its row in `Drop`, and what verify needs of the batches that
lie on its border; after a crash either all of it happened or none. DETACH CONCURRENTLY would wait
for every open transaction and leave a detached leaf behind when it is killed; instead the drop
waits a moment only, and tries again at the next beat if somebody holds the leaf for longer.
"""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta

import psycopg
from django.db import connection, transaction
from django.db.utils import OperationalError

from streams import locks, partitions
from streams.models import Batch, Drop, Remainder, Stream
from streams.partitions import Leaf
from streams.queries import retention
from streams.queries.verify import fits, remainder_digest, stored_of
from streams.stages.roll_up import drop_minutes, roll_up

log = logging.getLogger(__name__)

# Longer than a storing transaction; while a drop waits, the stream's readers wait behind it.
_LOCK_MILLISECONDS = 200
# A stream that nobody read for so long needs no leaf for tomorrow.
_READ_LATELY = timedelta(days=1)
# The ledger is cut in slices, so that no transaction is long, and for a part of each minute.
_SLICE = 1_000
_CUTTING_SECONDS = 20.0


def retain(stream: Stream) -> int:
    """Make and drop what is due; how many leaves were dropped. Safe to run twice or at once."""
    _make_ahead(stream)
    dropped = 0
    if stream.keep_days is not None:
        limits = retention.bounds(stream)
        for leaf in partitions.leaves_of(stream.pk):
            # The oldest first, and none before an older one: so what is kept has no hole.
            if not retention.due(leaf, stream.keep_days, limits) or not drop(stream, leaf):
                break
            dropped += 1
    if Drop.objects.filter(stream=stream).exists():
        roll_up()  # what is not rolled up is not cut
        _cut_ledger(stream)
    drop_minutes(stream)
    return dropped


def drop(stream: Stream, leaf: Leaf) -> bool:
    """Drop a leaf that is due; False if it is not (any more), or somebody holds it."""
    try:
        with transaction.atomic(durable=True):
            return _drop(stream, leaf)
    except OperationalError as error:
        if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise
        # A long read or a dump holds the leaf; whoever stores into it just now goes first too.
        log.info("%s was not dropped yet, because it is in use.", leaf.name)
        return False


def _drop(stream: Stream, leaf: Leaf) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
        if not _alone(stream) or leaf not in partitions.leaves_of(stream.pk):
            return False
        # From here on nobody stores into this leaf, but everybody reads and stores elsewhere.
        cursor.execute(f"LOCK TABLE {leaf.name} IN SHARE MODE")
        stream.refresh_from_db(fields=["keep_days"])
        if not retention.due(leaf, stream.keep_days, retention.bounds(stream)):
            return False
        changes = _note_remainders(leaf)
        cursor.execute("SELECT pg_total_relation_size(%s)", [leaf.name])
        size = cursor.fetchone()[0]
        # What DROP TABLE takes anyway, taken first: so the order is the same as for all others.
        cursor.execute(f"LOCK TABLE {partitions.parent_of(stream.pk)} IN ACCESS EXCLUSIVE MODE")
        Drop.objects.create(
            stream=stream, from_at=leaf.from_at, to_at=leaf.to_at, changes=changes, size=size
        )
        cursor.execute(f"DROP TABLE {leaf.name}")
    return True


def _alone(stream: Stream) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [locks.RETAINING, stream.pk])
        return bool(cursor.fetchone()[0])


def _make_ahead(stream: Stream) -> None:
    """Today's leaf and the next one, so that storing does not wait at midnight."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date FROM streams_shard
               WHERE stream_id = %s AND last_read_at > clock_timestamp() - make_interval(secs => %s)
               LIMIT 1""",
            [stream.pk, _READ_LATELY.total_seconds()],
        )
        row = cursor.fetchone()
    if row:
        today = row[0]
        ahead = timedelta(days=partitions.span_of(stream.keep_days))
        partitions.ensure(stream.pk, [today, today + ahead])


def _note_remainders(leaf: Leaf) -> int:
    """Keep what verify needs of the batches on the leaf's border; how many changes the leaf holds.

    The ledger tells it for every batch that lies inside; nothing counts the leaf.
    """
    inside, across = _batches_of(leaf)
    for batch_id in across:
        batch = Batch.objects.get(pk=batch_id)
        stored = stored_of(batch)
        left = [c for c in stored if not leaf.from_at <= c.occurred_at < leaf.to_at]
        inside += len(stored) - len(left)
        # One that does not fit any more gets no remainder, so that verify goes on saying so.
        if fits(batch, stored):
            kept = {"changes": len(left), "digest": remainder_digest(batch, left)}
            Remainder.objects.update_or_create(batch=batch, defaults=kept)
    return inside


def _batches_of(leaf: Leaf) -> tuple[int, Sequence[int]]:
    """How many changes lie in the batches that the leaf holds whole, and the other batches."""
    with connection.cursor() as cursor:
        # From one batch to the next by the index: a leaf has many changes of each.
        cursor.execute(
            f"""WITH RECURSIVE held AS (
                    (SELECT batch_id FROM {leaf.name} ORDER BY batch_id LIMIT 1)
                    UNION ALL
                    SELECT (SELECT l.batch_id FROM {leaf.name} l
                            WHERE l.batch_id > held.batch_id ORDER BY l.batch_id LIMIT 1)
                    FROM held WHERE held.batch_id IS NOT NULL
                )
                SELECT coalesce(sum(inserts + modifies + removes) FILTER (WHERE inside), 0)::bigint,
                       coalesce(array_agg(id) FILTER (WHERE NOT inside), '{{}}')
                FROM (SELECT b.*, b.oldest_change_at >= %s AND b.newest_change_at < %s AS inside
                      FROM held JOIN streams_batch b ON b.id = held.batch_id) batches""",
            [leaf.from_at, leaf.to_at],
        )
        inside, across = cursor.fetchone()
        return inside, across


def _cut_ledger(stream: Stream) -> None:
    """Delete the batches, from each shard's first on, whose changes were all dropped, and the
    matches of those changes."""
    until = time.monotonic() + _CUTTING_SECONDS
    for shard_id in stream.shards.order_by("pk").values_list("pk", flat=True):
        while _cut_slice(stream, shard_id) == _SLICE:
            if time.monotonic() > until:
                return


# A batch has gone when a drop after its storing held all of it, or left nothing of it; one without
# changes when its time is past all drops'. Beyond the oldest leaf nothing can have gone.
_GONE = """
    SELECT b.id, b.number, b.last_sequence, b.digest, b.newest_change_at,
           b.feed_position <= (SELECT position FROM streams_rollhead WHERE id = 1)
           AND coalesce(b.newest_change_at, b.stored_at) < %(oldest)s
           AND CASE WHEN b.newest_change_at IS NULL THEN
               EXISTS (SELECT 1 FROM streams_drop d WHERE d.stream_id = %(stream)s
                       AND b.stored_at < d.to_at)
           ELSE
               EXISTS (SELECT 1 FROM streams_drop d WHERE d.stream_id = %(stream)s
                       AND b.oldest_change_at >= d.from_at AND b.newest_change_at < d.to_at
                       AND b.stored_at < d.dropped_at)
               OR EXISTS (SELECT 1 FROM streams_remainder r
                          WHERE r.batch_id = b.id AND r.changes = 0)
           END AS gone
    FROM streams_batch b WHERE b.shard_id = %(shard)s ORDER BY b.number LIMIT %(slice)s
"""


def _cut_slice(stream: Stream, shard_id: int) -> int:
    """Delete some batches of a shard's ledger and note where it begins now; how many they were."""
    leaves = partitions.leaves_of(stream.pk)
    oldest = leaves[0].from_at if leaves else None
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        if not _alone(stream):
            return 0
        given = {"oldest": oldest or "infinity", "stream": stream.pk, "shard": shard_id}
        cursor.execute(_GONE, {**given, "slice": _SLICE})
        gone = []
        for *batch, has_gone in cursor.fetchall():
            if not has_gone:
                break
            gone.append(batch)
        if not gone:
            return 0
        ids = [batch[0] for batch in gone]
        newest = max((batch[4] for batch in gone if batch[4]), default=None)
        # An alert keeps its sample; of its matches the count.
        cursor.execute("DELETE FROM streams_match WHERE batch_id = ANY(%s)", [ids])
        cursor.execute("DELETE FROM streams_remainder WHERE batch_id = ANY(%s)", [ids])
        cursor.execute("DELETE FROM streams_batch WHERE id = ANY(%s)", [ids])
        cursor.execute(
            """INSERT INTO streams_cut (shard_id, number, position, digest, newest_change_at)
               VALUES (%s, %s, %s, %s, %s)
               ON CONFLICT (shard_id) DO UPDATE SET number = excluded.number,
                   position = excluded.position, digest = excluded.digest,
                   newest_change_at = greatest(streams_cut.newest_change_at,
                                               excluded.newest_change_at)""",
            [shard_id, *gone[-1][1:4], newest],
        )
        return len(gone)
