"""Problems: every error becomes one row per fingerprint, and is resolved when its cause is gone."""

from datetime import timedelta
from typing import Any

from django.db import connection

from streams.errors import SourceError
from streams.models import Problem, Stream

# Kinds that a good read or listing does not disprove: stages/watch.py resolves them.
WATCHED = ("loss-near", "unread", "too-many-readers")
# Seen again within this time after it was gone by itself, a problem goes on as it was: one that
# comes and goes every second is no news each time, and must not fill its timeline.
SAME_AGAIN = timedelta(minutes=10)

# One statement, because several pollers may meet the same problem at the same moment, and because
# each page that fails makes a report. A sighting is news (`back`) if somebody had resolved the
# problem, if it had been gone for a while, or if it was ignored until now: then it has regressed,
# and its timeline says so.
_REPORT = """
    WITH before AS (
        SELECT resolved_at, resolved_by FROM streams_problem WHERE fingerprint = %(fingerprint)s
    ), seen AS (
        INSERT INTO streams_problem AS p (fingerprint, stream_id, kind, sentence, fix,
                                          first_seen, last_seen, count, stage)
        SELECT %(fingerprint)s, %(stream)s, %(kind)s, %(sentence)s, %(fix)s, now, now, 1, %(stage)s
        FROM (SELECT clock_timestamp() AS now) clock
        ON CONFLICT (fingerprint) DO UPDATE SET
            (sentence, fix, stage) = (
                SELECT p.sentence, p.fix, p.stage
                WHERE p.resolved_at IS NULL AND p.stage > excluded.stage
                UNION ALL SELECT excluded.sentence, excluded.fix, excluded.stage LIMIT 1),
            (regressed_at, acknowledged_at, ignored_until, ignored_count) = (
                SELECT CASE WHEN back THEN excluded.last_seen ELSE p.regressed_at END,
                       CASE WHEN NOT back THEN p.acknowledged_at END,
                       CASE WHEN NOT back THEN p.ignored_until END,
                       CASE WHEN NOT back THEN p.ignored_count END
                FROM (
                    SELECT coalesce(
                        CASE WHEN p.ignored_until IS NULL AND p.ignored_count IS NULL
                             THEN p.resolved_by <> ''
                                  OR p.resolved_at < excluded.last_seen - %(same)s
                             ELSE p.ignored_until <= excluded.last_seen
                                  OR p.count + 1 > p.ignored_count END, false) AS back) news),
            last_seen = excluded.last_seen, resolved_at = NULL, resolved_by = '',
            count = p.count + 1
        RETURNING id, last_seen, regressed_at = last_seen AS back
    ), timeline AS (
        INSERT INTO streams_problemevent (problem_id, at, who, what, note)
        SELECT seen.id, event.at, '', event.what, ''
        FROM seen LEFT JOIN before ON true, LATERAL (VALUES
            (CASE WHEN before.resolved_by = '' THEN before.resolved_at END, 'resolved'),
            (seen.last_seen, 'regressed')) event(at, what)
        WHERE seen.back AND event.at IS NOT NULL
    )
    SELECT id FROM seen
"""


def report(
    kind: str,
    sentence: str,
    fix: str = "",
    *,
    stream: Stream | None = None,
    about: str = "",
    stage: int = 0,
) -> int:
    """Note a problem: a new one, or one more sighting of it. Returns its id.

    `about` tells two problems of one kind and stream apart (a shard's name, say). The text of an
    open problem's higher stage stays.
    """
    given: dict[str, Any] = {
        "fingerprint": f"{stream.pk if stream else 0}:{kind}:{about}"[:300],
        "stream": stream.pk if stream else None,
        "kind": kind,
        "sentence": sentence,
        "fix": fix,
        "stage": stage,
        "same": SAME_AGAIN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REPORT, given)
        return int(cursor.fetchone()[0])


def report_error(error: SourceError, *, stream: Stream, about: str = "") -> int:
    return report(error.kind, error.sentence, error.fix, stream=stream, about=about)


def resolve(*, stream: Stream, kinds: list[str] | None = None, about: str | None = None) -> int:
    """Mark open problems of a stream as gone; returns how many there were. Without `kinds`, those
    that a good read or listing disproves."""
    problems = Problem.objects.filter(stream=stream, resolved_at__isnull=True)
    if kinds is None:
        problems = problems.exclude(kind__in=WATCHED)
    else:
        problems = problems.filter(kind__in=kinds)
    if about is not None:
        problems = problems.filter(fingerprint__endswith=f":{about}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    return problems.update(resolved_at=now)
