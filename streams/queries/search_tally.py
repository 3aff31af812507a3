"""What a search's matches are, in numbers: for its histogram, its facets and its count.

The newest matches are looked at, as many and as long as may be. What was not looked at is said, and
never taken for nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from streams.models import Stream
from streams.queries.search_merged import Asked, Merged, within
from streams.queries.search_place import Place
from streams.queries.search_statement import LeafGone
from streams.rules.filter import Filter

MOST_MATCHES = 10_000


@dataclass
class Tally:
    """The newest `number` matches. `complete`: these are all of them; else everything from
    `searched_to` on was looked at, and nothing before it. `moments` holds when (microseconds since
    1970) and by which operation each happened, the newest first; `streams` counts by id, `ttl`
    deletions by time to live; `hidden` counts the matches that are noise, which are in nothing else
    here."""

    complete: bool = True
    searched_to: datetime | None = None
    hidden: int = 0
    ttl: int = 0
    moments: list[tuple[int, str]] = field(default_factory=list)
    streams: Counter[int] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)

    @property
    def number(self) -> int:
        return len(self.moments)


def tally(
    filter_: Filter,
    *,
    streams: Sequence[Stream] | None,
    since: datetime | None,
    until: datetime | None,
    budget_seconds: float,
    hide_noise: bool,
    at_most: int = MOST_MATCHES,
) -> Tally:
    """The matches from `since` up to, not including, `until`, the newest first."""
    asked = Asked(within(since, until, None, None), None, None, False)
    while True:
        try:
            return _tally(Merged(filter_, streams, asked, budget_seconds), hide_noise, at_most)
        except LeafGone:
            continue  # the stream's leaves are looked up anew


def _tally(merged: Merged, hide_noise: bool, at_most: int) -> Tally:
    found = Tally()
    last: Place | None = None
    for hit in merged:
        if hide_noise and hit.noise:
            found.hidden += 1
            continue
        if found.number == at_most:
            # Those of the same moment as the last were perhaps not all looked at.
            found.complete, found.searched_to = False, last.moment if last else None
            return found
        last = hit.place
        found.moments.append((hit.place.at, hit.operation))
        found.streams[hit.leaf.stream_id] += 1
        found.operations[hit.operation] += 1
        found.changed.update(hit.changed or ())
        found.ttl += hit.ttl
    found.complete, found.searched_to = not merged.out_of_time, merged.searched_to
    return found
