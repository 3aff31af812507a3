"""Gaps: every loss becomes a row that says from when to when, and why."""

from django.db import connection

from streams.models import Gap, Shard
from streams.stages.store import Target


def record_trimmed(target: Target, position: str) -> None:
    """The records after the position were deleted by the source before they were read."""
    _record(target.shard_id, Gap.Reason.TRIMMED, position)


def record_lost(shard: Shard) -> None:
    """The shard was gone from the source before it was read to its end."""
    _record(shard.pk, Gap.Reason.SHARD_LOST, shard.position)


def _record(shard_id: int, reason: str, position: str) -> None:
    """From when the shard was last known to be complete until now: more cannot be said here."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO streams_gap (stream_id, shard_id, reason, from_sequence, to_sequence,
                                        from_at, to_at, detected_at)
               SELECT s.stream_id, s.id, %s, %s, '',
                      coalesce(greatest(s.caught_up_at, s.newest_change_at), st.start_at),
                      clock_timestamp(), clock_timestamp()
               FROM streams_shard s JOIN streams_stream st ON st.id = s.stream_id
               WHERE s.id = %s""",
            [reason, position, shard_id],
        )
