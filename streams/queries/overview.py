"""All streams at a glance: for the overview, the API and `manage.py status`.

Reads roll-ups only (shards, the ledger's last minutes, problems): nothing counts changes, nothing
calls the source.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from streams import state
from streams.clocks import NONE_UNFINISHED, TURN
from streams.models import Gap
from streams.queries.services import refusal
from streams.queries.trend import earlier_lags
from streams.sources.registry import RETENTION

# Problems that stop a stream from being read until somebody mends them.
BLOCKING = (
    *("access-denied", "options", "refused", "stream-off", "table-missing", "wrong-region"),
    "unreachable",
)
# Problems that follow from not being read, and so explain nothing.
CONSEQUENCES = ("loss-near", "unread")
# A gap this new makes the stream's state; older ones stay on its pages.
NEW_GAP = timedelta(minutes=5)
_BEAT_LATE = timedelta(seconds=15)
# What is wrong, and what to do.
NO_WORKER = (
    "No worker is reading.",
    "Start one: celery -A dashboard worker -Q poll,work (or make up).",
)
NO_BEAT = (
    "Beat is not running, so nothing revives what stops.",
    "Start: celery -A dashboard beat.",
)


@dataclass(frozen=True)
class StreamStatus:
    """One stream. `rate` is changes a second over the last minute; `lag_seconds` None before the
    first read; `time_left_seconds` until the source may delete unread changes, None if everything
    was proven read lately; `read_seconds` since the last successful read of the shard that was
    read the longest ago; `account` and `region` "" where they are not known yet; `blocked_by` the
    kind of the open problem that keeps it from being read, "" if none is known; `stands_still` that
    it should be read and is not, and `paused` that an operator wants so, whatever worse the state
    tells."""

    id: int
    name: str
    source: str
    table: str
    account: str
    region: str
    view_type: str
    state: str
    level: str
    sentence: str
    lag_seconds: float | None
    time_left_seconds: float | None
    read_seconds: float | None
    shards_open: int
    shards: int
    changes: int
    rate: float
    last_change_at: datetime | None
    stored_at: datetime | None
    problems: int
    blocked_by: str
    stands_still: bool
    paused: bool


@dataclass(frozen=True)
class System:
    """The installation itself: `level` is ok or bad."""

    level: str
    sentence: str


_STATUSES = f"""
    WITH shard AS (
        SELECT stream_id, count(*) AS shards,
               count(*) FILTER (WHERE ended_at IS NULL) AS unfinished,
               sum(changes) AS changes, max(newest_change_at) AS last_change_at,
               max(last_stored_at) AS stored_at, max(ended_at) AS ended_at
        FROM streams_shard GROUP BY stream_id
    ), turn AS ({TURN}
    ), unread AS (
        -- only shards whose turn it is; one whose turn has just come is counted from there
        SELECT stream_id, count(*) AS readable, bool_or(read_at IS NULL) AS some_unread,
               count(*) FILTER (WHERE read_at IS NULL OR read_at < clock_timestamp() - %(stalled)s)
                   AS late,
               min(read_at) AS read_at, min(complete_at) AS complete_at,
               min(unread_from) AS unread_from,
               (array_agg(id ORDER BY complete_at))[1] AS last_id
        FROM turn GROUP BY stream_id
    ), minute AS (
        SELECT stream_id, sum(inserts + modifies + removes) AS changes
        FROM streams_batch WHERE stored_at > (SELECT clock_timestamp() - interval '1 minute')
        GROUP BY stream_id
    ), problem AS (
        SELECT DISTINCT ON (stream_id) stream_id, sentence, fix, kind,
               count(*) OVER (PARTITION BY stream_id) AS open
        FROM streams_problem WHERE resolved_at IS NULL
        ORDER BY stream_id, (kind = ANY(%(blocking)s)) DESC, (kind = ANY(%(consequences)s)),
                 last_seen DESC
    ), gap AS (
        SELECT DISTINCT ON (stream_id) stream_id, reason, from_at, to_at, growing
        FROM streams_gap
        WHERE harmless_at IS NULL AND (growing OR detected_at > clock_timestamp() - %(new)s)
        ORDER BY stream_id, growing DESC, detected_at DESC
    )
    SELECT st.id, st.name, st.source, st.options, st.arn, st.view_type, st.created_at, st.paused_at,
           st.paused_by, coalesce(shard.shards, 0) AS shards,
           coalesce(shard.unfinished, 0) AS unfinished, coalesce(shard.changes, 0) AS changes,
           shard.last_change_at, shard.stored_at, coalesce(unread.readable, 0) AS readable,
           coalesce(unread.late, 0) AS late, unread.last_id,
           -- without an unfinished shard: until a listing last showed that there is no other
           CASE WHEN shard.unfinished = 0 THEN greatest(shard.ended_at, st.discovered_at)
                WHEN NOT unread.some_unread THEN unread.read_at END AS read_at,
           unread.complete_at,
           CASE WHEN shard.unfinished > 0 THEN unread.unread_from ELSE {NONE_UNFINISHED} END
               AS unread_from,
           coalesce(minute.changes, 0) AS minute, coalesce(problem.open, 0) AS problems,
           problem.sentence, problem.fix, problem.kind,
           gap.reason, gap.from_at, gap.to_at, gap.growing, clock_timestamp() AS now
    FROM streams_stream st
    LEFT JOIN shard ON shard.stream_id = st.id LEFT JOIN unread ON unread.stream_id = st.id
    LEFT JOIN minute ON minute.stream_id = st.id
    LEFT JOIN problem ON problem.stream_id = st.id LEFT JOIN gap ON gap.stream_id = st.id
    ORDER BY st.name
"""


def statuses(health: System | None = None) -> list[StreamStatus]:
    """Every stream, the worst first; `health` if it was asked already."""
    rows = _rows()
    earlier = earlier_lags([row["last_id"] for row in rows if is_behind(row)])
    health = health or system()
    cause = "" if health.level == "ok" else health.sentence
    found = [_status(row, cause, earlier.get(row["last_id"])) for row in rows]
    return sorted(found, key=lambda status: state.ORDER.index(status.state))


def _rows() -> list[dict[str, Any]]:
    parameters: dict[str, Any] = {
        "stalled": state.STALLED_AFTER,
        "blocking": list(BLOCKING),
        "consequences": list(CONSEQUENCES),
        "new": NEW_GAP,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STATUSES, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def is_behind(row: dict[str, Any]) -> bool:
    complete_at = row["complete_at"]
    return complete_at is not None and row["now"] - complete_at > state.BEHIND_AFTER


class SignsOfLife(NamedTuple):
    """Whether some worker reads, and whether beat runs."""

    reading: bool
    beating: bool


def signs_of_life() -> SignsOfLife:
    """By their clocks in the database."""
    late: Any = _BEAT_LATE  # Django's stubs do not know that an interval may be asked for
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT 1 FROM streams_poller WHERE expires_at > clock_timestamp()),
                      EXISTS (SELECT 1 FROM streams_heartbeat
                              WHERE name = 'beat' AND seen_at >= clock_timestamp() - %s)""",
            [late],
        )
        return SignsOfLife(*cursor.fetchone())


def system() -> System:
    """Whether workers and beat are alive."""
    signs = signs_of_life()
    if not all(signs) and (why := refusal()):
        return System("bad", why)
    if not signs.reading:
        return System("bad", " ".join(NO_WORKER))
    if not signs.beating:
        return System("bad", " ".join(NO_BEAT))
    return System("ok", "Workers and beat are running.")


def judge(
    row: dict[str, Any],
    source: str,
    system_cause: str,
    earlier: tuple[timedelta, datetime] | None,
    **more: str,
) -> state.State:
    """The state of a stream's row, or of a shard's, which has the same columns; `more` are facts
    that only a shard has."""
    same = (
        *("now", "created_at", "paused_at", "paused_by", "readable", "late", "read_at"),
        *("complete_at", "unread_from", "last_change_at"),
    )
    known: dict[str, Any] = {name: row[name] for name in same}
    known["gap"] = gap_sentence(row) if row["reason"] else ""
    facts = state.Facts(
        **{**known, **more},
        retention=RETENTION[source],
        cause=cause_of(row),
        blocking_cause=row["kind"] in BLOCKING,
        system_cause=system_cause,
        earlier=earlier,
    )
    return state.state_of(facts)


def _status(
    row: dict[str, Any], system_cause: str, earlier: tuple[timedelta, datetime] | None
) -> StreamStatus:
    judged = judge(row, row["source"], system_cause, earlier)
    options = _options(row["options"])
    return StreamStatus(
        id=row["id"],
        name=row["name"],
        source=row["source"],
        table=options.get("table", ""),
        account=_part(row["arn"], 4),
        region=_part(row["arn"], 3) or options.get("region", ""),
        view_type=row["view_type"],
        state=judged.code,
        level=judged.level,
        sentence=judged.sentence,
        lag_seconds=seconds(judged.lag),
        time_left_seconds=seconds(judged.time_left),
        read_seconds=seconds(row["read_at"] and row["now"] - row["read_at"]),
        shards_open=row["unfinished"],
        shards=row["shards"],
        changes=int(row["changes"]),
        rate=round(int(row["minute"]) / 60, 1),
        last_change_at=row["last_change_at"],
        stored_at=row["stored_at"],
        problems=row["problems"],
        blocked_by=row["kind"] if row["kind"] in BLOCKING else "",
        stands_still=judged.stands_still,
        paused=row["paused_at"] is not None,
    )


def cause_of(row: dict[str, Any]) -> str:
    """The problem of a row in a sentence, with what to do; "" if it explains nothing."""
    if row["kind"] is None or row["kind"] in CONSEQUENCES:
        return ""
    sentence = row["sentence"].rstrip()
    end = "" if sentence.endswith((".", "!", "?")) else "."
    return f"{sentence}{end} {row['fix']}".strip()


def gap_sentence(row: dict[str, Any]) -> str:
    """What may be missing, and whether that goes on."""
    begin = f"{row['from_at']:%Y-%m-%d %H:%M:%S}" if row["from_at"] else "an unknown time"
    why = Gap.Reason(row["reason"]).label
    if row["growing"]:
        paused = f" Paused by {row['paused_by'] or 'an operator'}." if row["paused_at"] else ""
        return (
            f"Changes since {begin} UTC may be missing: {why}. More are lost every minute until "
            f"it is read again.{paused or ' ' * bool(cause_of(row)) + cause_of(row)}"
        )
    return (
        f"Changes between {begin} and {row['to_at']:%Y-%m-%d %H:%M:%S} UTC may be missing: {why}. "
        "Reading goes on."
    )


def seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span.total_seconds(), 1)


def _options(value: Any) -> dict[str, str]:
    # Django's raw cursor gives jsonb as text, so that its own field can decode it.
    options: dict[str, str] = json.loads(value)
    return options


def _part(arn: str, index: int) -> str:
    """arn:aws:dynamodb:REGION:ACCOUNT:table/…; "" before the source has named it."""
    parts = arn.split(":", 5)
    return parts[index] if len(parts) == 6 else ""
