"""A stream's shards, each with its own state: for `manage.py status --shards`, pages and the API.

Reads the shards' rows and the stream's open problems: nothing counts changes, nothing calls the
source.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from streams import state
from streams.clocks import UNFINISHED
from streams.models import Shard, Stream
from streams.queries.overview import (
    BLOCKING,
    NEW_GAP,
    System,
    cause_of,
    is_behind,
    judge,
    seconds,
    system,
)
from streams.queries.trend import earlier_lags

# Beyond this the best ones are left out: those that ended the longest ago.
MOST = 1_000
# A throttled read counts for so long.
_THROTTLED_LATELY = timedelta(minutes=1)


@dataclass(frozen=True)
class ShardStatus:
    """One shard. `read_seconds` is the time since its last successful read, `lag_seconds` and
    `time_left_seconds` as of a stream; `throttled_percent` of its last reads, if any was in the
    last minute; `owner` the poller that has it; `error` its open problem with what to do."""

    name: str
    parent: str
    generation: int
    arn: str
    closed: bool
    owner: str
    position: str
    state: str
    level: str
    sentence: str
    lag_seconds: float | None
    time_left_seconds: float | None
    read_seconds: float | None
    throttled_percent: int
    changes: int
    last_change_at: datetime | None
    error: str


@dataclass(frozen=True)
class ShardStatuses:
    """The worst first; `more` if the stream has more than MOST shards, the best left out."""

    stream: str
    shards: list[ShardStatus]
    more: bool


_SHARDS = f"""
    WITH clock AS ({UNFINISHED}
    ), problem AS (
        SELECT DISTINCT ON (about) about, sentence, fix, kind FROM (
            SELECT *, substr(fingerprint, length(stream_id || ':' || kind || ':') + 1) AS about
            FROM streams_problem WHERE resolved_at IS NULL AND stream_id = %(stream)s
        ) p ORDER BY about, (kind = ANY(%(blocking)s)) DESC, last_seen DESC
    ), gap AS (
        SELECT DISTINCT ON (shard_id) shard_id, reason, from_at, to_at, growing FROM streams_gap
        WHERE stream_id = %(stream)s AND harmless_at IS NULL
          AND (growing OR detected_at > clock_timestamp() - %(new)s)
        ORDER BY shard_id, growing DESC, detected_at DESC
    )
    SELECT s.id, s.name, p.name AS parent, s.generation, s.arn, s.closed, s.listed, s.ended,
           CASE WHEN s.lease_expires_at > clock_timestamp() THEN s.lease_owner ELSE '' END
               AS owner,
           s.position, s.changes, s.newest_change_at AS last_change_at, s.ended_at,
           s.last_read_at, coalesce(c.readable, false)::int AS readable, 0 AS late, c.read_at,
           c.complete_at, c.unread_from,
           CASE WHEN s.throttled_at > clock_timestamp() - %(throttled)s THEN s.throttled_percent
                ELSE 0 END AS throttled_percent,
           own.sentence AS own_sentence, own.fix AS own_fix, own.kind AS own_kind,
           coalesce(own.sentence, general.sentence) AS sentence,
           coalesce(own.fix, general.fix) AS fix, coalesce(own.kind, general.kind) AS kind,
           gap.reason, gap.from_at, gap.to_at, gap.growing, st.created_at, st.paused_at,
           st.paused_by, clock_timestamp() AS now
    FROM streams_shard s JOIN streams_stream st ON st.id = s.stream_id
    LEFT JOIN streams_shard p ON p.id = s.parent_id LEFT JOIN clock c ON c.id = s.id
    LEFT JOIN problem own ON own.about = s.name LEFT JOIN problem general ON general.about = ''
    LEFT JOIN gap ON gap.shard_id = s.id
    WHERE s.stream_id = %(stream)s
    ORDER BY s.ended_at DESC NULLS FIRST, c.readable DESC NULLS LAST, c.unread_from, s.id
    LIMIT %(most)s
"""


def shard_statuses(stream: Stream, health: System | None = None) -> ShardStatuses:
    """Every shard of the stream, the worst first, at most MOST; `health` if that is known."""
    rows = _rows(stream)
    health = health or system()
    cause = "" if health.level == "ok" else health.sentence
    earlier = earlier_lags([row["id"] for row in rows if is_behind(row)])
    found = [_status(row, stream.source, cause, earlier.get(row["id"])) for row in rows[:MOST]]
    found.sort(key=lambda status: state.ORDER.index(status.state))
    return ShardStatuses(stream.name, found, more=len(rows) > MOST)


def _rows(stream: Stream) -> list[dict[str, Any]]:
    parameters: dict[str, Any] = {
        "stream": stream.pk,
        "blocking": list(BLOCKING),
        "new": NEW_GAP,
        "throttled": _THROTTLED_LATELY,
        "most": MOST + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SHARDS, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _status(
    row: dict[str, Any],
    source: str,
    system_cause: str,
    earlier: tuple[timedelta, datetime] | None,
) -> ShardStatus:
    facts = {"waits": _waits(row), "ended": _ended(row)}
    if row["ended"] == Shard.Ended.LOST and not row["reason"]:
        facts["gap"] = _ended(row)
    judged = judge(row, source, system_cause, earlier, **facts)
    last_read = row["last_read_at"]
    return ShardStatus(
        name=row["name"],
        parent=row["parent"] or "",
        generation=row["generation"],
        arn=row["arn"],
        closed=row["closed"],
        owner=row["owner"],
        position=row["position"],
        state=judged.code,
        level=judged.level,
        sentence=judged.sentence,
        lag_seconds=seconds(judged.lag),
        time_left_seconds=seconds(judged.time_left),
        read_seconds=seconds(last_read and row["now"] - last_read),
        throttled_percent=row["throttled_percent"],
        changes=row["changes"],
        last_change_at=row["last_change_at"],
        error=cause_of({name: row[f"own_{name}"] for name in ("kind", "sentence", "fix")}),
    )


def _ended(row: dict[str, Any]) -> str:
    return f"{Shard.Ended(row['ended']).label.capitalize()}." if row["ended_at"] else ""


def _waits(row: dict[str, Any]) -> str:
    if row["readable"] or row["ended_at"]:
        return ""
    if row["parent"]:
        return f"Waits until its parent {row['parent']} is read to its end."
    return "Waits until the shards of the stream's earlier ARN are read to their end."
