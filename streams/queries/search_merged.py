"""The matches of several streams in one order of time, as far as a budget reaches."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from streams.models import Stream
from streams.queries.search_place import FIRST, LAST, Place, Stretch
from streams.queries.search_plan import plan
from streams.queries.search_walk import Hit, Walk
from streams.rules.filter import Filter

# So many bytes of images may be in memory while they are decided.
_DECIDED_BYTES = 8_000_000


class Asked(NamedTuple):
    """The places between which is searched, with the cursor that one of them came from."""

    within: Stretch
    before: Place | None
    after: Place | None
    oldest_first: bool

    @property
    def newest(self) -> bool:
        """True if the search begins with the newest change."""
        return self.before is not None or (self.after is None and not self.oldest_first)


class Merged:
    """The matches of several streams, in order. `out_of_time` is True if the budget ended it."""

    def __init__(
        self,
        filter_: Filter,
        streams: Sequence[Stream] | None,
        asked: Asked,
        budget_seconds: float,
    ) -> None:
        self.out_of_time = False
        self._deadline = time.monotonic() + budget_seconds
        self._asked = asked
        self.walks = []
        for stream in Stream.objects.all() if streams is None else streams:
            planned = plan(filter_, stream)
            if planned:
                self.walks.append(Walk(planned, filter_, asked.within, asked.newest))

    @property
    def searched_to(self) -> datetime | None:
        """How far everything was searched, None for to the end."""
        behind = self._behind()
        return behind.frontier.moment if behind else None

    @property
    def frontier(self) -> Place | None:
        behind = self._behind()
        return behind.frontier if behind else None

    def go_on(self, budget_seconds: float) -> None:
        """Let the iteration be continued, from where it is, for so long."""
        self.out_of_time = False
        self._deadline = time.monotonic() + budget_seconds

    def __iter__(self) -> Iterator[Hit]:
        stepped: set[int] = set()
        while True:
            behind = self._behind()
            yield from self._sure(behind)
            if behind is None:
                return
            if time.monotonic() >= self._deadline and id(behind) in stepped:
                self.out_of_time = True
                return
            stepped.add(id(behind))
            behind.step(self._deadline, _DECIDED_BYTES // len(self.walks))

    def _behind(self) -> Walk | None:
        """The walk that has come least far, None if all are at their end."""
        going = [walk for walk in self.walks if not walk.done]
        return min(going, key=lambda walk: self._order(walk.frontier), default=None)

    def _sure(self, behind: Walk | None) -> Iterator[Hit]:
        """The matches before which no other can be found any more."""
        while True:
            holding = [walk for walk in self.walks if walk.found]
            if not holding:
                return
            first = min(holding, key=lambda walk: self._order(walk.found[0].place))
            place = first.found[0].place
            if behind and self._order(place) > self._order(behind.frontier):
                return
            yield first.found.popleft()

    def _order(self, place: Place) -> tuple[int, ...]:
        return (-place.at, -place.batch, -place.ordinal) if self._asked.newest else place


def within(
    since: datetime | None, until: datetime | None, before: Place | None, after: Place | None
) -> Stretch:
    lower = FIRST if since is None else Place.before_all(since)
    upper = LAST if until is None else Place.before_all(until)
    return Stretch(lower, upper).within(Stretch(after or FIRST, before or LAST))
