"""Roll-up: the ledger by the minute, for charts.

Batches are rolled up in the order of the feed: at or below a feed position nothing can appear
later (stages/publish.py), so one number says what has been counted. One statement adds the batches
to their minutes and moves that number; after a crash either both happened or neither.
"""

import time
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from streams.models import Stream
from streams.queries.series import SUMS

# In one transaction: long enough to be worth it, short enough that nobody waits for its rows.
_SLICE = 5_000
# In one run, so that the rest of the tick has its turn; the next goes on.
_SECONDS = 1.0
# Minutes of a stream that keeps its changes for ever, or for longer, are kept for so long.
KEEP_DAYS = 400
_DELETED_AT_ONCE = 10_000

_ROLL_UP = f"""
    WITH batch AS MATERIALIZED (
        SELECT * FROM streams_batch WHERE feed_position > %(rolled)s
        ORDER BY feed_position LIMIT %(slice)s
    ), added AS (
        INSERT INTO streams_minute AS m (stream_id, at, batches, inserts, modifies, removes,
            repeated, poison, size, source_lag, pipeline_lag)
        SELECT stream_id, date_trunc('minute', stored_at, 'UTC'), {SUMS}
        FROM batch GROUP BY 1, 2
        ON CONFLICT (stream_id, at) DO UPDATE SET
            batches = m.batches + excluded.batches, inserts = m.inserts + excluded.inserts,
            modifies = m.modifies + excluded.modifies, removes = m.removes + excluded.removes,
            repeated = m.repeated + excluded.repeated, poison = m.poison + excluded.poison,
            size = m.size + excluded.size,
            source_lag = greatest(m.source_lag, excluded.source_lag),
            pipeline_lag = greatest(m.pipeline_lag, excluded.pipeline_lag)
    )
    UPDATE streams_rollhead SET position = new.last
    FROM (SELECT max(feed_position) AS last, count(*) AS batches FROM batch) new
    WHERE id = 1 AND new.batches > 0 RETURNING new.batches
"""


def roll_up() -> bool:
    """Add the batches that are new in the feed to their minutes, for about a second.

    True if all are added; False if there are more, or somebody else is at it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO streams_rollhead (id, position) VALUES (1, 0) ON CONFLICT DO NOTHING"
        )
    until = time.monotonic() + _SECONDS
    while (rolled := _roll_up_slice()) == _SLICE and time.monotonic() < until:
        pass
    return rolled is not None and rolled < _SLICE


def _roll_up_slice() -> int | None:
    """How many batches were added; None if somebody else is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        # The lock is what makes it one at a time; the statement after it sees what the one before
        # has committed.
        cursor.execute("SELECT position FROM streams_rollhead WHERE id = 1 FOR UPDATE SKIP LOCKED")
        head = cursor.fetchone()
        if head is None:
            return None
        cursor.execute(_ROLL_UP, {"rolled": head[0], "slice": _SLICE})
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def drop_minutes(stream: Stream) -> int:
    """Delete some of the minutes that are older than the changes that the stream keeps; how many.

    A minute is deleted by when it was stored: it tells of changes that are older still.
    """
    kept = timedelta(days=min(stream.keep_days or KEEP_DAYS, KEEP_DAYS))
    given: list[Any] = [stream.pk, stream.pk, kept, _DELETED_AT_ONCE]
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM streams_minute WHERE stream_id = %s AND at IN (
                   SELECT at FROM streams_minute
                   -- in brackets it is one value, which an index can be asked for
                   WHERE stream_id = %s AND at < (SELECT clock_timestamp() - %s)
                   ORDER BY at LIMIT %s)""",
            given,
        )
        return int(cursor.rowcount)
