"""Too many readers: found from throttling, said in words, with the names of those that are known.

DynamoDB lets two readers share a shard. A third makes all of them slow, and nothing but the
throttling tells.
"""

from typing import TYPE_CHECKING

from django.db import connection

from streams.errors import SourceError
from streams.models import Problem, Stream
from streams.sources.base import PulledSource
from streams.stages.report import report

if TYPE_CHECKING:
    from streams.stages.reading import Reading

_KIND = "too-many-readers"
# Its second step: the source was asked who else reads.
_ASKED = 1


def note_throttled(reading: "Reading") -> None:
    """Write down how much of its reading is throttled, and say so if that is not our doing.

    stages/watch.py resolves the problem when the shard is read without throttling again.
    """
    percent = round(reading.throttled_share * 100)
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE streams_shard SET throttled_at = clock_timestamp(), throttled_percent = %s
               WHERE id = %s""",
            [percent, reading.target.shard_id],
        )
    if reading.crowded:
        report(
            _KIND,
            f"Shard {reading.name} is throttled although Deltawatch asks it only "
            f"{reading.reads_per_second:.1f} times a second: more than two readers share it.",
            _fix(reading.arn),
            stream=reading.target.stream,
            about=reading.name,
        )


def name_readers(stream: Stream, source: PulledSource) -> None:
    """Add to new problems of the stream who else reads it, if the source tells. It is asked once
    for each time a problem appears, and never by a poller."""
    new = Problem.objects.filter(stream=stream, kind=_KIND, resolved_at=None, stage__lt=_ASKED)
    problems = list(new)
    if not problems:
        return
    try:
        others = source.readers(stream.arn)
    except SourceError:
        known = ""  # an optional permission: the advice does without
    else:
        known = f" Known readers: {', '.join(others)}." if others else ""
    for problem in problems:
        new.filter(pk=problem.pk).update(fix=problem.fix + known, stage=_ASKED)


def _fix(arn: str) -> str:
    return (
        "DynamoDB allows two readers a shard. Others may be Lambda triggers, applications with the "
        "Kinesis adapter, a second Deltawatch, or the replication of global tables of the first "
        "kind. List the triggers: aws lambda list-event-source-mappings --event-source-arn "
        f"{arn}. Switch off what is not needed, or let one reader hand the changes on."
    )
