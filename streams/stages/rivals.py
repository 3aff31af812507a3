"""Rivals: leases that are held by somebody who is none of our pollers, and who does not read.

A lease keeps everybody else away, and a poller whose lease is taken cannot store; so whoever takes
leases without reading stops a stream, and no poller meets an error that it could report.
"""

from django.db import connection

from streams.models import Problem, Stream
from streams.stages.report import report
from streams.state import STALLED_AFTER

_KIND = "lease-taken"
# Leased, unread for long, and not by who has a seat. A poller that was killed holds its leases a
# few seconds longer, but read until then.
_TAKEN = """
    SELECT s.stream_id, min(s.lease_owner), min(s.name), count(*),
           bool_or(s.lease_expires_at > clock_timestamp())
    FROM streams_shard s JOIN streams_stream st ON st.id = s.stream_id
    WHERE s.ended_at IS NULL AND st.paused_at IS NULL AND s.lease_owner <> ''
      AND coalesce(s.last_read_at, st.created_at) < clock_timestamp() - make_interval(secs => %s)
      AND NOT EXISTS (SELECT 1 FROM streams_poller p
                      WHERE p.owner = s.lease_owner AND p.expires_at > clock_timestamp())
    GROUP BY s.stream_id
"""


def note_rivals() -> None:
    """Report whose leases keep a stream from being read; resolve what is over."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, [STALLED_AFTER.total_seconds()])
        taken = cursor.fetchall()
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    over = Problem.objects.filter(kind=_KIND, resolved_at=None)
    # A lease that has run out this moment may be taken again in the next: not over yet.
    over.exclude(stream_id__in=[row[0] for row in taken]).update(resolved_at=now)
    for stream_id, owner, shard, count, holds in taken:
        if not holds:
            continue
        stream = Stream.objects.get(pk=stream_id)
        more = f" and {count - 1} more" if count > 1 else ""
        report(
            _KIND,
            f"The lease of shard {shard}{more} of {stream} is taken again and again by {owner!r}, "
            "who does not read and is no poller of this installation.",
            "See what else works on this database (another installation, a copy of it, a script) "
            "and stop it.",
            stream=stream,
            about="lease",
        )
