"""A search's range cut into equal parts, and how many changes fell into each.

Without a filter the ledger knows: a batch that lies within one part is counted by its row, and only
those that lie in several are looked into.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db.models import Max

from streams import partitions
from streams.bins import Bin
from streams.change import EPOCH, OPERATIONS, microseconds, moment
from streams.models import Drop, Stream
from streams.queries.rows import Extent, changes_of
from streams.queries.search_statement import LeafGone, rows

MOST_PARTS = 60
_MICROSECOND = timedelta(microseconds=1)
# Lengths of a part, in seconds, that a clock has; beyond the last, whole multiples of it.
_STEPS = (1, 5, 10, 15, 30, 60, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400)
_LONG_STEP = 604_800
# More batches than these are not looked into: their rows would take seconds.
_MOST_CUT = 5_000
# Changes are stored after they happened, but clocks differ: a batch may be older than its changes.
_CLOCKS = timedelta(hours=1)


class Parts(NamedTuple):
    """`number` parts of `step` from `begin` on; the first and the last may reach over the range."""

    begin: datetime
    step: timedelta
    number: int

    @property
    def end(self) -> datetime:
        return self.begin + self.step * self.number

    def place(self, at: int) -> int:
        """The part of a moment in microseconds since 1970; outside of all the nearest."""
        place = (at - microseconds(self.begin)) // (self.step // _MICROSECOND)
        return max(0, min(self.number - 1, place))

    def bins(self, moments: Iterable[tuple[int, str]]) -> list[Bin]:
        """Counts of moments with their operations."""
        return self.counted(Counter((self.place(at), name) for at, name in moments))

    def counted(self, counts: "Counter[tuple[int, str]]") -> list[Bin]:
        starts = [self.begin + self.step * index for index in range(self.number)]
        return [
            Bin(start, {name: counts[i, name] for name in OPERATIONS if counts[i, name]})
            for i, start in enumerate(starts)
        ]


def parts_of(since: datetime, until: datetime) -> Parts:
    """The range in at most sixty parts, each as long as a clock's unit."""
    seconds = max((until - since).total_seconds(), 1.0)
    step = next((step for step in _STEPS if seconds / step <= MOST_PARTS - 1), 0)
    if not step:
        step = _LONG_STEP * -(-int(seconds) // (_LONG_STEP * (MOST_PARTS - 1)))
    begin = moment(microseconds(since) // (step * 1_000_000) * (step * 1_000_000))
    count = -(-(microseconds(until) - microseconds(begin)) // (step * 1_000_000))
    return Parts(begin, timedelta(seconds=step), max(1, count))


def oldest_change(streams: Sequence[Stream]) -> datetime | None:
    """When the oldest stored change of these streams happened; None if there is none."""
    first = [leaves[0].name for s in streams if (leaves := partitions.leaves_of(s.pk))]
    if not first:
        return None
    arms = " UNION ALL ".join(f"(SELECT min(occurred_at) AS at FROM {name})" for name in first)
    try:
        found = rows(f"SELECT min(at) FROM ({arms}) leaf", [], 1.0)
    except LeafGone:
        return None
    return found[0][0] if found else None


def ledger_bins(
    streams: Sequence[Stream], parts: Parts, since: datetime, until: datetime, seconds: float
) -> list[Bin] | None:
    """How many changes of these streams happened from `since` up to, not including, `until`, all
    operations exactly; None if that cannot be told in so many seconds."""
    # An older batch is in the ledger, but perhaps not its changes any more.
    dropped = dropped_until(streams)
    kept = {s.pk: dropped.get(s.pk, datetime.min.replace(tzinfo=UTC)) for s in streams}
    given = {
        "streams": list(kept),
        "kept": list(kept.values()),
        "since": since,
        "until": until,
        "stored": since - _CLOCKS if since > EPOCH + _CLOCKS else since,
        "begin": microseconds(parts.begin),
        "step": parts.step // _MICROSECOND,
        "most": _MOST_CUT + 1,
    }
    whole = rows(_WHOLE, given, seconds)
    cut = rows(_CUT, given, seconds) if whole is not None else None
    if whole is None or cut is None or len(cut) > _MOST_CUT:
        return None
    counts: Counter[tuple[int, str]] = Counter()
    for place, *numbers in whole:
        for name, number in zip(OPERATIONS, numbers, strict=True):
            counts[_clipped(place, parts), name] += int(number)
    arms, arm_given = changes_of(Extent(*row) for row in cut)
    if arms:
        looked = rows(
            f"""SELECT {_PLACE.format("c.occurred_at")}, CASE c.operation WHEN 'I' THEN 'INSERT'
                       WHEN 'M' THEN 'MODIFY' ELSE 'REMOVE' END, count(*)
                FROM ({arms}) c WHERE c.occurred_at >= %s AND c.occurred_at < %s GROUP BY 1, 2""",
            [given["begin"], given["step"], *arm_given, since, until],
            seconds,
        )
        if looked is None:
            return None
        for place, name, number in looked:
            counts[_clipped(place, parts), name] += number
    return parts.counted(counts)


def _clipped(place: int, parts: Parts) -> int:
    return max(0, min(parts.number - 1, int(place)))


def dropped_until(streams: Sequence[Stream]) -> dict[int, datetime]:
    """Up to when retention dropped the changes of those streams of which it dropped any."""
    drops = Drop.objects.filter(stream__in=[s.pk for s in streams]).values_list("stream")
    return dict(drops.annotate(at=Max("to_at")).order_by())


_PLACE = "(floor((extract(epoch FROM {}) * 1000000 - %s) / %s))::bigint"
_OF = """
    FROM streams_batch b JOIN unnest(%(streams)s::bigint[], %(kept)s::timestamptz[]) k(id, kept)
        ON k.id = b.stream_id
    WHERE b.stored_at >= %(stored)s AND b.oldest_change_at < %(until)s
        AND b.newest_change_at >= %(since)s
"""
_FIRST = "floor((extract(epoch FROM b.oldest_change_at) * 1000000 - %(begin)s) / %(step)s)"
_LAST = "floor((extract(epoch FROM b.newest_change_at) * 1000000 - %(begin)s) / %(step)s)"
# In one part, within the range, and nothing of it dropped.
_IS_WHOLE = f"""({_FIRST} = {_LAST} AND b.oldest_change_at >= greatest(%(since)s, k.kept)
                 AND b.newest_change_at < %(until)s)"""
_WHOLE = f"""SELECT {_FIRST}::bigint, sum(b.inserts), sum(b.modifies), sum(b.removes)
             {_OF} AND {_IS_WHOLE} GROUP BY 1"""
_CUT = f"""SELECT b.id, b.stream_id, b.oldest_change_at, b.newest_change_at
           {_OF} AND NOT {_IS_WHOLE} LIMIT %(most)s"""
