"""Problems: every error becomes one row per fingerprint, and is resolved when its cause is gone."""

from django.db import connection

from streams.errors import SourceError
from streams.models import Problem, Stream


def report(
    kind: str, sentence: str, fix: str = "", *, stream: Stream | None = None, about: str = ""
) -> int:
    """Note a problem: a new one, or one more sighting of it. Returns its id.

    `about` tells two problems of one kind and stream apart (a shard's name, say).
    """
    fingerprint = f"{stream.pk if stream else 0}:{kind}:{about}"[:300]
    with connection.cursor() as cursor:
        # One statement, because several pollers may meet the same problem at the same moment.
        cursor.execute(
            """INSERT INTO streams_problem (fingerprint, stream_id, kind, sentence, fix,
                                            first_seen, last_seen, count)
               VALUES (%s, %s, %s, %s, %s, clock_timestamp(), clock_timestamp(), 1)
               ON CONFLICT (fingerprint) DO UPDATE SET
                   sentence = excluded.sentence, fix = excluded.fix,
                   last_seen = excluded.last_seen, resolved_at = NULL,
                   count = streams_problem.count + 1
               RETURNING id""",
            [fingerprint, stream.pk if stream else None, kind, sentence, fix],
        )
        return int(cursor.fetchone()[0])


def report_error(error: SourceError, *, stream: Stream, about: str = "") -> int:
    return report(error.kind, error.sentence, error.fix, stream=stream, about=about)


def resolve(*, stream: Stream, kinds: list[str] | None = None, about: str | None = None) -> int:
    """Mark open problems of a stream as gone; returns how many there were."""
    problems = Problem.objects.filter(stream=stream, resolved_at__isnull=True)
    if kinds is not None:
        problems = problems.filter(kind__in=kinds)
    if about is not None:
        problems = problems.filter(fingerprint__endswith=f":{about}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    return problems.update(resolved_at=now)
