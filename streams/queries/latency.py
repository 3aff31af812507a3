"""How long a stream's changes took from being committed at the source to being stored here, from
the ledger: nothing counts changes."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

# The newest so many batches are looked at.
BATCHES = 2_000
# Each bar ends below its edge, in seconds; the last has none. DynamoDB rounds times down to the
# second, so nothing finer would be true.
EDGES = (1, 2, 5, 10, 30, 60, 300, 3_600)


@dataclass(frozen=True)
class Latency:
    """`counts` is the changes of each bar, one more than EDGES. A batch's changes all count with
    its oldest one, so none took longer than its bar says. `since` is when the first of the batches
    was stored; None if there is none."""

    counts: list[int]
    batches: int
    since: datetime | None

    @property
    def total(self) -> int:
        return sum(self.counts)

    def within(self, share: float) -> float | None:
        """The edge within which at least so large a part of the changes was stored; None if only
        the last bar holds it, or there are none."""
        reached = 0
        for edge, count in zip(EDGES, self.counts, strict=False):
            reached += count
            if self.total and reached >= share * self.total:
                return edge
        return None


_LATENCY = """
    SELECT width_bucket(extract(epoch FROM stored_at - oldest_change_at)::float8, %s::float8[]),
           sum(inserts + modifies + removes)::bigint, count(*), min(stored_at)
    FROM (SELECT * FROM streams_batch WHERE stream_id = %s AND feed_position IS NOT NULL
          ORDER BY feed_position DESC LIMIT %s) newest
    WHERE oldest_change_at IS NOT NULL GROUP BY 1
"""


def latency(stream_id: int) -> Latency:
    """Of the newest batches of a stream."""
    with connection.cursor() as cursor:
        cursor.execute(_LATENCY, [list(EDGES), stream_id, BATCHES])
        rows = cursor.fetchall()
    counts = [0] * (len(EDGES) + 1)
    for place, changes, _, _ in rows:
        counts[place] = changes
    return Latency(counts, sum(row[2] for row in rows), min((row[3] for row in rows), default=None))
