"""What the overview shows beside the streams' states: their shards, gaps, errors, and storage.

Reads roll-ups only, in a fixed number of queries however many streams there are.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from streams import state
from streams.clocks import UNFINISHED
from streams.models import Gap, Stream

GAP_DAYS = 7
# The newest ones; a page says when there are more.
MOST_GAPS = 200
_LATELY = timedelta(hours=1)
# The database's size is asked again after so many seconds: it looks at every file.
_SIZE_SECONDS = 60.0

# Worst first. A shard that is read lately and has little lag is ok; a closed one is drained to its
# end; one whose turn has not come waits for its parent.
OK, LAGGING, BLOCKED, DRAINING, WAITING, PAUSED = "O", "L", "B", "D", "W", "P"
LETTERS = (BLOCKED, LAGGING, DRAINING, WAITING, PAUSED, OK)


@dataclass(frozen=True)
class GapMark:
    """A gap for the timeline; `from_at` None if its begin is not known."""

    stream: str
    reason: str
    from_at: datetime | None
    to_at: datetime
    growing: bool


@dataclass(frozen=True)
class Gaps:
    """The gaps that touch the days from `since` to `now`, newest first, at most MOST_GAPS."""

    marks: list[GapMark]
    more: bool
    since: datetime
    now: datetime


@dataclass(frozen=True)
class Storage:
    """The whole database in bytes, and how long changes are kept: the fewest and the most days, 0
    for ever; (None, None) without streams."""

    size: int
    fewest_days: int | None
    most_days: int | None


_LETTERS = f"""
    SELECT s.stream_id, CASE
        WHEN st.paused_at IS NOT NULL THEN '{PAUSED}'
        WHEN NOT c.readable THEN '{WAITING}'
        WHEN c.read_at IS NULL AND st.created_at > clock_timestamp() - %(starting)s
            THEN '{WAITING}'
        WHEN c.read_at IS NULL OR c.read_at < clock_timestamp() - %(stalled)s THEN '{BLOCKED}'
        WHEN s.closed THEN '{DRAINING}'
        WHEN c.complete_at < clock_timestamp() - %(behind)s THEN '{LAGGING}'
        ELSE '{OK}' END AS letter, count(*)
    FROM ({UNFINISHED}) c JOIN streams_shard s ON s.id = c.id
    JOIN streams_stream st ON st.id = s.stream_id
    GROUP BY 1, 2
"""


def shard_letters() -> dict[int, dict[str, int]]:
    """For each stream how many of its unfinished shards are in which state, the worst first."""
    parameters: dict[str, Any] = {
        "starting": state.STARTING_FOR,
        "stalled": state.STALLED_AFTER,
        "behind": state.BEHIND_AFTER,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LETTERS, parameters)
        rows: Iterable[tuple[int, str, int]] = cursor.fetchall()
    found: dict[int, dict[str, int]] = {}
    for stream, letter, count in sorted(rows, key=lambda row: LETTERS.index(row[1])):
        found.setdefault(stream, {})[letter] = count
    return found


def errors_lately() -> dict[int, int]:
    """For each stream how many of its problems were seen in the last hour."""
    parameters: list[Any] = [_LATELY]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT stream_id, count(*) FROM streams_problem
               WHERE last_seen > clock_timestamp() - %s AND stream_id IS NOT NULL
               GROUP BY stream_id""",
            parameters,
        )
        return dict(cursor.fetchall())


def gaps_lately() -> Gaps:
    """The gaps of the last days; those that turned out harmless are left out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    since = now - timedelta(days=GAP_DAYS)
    rows = list(
        Gap.objects.filter(harmless_at=None, to_at__gt=since)
        .order_by("-to_at")
        .values_list("stream__name", "reason", "from_at", "to_at", "growing")[: MOST_GAPS + 1]
    )
    marks = [
        GapMark(name, str(Gap.Reason(reason).label), from_at, to_at, growing)
        for name, reason, from_at, to_at, growing in rows
    ]
    return Gaps(marks[:MOST_GAPS], len(marks) > MOST_GAPS, since, now)


def storage() -> Storage:
    """How much is stored, as of a minute ago at most."""
    kept = [days or 0 for days in Stream.objects.values_list("keep_days", flat=True).distinct()]
    limited = [days for days in kept if days]
    fewest = min(limited) if limited else (0 if kept else None)
    most = 0 if 0 in kept else max(kept, default=None)
    return Storage(_size(), fewest, most)


_sized: tuple[float, int] = (float("-inf"), 0)


def _size() -> int:
    global _sized
    if time.monotonic() - _sized[0] > _SIZE_SECONDS:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            _sized = (time.monotonic(), cursor.fetchone()[0])
    return _sized[1]
