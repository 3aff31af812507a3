"""An item's whole life at a glance: how many versions, from when to when, and how dense."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from streams.bins import Bin
from streams.change import OPERATION_NAME
from streams.queries.history import marks
from streams.queries.rows import versions_next_to

BINS = 96
# So many versions are counted: each is a row that has to be read.
_COUNTED = 10_000


class Life(NamedTuple):
    """`number` versions are counted in `bins` of equal length, from `begin` to `end`, both times
    included. If there are more, only the newest are counted (`whole` False), and `first_at`, when
    the first of all happened, is before `begin`."""

    first_at: datetime
    begin: datetime
    end: datetime
    number: int
    whole: bool
    bins: list[Bin]

    @property
    def step(self) -> timedelta:
        """How long a bin is."""
        return self.bins[1].start - self.bins[0].start


def life(stream_id: int, item: UUID) -> Life | None:
    """None for an item of which nothing is stored."""
    first = marks(stream_id, item, None, 1, newer=True)
    if not first:
        return None
    source, given = versions_next_to(stream_id, item, None, _COUNTED)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH v AS MATERIALIZED (SELECT occurred_at, operation FROM {source} s),
                     e AS (SELECT min(occurred_at) AS begin, max(occurred_at) AS newest FROM v)
                SELECT least(%s - 1, floor(date_part('epoch', occurred_at - begin) * %s
                           / greatest(date_part('epoch', newest - begin), 1)))::integer AS bin,
                       operation::text, count(*), begin, newest
                FROM v CROSS JOIN e GROUP BY bin, operation, begin, newest""",
            [*given, BINS, BINS],
        )
        rows = cursor.fetchall()
    begin, newest = rows[0][3], rows[0][4]
    step = max(newest - begin, timedelta(seconds=1)) / BINS
    counts: list[dict[str, int]] = [{} for _ in range(BINS)]
    for place, operation, number, *_ in rows:
        counts[place][OPERATION_NAME[operation]] = number
    number = sum(row[2] for row in rows)
    return Life(
        first_at=first[0].occurred_at,
        begin=begin,
        end=newest,
        number=number,
        whole=number < _COUNTED,
        bins=[Bin(begin + step * place, counts[place]) for place in range(BINS)],
    )
