"""Places of the feed by the clock: when batches got them."""

from datetime import datetime

from django.db import connection

from streams.models import FeedHead


def head_position() -> int:
    """The newest place that was given out; 0 if none was."""
    return FeedHead.objects.values_list("position", flat=True).filter(pk=1).first() or 0


def first_position_at(at: datetime) -> int:
    """The first place that was given out at a moment or later; the one after the head if none was.

    Where batches were numbered before rules were there, it counts when they were stored, which is
    in the feed's order but for moments.
    """
    low, high = 1, head_position() + 1
    while low < high:
        middle = (low + high) // 2
        clock = _clock_from(middle)
        if clock is None or clock >= at:
            high = middle
        else:
            low = middle + 1
    return low


def _clock_from(position: int) -> datetime | None:
    """The clock of the next batch from a place on; None if there is none any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT coalesce(numbered_at, stored_at) FROM streams_batch
               WHERE feed_position >= %s ORDER BY feed_position LIMIT 1""",
            [position],
        )
        row = cursor.fetchone()
    return row[0] if row else None
