"""Searching stored changes with a filter: page by page, by time, and only so long.

An index narrows where one fits, and every row is decided by the filter itself, so a search finds
exactly what the filter would have found when the changes were stored.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from streams.models import Stream
from streams.queries.rows import StoredChange, fetch_at
from streams.queries.search_merged import Asked, Merged, within
from streams.queries.search_place import Place
from streams.queries.search_statement import LeafGone, leaf_may_go
from streams.queries.search_walk import Hit
from streams.rules.filter import Filter

__all__ = ["Count", "Found", "Place", "count", "search"]

# A page of changes takes at most so much memory.
_PAGE_BYTES = 32_000_000
# A change that is missing after so many tries is one whose batch somebody took out of the ledger.
_TRIES = 3


class Found(NamedTuple):
    """A page of matches, in the order asked for.

    `older` and `newer` are the cursors of the pages before and after in time, None where it is
    known that there is nothing more to search. `complete` is False if the search ended early, by
    time or because the page is as large as may be: `older` (or `newer`) then goes on exactly there.
    `searched_to` is how far it looked, None for to the end. `looked_at` counts the rows that the
    filter decided; `how` says for each stream by what they were found. `hidden` counts the matches
    between these that are noise, where noise is left out.
    """

    changes: list[StoredChange]
    older: Place | None
    newer: Place | None
    searched_to: datetime | None
    complete: bool
    looked_at: int
    how: list[str]
    hidden: int


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
    hide_noise: bool = False,
) -> Found:
    """The next `limit` matches, of all streams (None) or some, from `since` up to, not including,
    `until`.

    Without a cursor the newest, or with `oldest_first` the oldest; those next to `before` in time,
    or next to `after`. A budget that is too short for anything still gets a step in each stream, a
    quarter of a second at most, so continuing comes to an end. With `hide_noise` changes of nothing
    but ignored fields are left out, and counted.
    """
    asked = Asked(within(since, until, before, after), before, after, oldest_first)
    tries = 0
    while True:
        merged = Merged(filter_, streams, asked, budget_seconds)
        tries += 1
        try:
            page = _page(merged, limit, hide_noise)
            changes = fetched(page.hits, all_of_them=tries < _TRIES)
            return _found(asked, merged, page, changes)
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
    hide_noise: bool = False,
) -> Count:
    """How many changes match from `since` up to, not including, `until`, counted up to `at_most`
    and as far as the budget reaches, from the newest on. `hide_noise` is as for `search`."""
    asked = Asked(within(since, until, None, None), None, None, False)
    while True:
        merged = Merged(filter_, streams, asked, budget_seconds)
        number = 0
        try:
            for hit in merged:
                if hide_noise and hit.noise:
                    continue
                if number == at_most:
                    return Count(number, False, hit.place.moment)
                number += 1
        except LeafGone:
            continue
        return Count(number, not merged.out_of_time, merged.searched_to)


class _Page(NamedTuple):
    """Hits, whether they fill the page, and how many more were hidden between them."""

    hits: list[Hit]
    full: bool
    hidden: int


def _page(merged: Merged, limit: int, hide_noise: bool) -> _Page:
    hits: list[Hit] = []
    size = hidden = 0
    for hit in merged:
        if hide_noise and hit.noise:
            hidden += 1
            continue
        hits.append(hit)
        size += hit.weight
        if len(hits) >= limit or size >= _PAGE_BYTES:
            return _Page(hits, True, hidden)
    return _Page(hits, False, hidden)


def fetched(hits: Sequence[Hit], *, all_of_them: bool) -> list[StoredChange]:
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


def _found(asked: Asked, merged: Merged, page: _Page, changes: list[StoredChange]) -> Found:
    hits = page.hits
    if asked.newest == asked.oldest_first:
        changes.reverse()
    there = any(walk.found or not walk.done for walk in merged.walks)
    onward = None
    if there:
        onward = hits[-1].place if page.full else merged.frontier
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
        hidden=page.hidden,
    )
