"""Numbers over time: changes and lags, from the minute roll-up and, for what is not rolled up yet,
from the ledger. Both are read in one snapshot, so every batch counts exactly once.

A stretch is as long as a minute at least; times are when batches were stored.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from streams.bins import Bin
from streams.change import INSERT, MODIFY, REMOVE
from streams.models import FeedHead, RollHead

_MINUTE = timedelta(minutes=1)
_ALMOST = _MINUTE - timedelta(microseconds=1)
# Beat rolls up every few seconds. While it catches up with a longer rest than this, the newest so
# many batches are counted and the pages say that older ones will follow (`rest`).
MOST_REST = 20_000

# A batch's lags in seconds; clocks differ a little, but no lag is below zero.
_SOURCE_LAG = "greatest(0, extract(epoch FROM stored_at - newest_change_at))"
_PIPELINE_LAG = "greatest(0, extract(epoch FROM stored_at - read_at))"
# What a minute's row is of its batches, in its columns' order.
SUMS = f"""count(*), sum(inserts), sum(modifies), sum(removes), sum(repeated), sum(poison),
           sum(size), max({_SOURCE_LAG}) FILTER (WHERE newest_change_at IS NOT NULL),
           max({_PIPELINE_LAG})"""

_COLUMNS = "batches, inserts, modifies, removes, repeated, poison, size, source_lag, pipeline_lag"
_SERIES = f"""
    WITH part AS (
        SELECT m.stream_id, m.at, {_COLUMNS}
        FROM streams_stream st CROSS JOIN LATERAL (
            SELECT * FROM streams_minute m
            WHERE m.stream_id = st.id AND m.at >= %(since)s AND m.at < %(until)s) m
        WHERE %(streams)s::bigint[] IS NULL OR st.id = ANY(%(streams)s)
        UNION ALL
        SELECT stream_id, date_trunc('minute', stored_at, 'UTC'), {SUMS}
        FROM (
            (SELECT * FROM streams_batch WHERE feed_position IS NULL)
            UNION ALL
            (SELECT * FROM streams_batch
             WHERE feed_position > coalesce((SELECT position FROM streams_rollhead WHERE id = 1), 0)
             ORDER BY feed_position DESC LIMIT %(rest)s)
        ) rest
        WHERE stored_at >= %(since)s AND stored_at < %(until)s
          AND (%(streams)s::bigint[] IS NULL OR stream_id = ANY(%(streams)s))
        GROUP BY 1, 2
    )
    SELECT stream_id, floor(date_part('epoch', at - %(since)s) / %(step)s)::int AS place,
           sum(batches)::bigint, sum(inserts)::bigint, sum(modifies)::bigint, sum(removes)::bigint,
           sum(repeated)::bigint, sum(poison)::bigint, sum(size)::bigint, max(source_lag),
           max(pipeline_lag)
    FROM part GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Stretch:
    """What one stream stored in one bin's time. Lags are the worst, in seconds; None if nothing
    was stored that has one."""

    bin: Bin
    batches: int = 0
    repeated: int = 0
    poison: int = 0
    size: int = 0
    source_lag: float | None = None
    pipeline_lag: float | None = None


def stretches(
    streams: Collection[int] | None, since: datetime, until: datetime, bins: int
) -> dict[int, list[Stretch]]:
    """What each stream (None: all) stored in `bins` equal parts of a time, the oldest first.

    A stream that stored nothing is left out. `since` is rounded down and `until` up to the minute;
    a minute belongs to the part in which it begins.
    """
    since, until = minute(since), minute(until + _ALMOST)
    step = (until - since) / bins
    given: dict[str, Any] = {
        "streams": None if streams is None else list(streams),
        "since": since,
        "until": until,
        "step": step.total_seconds(),
        "rest": MOST_REST,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SERIES, given)
        rows = cursor.fetchall()
    found: dict[int, list[Stretch]] = {}
    for stream, place, batches, inserts, modifies, removes, *more in rows:
        if stream not in found:
            found[stream] = [Stretch(Bin(since + step * number, {})) for number in range(bins)]
        row = found[stream]
        counts = {INSERT: inserts, MODIFY: modifies, REMOVE: removes}
        repeated, poison, size, source_lag, pipeline_lag = more
        row[place] = Stretch(
            Bin(row[place].bin.start, counts),
            *(batches, repeated, poison, size, source_lag, pipeline_lag),
        )
    return found


def rest() -> int:
    """How many batches are not rolled up yet, about; beyond MOST_REST old ones are not counted."""
    head = FeedHead.objects.filter(pk=1).values_list("position", flat=True).first() or 0
    rolled = RollHead.objects.filter(pk=1).values_list("position", flat=True).first() or 0
    return max(0, head - rolled)


def minute(moment: datetime) -> datetime:
    """The beginning of its minute, in UTC."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
