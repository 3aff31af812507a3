"""Watch: what nobody reads is told before it is lost, and becomes a gap when it is.

Beat runs it, so it also tells what no poller can: that there is none. Every time is the
database's, and all streams are looked at in one go.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from streams.clocks import NONE_UNFINISHED, TURN
from streams.models import Gap, Stream
from streams.sources.registry import RETENTION
from streams.stages.report import report, resolve
from streams.state import STALLED_AFTER, spell

# Warnings come with so much time left: for DynamoDB, after 12, 20 and 23 hours.
WARNINGS = (timedelta(hours=12), timedelta(hours=4), timedelta(hours=1))
# Caught up, so that a lag that goes up and down a little is not warned of again and again.
_CAUGHT_UP = timedelta(hours=1)
# A loss that was told goes on as another gap only if nothing was read for so long since.
_JUST_TOLD = timedelta(minutes=5)
# How exactly a growing gap's end follows the clock.
_GROWN = timedelta(minutes=1)
# A shard that was read without being throttled for so long has not too many readers any more.
_CALM = timedelta(seconds=30)

_ABOUT = "unread"


def watch() -> None:
    """Warn, write gaps and end them, and resolve what is over."""
    _warn()
    _end_gaps()
    _begin_gaps()
    _resolve()
    _execute(_NOTE)


# The problems page says with it that somebody looked, and when.
_NOTE = """
    INSERT INTO streams_heartbeat (name, seen_at) VALUES ('watch', clock_timestamp())
    ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at
"""


class _Unread(NamedTuple):
    """A stream with old unread changes, or a warning that is open (`stage` 0: none)."""

    stream_id: int
    source: str
    now: datetime
    unread_from: datetime | None
    stage: int


_UNREAD = f"""
    SELECT st.id, st.source, clock_timestamp(), u.unread_from, coalesce(p.stage, 0)
    FROM streams_stream st
    LEFT JOIN (
        SELECT stream_id, min(unread_from) AS unread_from FROM ({TURN}) t GROUP BY stream_id
    ) c ON c.stream_id = st.id
    LEFT JOIN streams_problem p
        ON p.fingerprint = st.id || ':loss-near:{_ABOUT}' AND p.resolved_at IS NULL,
    LATERAL (SELECT CASE WHEN c.stream_id IS NULL THEN {NONE_UNFINISHED}
                         ELSE c.unread_from END AS unread_from) u
    WHERE p.id IS NOT NULL OR u.unread_from < clock_timestamp() - %(first)s
"""


def _warn() -> None:
    """One warning a stream, that says more as time runs out."""
    rows = _execute(_UNREAD, {"first": min(RETENTION.values()) - WARNINGS[0]})
    found = [_Unread(*row) for row in rows]
    streams = Stream.objects.in_bulk([unread.stream_id for unread in found])
    for unread in found:
        stream = streams[unread.stream_id]
        age = unread.now - (unread.unread_from or unread.now)
        left = RETENTION[unread.source] - age
        stage = sum(left <= warning for warning in WARNINGS)
        if stage > unread.stage:
            _report_near(stream, age, left, unread.now, stage)
        elif unread.stage and age < _CAUGHT_UP:
            resolve(stream=stream, kinds=["loss-near"])


def _report_near(
    stream: Stream, age: timedelta, left: timedelta, now: datetime, stage: int
) -> None:
    said = f"Changes of {stream} have been unread for {spell(age)}; AWS "
    if left > timedelta(0):
        said += f"deletes the oldest in {spell(left)}, at {now + left:%Y-%m-%d %H:%M} UTC."
    else:
        said += f"may have deleted those from before {now - age - left:%Y-%m-%d %H:%M} UTC."
    report(
        "loss-near",
        said,
        f"Paused by {stream.paused_by or 'an operator'}: resume it."
        if stream.paused_at
        else "The overview says why it is not read; mend that, and reading goes on by itself.",
        stream=stream,
        about=_ABOUT,
        stage=stage,
    )


_KEPT = "(VALUES {}) AS k(source, kept)"
_BEGIN = f"""
    INSERT INTO streams_gap (stream_id, shard_id, reason, from_sequence, to_sequence, from_at,
                             to_at, detected_at, growing, note)
    SELECT st.id, c.id, '{Gap.Reason.UNREAD}', coalesce(c.position, ''), '',
           -- what was kept when the stream was added was there to be read, unless it begins later
           CASE WHEN b.begun = c.unread_from AND c.unread_from <= st.created_at
                     AND st.start <> '{Stream.Start.LATEST}'
                THEN least(b.begun, coalesce(st.start_at, b.begun - k.kept)) ELSE b.begun END,
           clock_timestamp() - k.kept, clock_timestamp(), true, ''
    FROM streams_stream st JOIN {{kept}} ON k.source = st.source
    LEFT JOIN ({TURN}) c ON c.stream_id = st.id,
    LATERAL (
        -- after a gap that was told already, from its end
        SELECT greatest(max(g.to_at), coalesce(c.unread_from, {NONE_UNFINISHED})) AS begun,
               max(g.to_at) AS told
        FROM streams_gap g
        WHERE g.stream_id = st.id AND g.shard_id IS NOT DISTINCT FROM c.id
          AND g.harmless_at IS NULL AND g.reason <> '{Gap.Reason.NEW_STREAM}'
    ) b
    WHERE b.begun < clock_timestamp() - k.kept
      AND (c.read_at IS NULL OR c.read_at < clock_timestamp() - %(stalled)s)
      AND (b.told IS NULL OR b.told < clock_timestamp() - k.kept - %(told)s)
    ON CONFLICT DO NOTHING RETURNING stream_id, from_at
"""


def _begin_gaps() -> None:
    """The oldest unread changes are older than the source keeps them: from now on they may be
    missing, and more with every minute."""
    lost: dict[int, datetime] = {}
    with transaction.atomic():
        parameters = {"stalled": STALLED_AFTER, "told": _JUST_TOLD}
        for stream_id, from_at in _execute(_BEGIN, parameters):
            lost[stream_id] = min(from_at, lost.get(stream_id, from_at))
        streams = Stream.objects.in_bulk(lost)
        for stream_id, from_at in lost.items():
            report(
                "unread",
                f"Changes of {streams[stream_id]} since {from_at:%Y-%m-%d %H:%M} UTC may be "
                f"missing: {Gap.Reason.UNREAD.label}.",
                "More are lost every minute until it is read again. The gap says from when to "
                "when.",
                stream=streams[stream_id],
                about=_ABOUT,
            )


_GROW = """
    UPDATE streams_gap g SET to_at = clock_timestamp() - k.kept
    FROM streams_stream st JOIN {kept} ON k.source = st.source
    WHERE g.growing AND st.id = g.stream_id AND g.to_at < clock_timestamp() - k.kept - %(grown)s
"""
# What was trimmed has become a gap of that reason by the read that met it (stages/gap.py). So a
# read that succeeded from the position proves that everything was still there.
_HARMLESS = """
    UPDATE streams_gap g SET growing = false, harmless_at = clock_timestamp()
    FROM streams_shard s
    WHERE g.growing AND s.id = g.shard_id
      AND greatest(s.last_read_at, s.last_stored_at) > g.detected_at
"""
# A stream or shard after which nothing was listed has a successor: what was lost is lost.
_LISTED = """
    UPDATE streams_gap g SET growing = false
    WHERE g.growing AND EXISTS (
        SELECT 1 FROM streams_shard s WHERE s.stream_id = g.stream_id AND s.ended_at IS NULL
            AND (g.shard_id IS NULL OR s.parent_id IN (
                SELECT e.id FROM streams_shard e
                WHERE e.id = g.shard_id AND e.ended_at < g.detected_at)))
"""


def _end_gaps() -> None:
    _execute(_HARMLESS)
    _execute(_LISTED)
    _execute(_GROW, {"grown": _GROWN})


def _resolve() -> None:
    """Problems whose cause only shows in the shards' rows."""
    _execute(
        """UPDATE streams_problem p SET resolved_at = clock_timestamp()
           WHERE p.kind = 'unread' AND p.resolved_at IS NULL AND NOT EXISTS (
               SELECT 1 FROM streams_gap g WHERE g.stream_id = p.stream_id AND g.growing)"""
    )
    _execute(
        """UPDATE streams_problem p SET resolved_at = clock_timestamp()
           FROM streams_shard s
           WHERE p.kind = 'too-many-readers' AND p.resolved_at IS NULL
             AND s.stream_id = p.stream_id
             AND p.fingerprint = s.stream_id || ':too-many-readers:' || s.name
             AND (s.ended_at IS NOT NULL OR s.last_read_at > p.last_seen + %(calm)s)""",
        {"calm": _CALM},
    )


def _execute(sql: str, parameters: dict[str, Any] | None = None) -> list[Any]:
    """Run a statement in which `{kept}` is each kind of source with its retention."""
    given: dict[str, Any] = dict(parameters or {})
    for number, (kind, kept) in enumerate(RETENTION.items()):
        given |= {f"kind{number}": kind, f"kept{number}": kept}
    rows = ", ".join(f"(%(kind{n})s, %(kept{n})s::interval)" for n in range(len(RETENTION)))
    with connection.cursor() as cursor:
        cursor.execute(sql.replace("{kept}", _KEPT.format(rows)), given)
        return list(cursor.fetchall()) if cursor.description else []
