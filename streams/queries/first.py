"""How far a new installation has come: the streams added last, and the first change of each."""

from dataclasses import dataclass

from streams.models import Batch, Stream
from streams.queries.overview import StreamStatus, statuses
from streams.queries.rows import Extent, fetch_of

# The newest streams: those somebody may be waiting for.
_MOST = 10


@dataclass(frozen=True)
class Begun:
    """A stream and its first change's id, "" while there is none, or where it was dropped."""

    status: StreamStatus
    change_id: str

    @property
    def seen(self) -> bool:
        return self.status.changes > 0


def begun() -> list[Begun]:
    """The ten streams that were added last, the newest first."""
    names = list(Stream.objects.order_by("-pk").values_list("pk", flat=True)[:_MOST])
    known = {status.id: status for status in statuses()}
    found = [known[number] for number in names if number in known]
    return [Begun(s, _first_change(s.id) if s.changes else "") for s in found]


def _first_change(stream_id: int) -> str:
    batches = Batch.objects.filter(
        stream_id=stream_id, feed_position__isnull=False, oldest_change_at__isnull=False
    ).order_by("feed_position")
    batch = batches.first()
    if batch is None:
        return ""
    extent = Extent(batch.pk, stream_id, batch.oldest_change_at, batch.newest_change_at)
    changes = fetch_of([extent], "ORDER BY c.ordinal LIMIT 1", [])
    return changes[0].id if changes else ""
