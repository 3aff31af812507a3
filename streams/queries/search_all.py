"""All matches of a filter, however many, in constant memory: what an export reads."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from streams.models import Stream
from streams.queries.rows import StoredChange
from streams.queries.search import fetched
from streams.queries.search_merged import Asked, Merged, within
from streams.queries.search_place import Place
from streams.queries.search_statement import LeafGone
from streams.queries.search_walk import Hit
from streams.rules.filter import Filter

# So many changes, or bytes of them, are in memory at once.
_AT_ONCE, _BYTES = 500, 8_000_000
# After so many seconds without a full portion there is an empty one: a reader that has gone is
# noticed then.
_STEP_SECONDS = 2.0


class Portion(NamedTuple):
    """Some changes, perhaps none, in order. `searched_to` is how far everything was searched, None
    for to the end; `hidden` counts the matches until here that were left out as noise."""

    changes: list[StoredChange]
    searched_to: datetime | None
    hidden: int


def all_matches(
    filter_: Filter,
    *,
    streams: Sequence[Stream] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    oldest_first: bool = False,
    hide_noise: bool = False,
) -> Iterator[Portion]:
    """Every match from `since` up to, not including, `until`; the last portion is the end.

    What retention drops meanwhile is not in it.
    """
    reading = _Reading(oldest_first, hide_noise)
    while True:
        before, after = (None, reading.last) if oldest_first else (reading.last, None)
        asked = Asked(within(since, until, before, after), before, after, oldest_first)
        try:
            yield from reading.portions(Merged(filter_, streams, asked, _STEP_SECONDS))
            return
        except LeafGone:
            reading.tries += 1  # goes on behind what was given out, with the leaves of now


class _Reading:
    """`last` is the place of the last change that was given out, or left out."""

    # A change that is still missing then is one whose batch somebody took out of the ledger.
    _TRIES = 3

    def __init__(self, oldest_first: bool, hide_noise: bool) -> None:
        self._hide_noise = hide_noise
        self.last: Place | None = None
        self.hidden = self.tries = 0

    def portions(self, merged: Merged) -> Iterator[Portion]:
        hits: list[Hit] = []
        size = hidden = 0
        while True:
            for hit in merged:
                if self._hide_noise and hit.noise:
                    hidden += 1
                    continue
                hits.append(hit)
                size += hit.weight
                if len(hits) >= _AT_ONCE or size >= _BYTES:
                    yield self._portion(hits, hidden, hits[-1].place)
                    hits, size, hidden = [], 0, 0
            frontier = merged.frontier
            yield self._portion(hits, hidden, frontier)
            hits, size, hidden = [], 0, 0
            if not merged.out_of_time:
                return
            merged.go_on(_STEP_SECONDS)

    def _portion(self, hits: Sequence[Hit], hidden: int, to: Place | None) -> Portion:
        changes = fetched(hits, all_of_them=self.tries < self._TRIES)
        self.hidden += hidden
        self.last = to or self.last
        return Portion(changes, to.moment if to else None, self.hidden)
