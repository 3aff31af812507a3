"""All streams at a glance: for the overview, the API and `manage.py status`.

Reads roll-ups only (shards, the ledger's last minute, problems): nothing counts changes, nothing
calls the source.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from streams import state
from streams.models import Gap, Heartbeat, Poller

# Problems that stop a stream from being read until somebody mends them.
_BLOCKING = (
    *("access-denied", "options", "refused", "stream-off", "table-missing", "wrong-region"),
    "unreachable",
)
# A gap this new makes the stream's state; older ones stay on its pages.
_NEW_GAP = timedelta(minutes=5)
_BEAT_LATE = timedelta(seconds=15)


@dataclass(frozen=True)
class StreamStatus:
    """One stream. `rate` is changes a second over the last minute; `lag_seconds` None before the
    first read."""

    id: int
    name: str
    source: str
    table: str
    view_type: str
    state: str
    level: str
    sentence: str
    lag_seconds: float | None
    shards_open: int
    shards: int
    changes: int
    rate: float
    last_change_at: datetime | None
    stored_at: datetime | None
    problems: int


@dataclass(frozen=True)
class System:
    """The installation itself: `level` is ok or bad."""

    level: str
    sentence: str


_STATUSES = """
    WITH shard AS (
        SELECT s.stream_id, count(*) AS shards,
               count(*) FILTER (WHERE s.ended_at IS NULL) AS unfinished,
               sum(s.changes) AS changes, max(s.newest_change_at) AS last_change_at,
               max(s.last_stored_at) AS stored_at,
               -- only shards whose turn it is; one whose turn has just come is counted from there
               bool_or(r.readable AND r.read_at IS NULL) AS some_unread,
               min(r.read_at) FILTER (WHERE r.readable) AS read_at,
               min(r.complete_at) FILTER (WHERE r.readable) AS complete_at
        FROM streams_shard s LEFT JOIN streams_shard p ON p.id = s.parent_id,
             LATERAL (
                 SELECT max(o.ended_at) AS ended_at,
                        coalesce(bool_and(o.ended_at IS NOT NULL), true) AS over
                 FROM streams_shard o
                 WHERE o.stream_id = s.stream_id AND o.generation < s.generation
             ) o,
             LATERAL (
                 SELECT s.ended_at IS NULL AND (p.id IS NULL OR p.ended_at IS NOT NULL) AND o.over
                            AS readable,
                        coalesce(s.last_read_at, p.ended_at, o.ended_at) AS read_at,
                        coalesce(greatest(s.caught_up_at, s.newest_change_at),
                                 greatest(p.caught_up_at, p.newest_change_at)) AS complete_at
             ) r
        GROUP BY s.stream_id
    ), minute AS (
        SELECT stream_id, sum(inserts + modifies + removes) AS changes
        FROM streams_batch WHERE stored_at > clock_timestamp() - interval '1 minute'
        GROUP BY stream_id
    ), problem AS (
        SELECT DISTINCT ON (stream_id) stream_id, sentence, fix, kind,
               count(*) OVER (PARTITION BY stream_id) AS open
        FROM streams_problem WHERE resolved_at IS NULL
        ORDER BY stream_id, (kind = ANY(%s)) DESC, last_seen DESC
    ), gap AS (
        SELECT DISTINCT ON (stream_id) stream_id, reason, from_at, to_at
        FROM streams_gap WHERE detected_at > clock_timestamp() - make_interval(secs => %s)
        ORDER BY stream_id, detected_at DESC
    )
    SELECT st.id, st.name, st.source, st.options, st.view_type, st.created_at, st.paused_at,
           st.paused_by, coalesce(shard.shards, 0) AS shards,
           coalesce(shard.unfinished, 0) AS unfinished, coalesce(shard.changes, 0) AS changes,
           shard.last_change_at, shard.stored_at,
           CASE WHEN NOT shard.some_unread THEN shard.read_at END AS read_at, shard.complete_at,
           coalesce(minute.changes, 0) AS minute, coalesce(problem.open, 0) AS problems,
           problem.sentence, problem.fix, problem.kind,
           gap.reason, gap.from_at, gap.to_at, clock_timestamp() AS now
    FROM streams_stream st
    LEFT JOIN shard ON shard.stream_id = st.id LEFT JOIN minute ON minute.stream_id = st.id
    LEFT JOIN problem ON problem.stream_id = st.id LEFT JOIN gap ON gap.stream_id = st.id
    ORDER BY st.name
"""


def statuses() -> list[StreamStatus]:
    """Every stream, the worst first."""
    cause = system()
    with connection.cursor() as cursor:
        cursor.execute(_STATUSES, [list(_BLOCKING), _NEW_GAP.total_seconds()])
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    found = [_status(row, "" if cause.level == "ok" else cause.sentence) for row in rows]
    return sorted(found, key=lambda status: state.ORDER.index(status.state))


def system() -> System:
    """Whether workers and beat are alive, by their clocks in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    if not Poller.objects.filter(expires_at__gt=now).exists():
        return System(
            "bad",
            "No worker is reading. Start one: celery -A dashboard worker -Q poll,work "
            "(or make up).",
        )
    beat = Heartbeat.objects.filter(name="beat").first()
    if beat is None or now - beat.seen_at > _BEAT_LATE:
        return System(
            "bad",
            "Beat is not running, so nothing revives what stops. Start: celery -A dashboard beat.",
        )
    return System("ok", "Workers and beat are running.")


def _status(row: dict[str, Any], system_cause: str) -> StreamStatus:
    judged = state.state_of(
        state.Facts(
            now=row["now"],
            created_at=row["created_at"],
            paused_at=row["paused_at"],
            paused_by=row["paused_by"],
            shards=row["shards"],
            open_shards=row["unfinished"],
            read_at=row["read_at"],
            complete_at=row["complete_at"],
            last_change_at=row["last_change_at"],
            cause=f"{row['sentence'] or ''} {row['fix'] or ''}".strip(),
            blocking_cause=row["kind"] in _BLOCKING,
            gap=_gap_sentence(row),
            system_cause=system_cause,
        )
    )
    return StreamStatus(
        id=row["id"],
        name=row["name"],
        source=row["source"],
        table=_options(row["options"]).get("table", ""),
        view_type=row["view_type"],
        state=judged.code,
        level=judged.level,
        sentence=judged.sentence,
        lag_seconds=None if judged.lag is None else round(judged.lag.total_seconds(), 1),
        shards_open=row["unfinished"],
        shards=row["shards"],
        changes=int(row["changes"]),
        rate=round(int(row["minute"]) / 60, 1),
        last_change_at=row["last_change_at"],
        stored_at=row["stored_at"],
        problems=row["problems"],
    )


def _gap_sentence(row: dict[str, Any]) -> str:
    if not row["reason"]:
        return ""
    begin = f"{row['from_at']:%H:%M:%S}" if row["from_at"] else "an unknown time"
    return (
        f"Changes between {begin} and {row['to_at']:%H:%M:%S} UTC may be missing: "
        f"{Gap.Reason(row['reason']).label}. Reading goes on."
    )


def _options(value: Any) -> dict[str, str]:
    # Django's raw cursor gives jsonb as text, so that its own field can decode it.
    options: dict[str, str] = json.loads(value)
    return options
