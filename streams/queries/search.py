"""Searching stored changes with a filter: page by page, by time, and only so long.

An index narrows where one fits, and every row is decided by the filter itself, so a search finds
exactly what the filter would have found when the changes were stored.
"""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from streams.models import Stream
from streams.queries.rows import StoredChange, fetch_at
from streams.queries.search_place import FIRST, LAST, Place, Stretch
from streams.queries.search_plan import plan
from streams.queries.search_statement import LeafGone, leaf_may_go
from streams.queries.search_walk import Hit, Walk
from streams.rules.filter import Filter

__all__ = ["Count", "Found", "Place", "count", "search"]

# A page of changes takes at most so much memory, and so do the images that are being decided.
_PAGE_BYTES, _DECIDED_BYTES = 32_000_000, 8_000_000
# A change that is missing after so many tries is one whose batch somebody took out of the ledger.
_TRIES = 3


class Found(NamedTuple):
    """A page of matches, in the order asked for.

    `older` and `newer` are the cursors of the pages before and after in time, None where it is
    known that there is nothing more to search. `complete` is False if the search ended early, by
    time or because the page is as large as may be: `older` (or `newer`) then goes on exactly there.
    `searched_to` is how far it looked, None for to the end. `looked_at` counts the rows that the
    filter decided; `how` says for each stream by what they were found.
    """

    changes: list[StoredChange]
    older: Place | None
    newer: Place | None
    searched_to: datetime | None
    complete: bool
    looked_at: int
    how: list[str]


class Count(NamedTuple):
    """How many changes match: exactly if `complete`, else at least so many."""

    number: int
    complete: bool
    searched_to: datetime | None

    def __str__(self) -> str:
        return f"{self.number:,}{'' if self.complete else '+'}"


def search(
    filter_: Filter,
    *,
    streams: Sequence[Stream] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: Place | None = None,
    after: Place | None = None,
    oldest_first: bool = False,
    limit: int = 100,
    budget_seconds: float = 10.0,
) -> Found:
    """The next `limit` matches, of all streams (None) or some, from `since` up to, not including,
    `until`.

    Without a cursor the newest, or with `oldest_first` the oldest; those next to `before` in time,
    or next to `after`. A budget that is too short for anything still gets a step in each stream, a
    quarter of a second at most, so continuing comes to an end.
    """
    asked = _Asked(_within(since, until, before, after), before, after, oldest_first)
    tries = 0
    while True:
        merged = _Merged(filter_, streams, asked, budget_seconds)
        tries += 1
        try:
            hits, full = _page(merged, limit)
            changes = _fetched(hits, all_of_them=tries < _TRIES)
            return _found(asked, merged, hits, full, changes)
        except LeafGone:
            continue  # the stream's leaves are looked up anew


def count(
    filter_: Filter,
    *,
    streams: Sequence[Stream] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    at_most: int = 10_000,
    budget_seconds: float = 10.0,
) -> Count:
    """How many changes match from `since` up to, not including, `until`, counted up to `at_most`
    and as far as the budget reaches, from the newest on."""
    asked = _Asked(_within(since, until, None, None), None, None, False)
    while True:
        merged = _Merged(filter_, streams, asked, budget_seconds)
        number = 0
        try:
            for hit in merged:
                if number == at_most:
                    return Count(number, False, hit.place.moment)
                number += 1
        except LeafGone:
            continue
        return Count(number, not merged.out_of_time, merged.searched_to)


class _Asked(NamedTuple):
    within: Stretch
    before: Place | None
    after: Place | None
    oldest_first: bool

    @property
    def newest(self) -> bool:
        """True if the search begins with the newest change."""
        return self.before is not None or (self.after is None and not self.oldest_first)


class _Merged:
    """The matches of several streams, in order. `out_of_time` is True if the budget ended it."""

    def __init__(
        self,
        filter_: Filter,
        streams: Sequence[Stream] | None,
        asked: _Asked,
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


def _within(
    since: datetime | None, until: datetime | None, before: Place | None, after: Place | None
) -> Stretch:
    lower = FIRST if since is None else Place.before_all(since)
    upper = LAST if until is None else Place.before_all(until)
    return Stretch(lower, upper).within(Stretch(after or FIRST, before or LAST))


def _page(merged: _Merged, limit: int) -> tuple[list[Hit], bool]:
    """The next hits, and whether they fill the page."""
    hits: list[Hit] = []
    size = 0
    for hit in merged:
        hits.append(hit)
        size += hit.weight
        if len(hits) >= limit or size >= _PAGE_BYTES:
            return hits, True
    return hits, False


def _fetched(hits: Sequence[Hit], *, all_of_them: bool) -> list[StoredChange]:
    """The changes themselves, in the same order; LeafGone if one is missing that may not be."""
    leaves: dict[str, list[str]] = {}
    for hit in hits:
        leaves.setdefault(hit.leaf.name, []).append(hit.tid)
    with leaf_may_go():
        found = {c.id: c for leaf, tids in leaves.items() for c in fetch_at(leaf, tids)}
    ids = [f"{hit.place.batch}-{hit.place.ordinal}" for hit in hits]
    if all_of_them and not all(id_ in found for id_ in ids):
        raise LeafGone
    return [found[id_] for id_ in ids if id_ in found]


def _found(
    asked: _Asked,
    merged: _Merged,
    hits: Sequence[Hit],
    full: bool,
    changes: list[StoredChange],
) -> Found:
    if asked.newest == asked.oldest_first:
        changes.reverse()
    there = any(walk.found or not walk.done for walk in merged.walks)
    onward = None
    if there:
        onward = hits[-1].place if full else merged.frontier
    older, newer = (onward, None) if asked.newest else (None, onward)
    # Back to where a cursor came from.
    if asked.newest and asked.before:
        newer = hits[0].place if hits else asked.before.previous
    elif not asked.newest and asked.after:
        older = hits[0].place if hits else asked.after.following
    return Found(
        changes=changes,
        older=older,
        newer=newer,
        searched_to=onward.moment if onward else None,
        complete=not merged.out_of_time,
        looked_at=sum(walk.looked_at for walk in merged.walks),
        how=[f"{walk.stream.name}: {', then '.join(walk.how)}" for walk in merged.walks],
    )
