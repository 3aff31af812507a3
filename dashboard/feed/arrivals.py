"""How many changes come, of which streams and operations: what the feed's rates are made of."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic
from typing import NamedTuple

from dashboard.feed.protocol import TICK_SECONDS
from dashboard.feed.ring import Counts

_RATE_SECONDS = 10.0
_LAST_SECONDS = 1.0
_BUSIEST = 5


class _Window:
    """What came in the last so many seconds. Its sum is kept, so that asking is cheap."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._came: deque[tuple[float, Counts]] = deque()
        self._sum: Counter[tuple[int, str]] = Counter()

    def add(self, now: float, counts: Counts) -> None:
        self._came.append((now, counts))
        self._sum.update(counts)

    def sum(self, now: float) -> Counts:
        while self._came and self._came[0][0] < now - self.seconds:
            for key, number in self._came.popleft()[1].items():
                left = self._sum[key] - number
                if left:
                    self._sum[key] = left
                else:
                    del self._sum[key]
        return self._sum


class Coming(NamedTuple):
    """`rate` is changes a second over the last ten; the others count the last second's, by
    operation, and of the busiest streams by id. None where it is not known yet."""

    rate: float | None = None
    by_operation: Mapping[str, int] | None = None
    busiest: Sequence[tuple[int, int]] | None = None


class Arrivals:
    """Counts of what the hub read or counted; exact, because what it leaves out it counts."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._begun_at: float | None = None
        self._ten, self._one = _Window(_RATE_SECONDS), _Window(_LAST_SECONDS)
        # Most viewers look at the same streams: what is worked out for one serves all for a tick.
        self._fresh: dict[frozenset[int] | None, Coming] = {}
        self._fresh_until = 0.0

    def begin(self) -> None:
        """From now on everything is counted."""
        self._begun_at = self._clock()

    def add(self, counts: Counts) -> None:
        if counts:
            now = self._clock()
            self._ten.add(now, counts)
            self._one.add(now, counts)

    def of(self, streams: frozenset[int] | None) -> Coming:
        """What comes of these streams, or of all."""
        now = self._clock()
        if now > self._fresh_until:
            self._fresh.clear()
            self._fresh_until = now + TICK_SECONDS
        if streams not in self._fresh:
            self._fresh[streams] = self._of(streams, now)
        return self._fresh[streams]

    def _of(self, streams: frozenset[int] | None, now: float) -> Coming:
        watched = 0.0 if self._begun_at is None else now - self._begun_at
        if watched < _LAST_SECONDS:
            return Coming()
        total = sum(number for _, _, number in _chosen(self._ten.sum(now), streams))
        by_operation, by_stream = Counter[str](), Counter[int]()
        for stream, operation, number in _chosen(self._one.sum(now), streams):
            by_operation[operation] += number
            by_stream[stream] += number
        rate = total / min(watched, _RATE_SECONDS)
        return Coming(rate, dict(by_operation), by_stream.most_common(_BUSIEST))


def _chosen(counts: Counts, streams: frozenset[int] | None) -> Iterator[tuple[int, str, int]]:
    for (stream, operation), number in counts.items():
        if streams is None or stream in streams:
            yield stream, operation, number
