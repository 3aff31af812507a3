"""Problems: every error becomes one row per fingerprint, and is resolved when its cause is gone."""

from django.db import connection

from streams.errors import SourceError
from streams.models import Problem, Stream

# Kinds that a good read or listing does not disprove: stages/watch.py resolves them.
WATCHED = ("loss-near", "unread", "too-many-readers")


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
    fingerprint = f"{stream.pk if stream else 0}:{kind}:{about}"[:300]
    with connection.cursor() as cursor:
        # One statement, because several pollers may meet the same problem at the same moment.
        cursor.execute(
            """INSERT INTO streams_problem AS p (fingerprint, stream_id, kind, sentence, fix,
                                                 first_seen, last_seen, count, stage)
               VALUES (%s, %s, %s, %s, %s, clock_timestamp(), clock_timestamp(), 1, %s)
               ON CONFLICT (fingerprint) DO UPDATE SET
                   (sentence, fix, stage) = (
                       SELECT p.sentence, p.fix, p.stage
                       WHERE p.resolved_at IS NULL AND p.stage > excluded.stage
                       UNION ALL SELECT excluded.sentence, excluded.fix, excluded.stage LIMIT 1),
                   last_seen = excluded.last_seen, resolved_at = NULL, count = p.count + 1
               RETURNING id""",
            [fingerprint, stream.pk if stream else None, kind, sentence, fix, stage],
        )
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
