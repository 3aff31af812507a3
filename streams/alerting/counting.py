"""At least so many matches in a window, by the changes' own times.

A state's "hits" are [occurred, clock, ref], sorted by occurred; "until" is when the last of them
can be of no more use.
"""

from bisect import bisect_left, bisect_right
from operator import itemgetter
from typing import Any

from streams.alerting.definition import Count, Definition
from streams.alerting.openings import SECOND, Openings, useful_until
from streams.alerting.sentences import count_sentence
from streams.alerting.steps import Grew, Happening, Hit, Opened, State

_OCCURRED, _CLOCK = itemgetter(0), itemgetter(1)
# Hits are kept for others that come late; but never more than twice the threshold and this, of
# which then those that came last are kept.
_SPARE = 100


class CountEvaluator(Openings):
    """An alert opens when a hit completes a window. Its hits are of no further count, but while it
    is open they show whether it goes on: it resolves when no window was full any more for so
    long."""

    def __init__(self, definition: Definition, params: Count) -> None:
        super().__init__(definition)
        self._threshold, self._window = params.threshold, params.window * SECOND
        self._sentence = count_sentence(definition, params, params.threshold)
        self._most = 2 * params.threshold + _SPARE

    def _take(self, state: State, hit: Hit, happenings: list[Happening]) -> None:
        hits = self._kept(state, hit)
        begin = self._full(hits, hit.occurred)
        if "open" in state:
            happenings.append(Grew(hit.clock, hit.ref))
            if begin is not None:
                state["last"] = hit.clock
        elif begin is not None:
            end = begin + self._threshold
            refs = [ref for _, _, ref in hits[begin:end]]
            self._fire(state, Opened(hit.clock, self._sentence, refs, len(refs)), happenings)
            if "open" not in state:
                del hits[begin:end]  # held back: they are told of
        if not hits:
            del state["hits"], state["until"]

    def _kept(self, state: State, hit: Hit) -> list[list[Any]]:
        """The hits with this one among them, without those that have become useless."""
        hits: list[list[Any]] = state.setdefault("hits", [])
        stale = 0
        while stale < len(hits) and self._until(hits[stale]) <= hit.clock:
            stale += 1
        del hits[:stale]
        if len(hits) >= self._most:
            newest = sorted(hits, key=_CLOCK)[len(hits) // 2 :]
            hits[:] = sorted(newest, key=_OCCURRED)
        entry = [hit.occurred, hit.clock, hit.ref]
        hits.insert(bisect_right(hits, hit.occurred, key=_OCCURRED), entry)
        state["until"] = max(state.get("until", 0), self._until(entry))
        return hits

    def _until(self, entry: list[Any]) -> int:
        return useful_until(entry[1], entry[0], self._window)

    def _full(self, hits: list[list[Any]], occurred: int) -> int | None:
        """Where the first window begins that holds this time and is full; None if none is."""
        low = bisect_left(hits, occurred - self._window, key=_OCCURRED)
        high = bisect_right(hits, occurred + self._window, key=_OCCURRED)
        reach = self._threshold - 1
        low = max(low, bisect_left(hits, occurred, key=_OCCURRED) - reach)
        for begin in range(low, high - reach):
            if hits[begin][0] > occurred:
                break
            if hits[begin + reach][0] - hits[begin][0] <= self._window:
                return begin
        return None

    def _due(self, state: State) -> int | None:
        due, until = super()._due(state), state.get("until")
        return until if due is None or (until is not None and until < due) else due

    def _expire(self, state: State, due: int, happenings: list[Happening]) -> None:
        if state.get("until") == due:
            del state["hits"], state["until"]
        super()._expire(state, due, happenings)

    def _close(self, state: State) -> None:
        """Hits of an alert are never counted for another."""
        super()._close(state)
        state.pop("hits", None)
        state.pop("until", None)
