"""The last hour of every stream by the minute, for the overview's small charts.

The numbers of series.py, but as plain rows: with 200 streams they are 36,000 numbers each two
seconds, for which an object each is too much.
"""

from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connection

from streams.queries.series import MOST_REST

MINUTES = 60


class Hour(NamedTuple):
    """Changes by the minute, the oldest first; the last minute is the one that is not over."""

    inserts: tuple[int, ...]
    modifies: tuple[int, ...]
    removes: tuple[int, ...]

    def totals(self) -> list[int]:
        return [sum(minute) for minute in zip(*self, strict=True)]


NO_CHANGE = Hour((0,) * MINUTES, (0,) * MINUTES, (0,) * MINUTES)

_HOUR = """
    WITH begun AS (
        SELECT date_trunc('minute', clock_timestamp(), 'UTC') - %(span)s AS at
    ), part AS (
        SELECT m.stream_id, m.at, inserts, modifies, removes
        FROM begun, streams_stream st CROSS JOIN LATERAL (
            SELECT * FROM streams_minute m WHERE m.stream_id = st.id AND m.at >= begun.at) m
        UNION ALL
        SELECT stream_id, date_trunc('minute', stored_at, 'UTC'), inserts, modifies, removes
        FROM begun, (
            (SELECT * FROM streams_batch WHERE feed_position IS NULL)
            UNION ALL
            (SELECT * FROM streams_batch
             WHERE feed_position > coalesce((SELECT position FROM streams_rollhead WHERE id = 1), 0)
             ORDER BY feed_position DESC LIMIT %(rest)s)
        ) rest
        WHERE stored_at >= begun.at
    )
    SELECT stream_id, array_agg((date_part('epoch', part.at - begun.at) / 60)::int),
           array_agg(inserts), array_agg(modifies), array_agg(removes)
    FROM part, begun GROUP BY stream_id
"""


def last_hour() -> dict[int, Hour]:
    """The last hour of each stream; one that stored nothing is left out."""
    given: dict[str, Any] = {"span": timedelta(minutes=MINUTES - 1), "rest": MOST_REST}
    with connection.cursor() as cursor:
        cursor.execute(_HOUR, given)
        return {stream: _spread(*columns) for stream, *columns in cursor.fetchall()}


def together(hours: list[Hour]) -> Hour:
    """The sum of several streams' hours."""
    operations = zip(*hours, strict=True)
    return Hour(*(tuple(map(sum, zip(*rows, strict=True))) for rows in operations))


def _spread(places: list[int], inserts: list[int], modifies: list[int], removes: list[int]) -> Hour:
    """Each number in its minute; a minute may come in several parts, or not at all."""
    hour = [[0] * MINUTES, [0] * MINUTES, [0] * MINUTES]
    for place, inserted, modified, removed in zip(places, inserts, modifies, removes, strict=True):
        hour[0][place] += inserted
        hour[1][place] += modified
        hour[2][place] += removed
    return Hour(*map(tuple, hour))
