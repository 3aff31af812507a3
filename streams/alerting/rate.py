"""The number of matches in a window of the clock (UTC), against the usual.

A state's "counts" are of the windows from "first" on, a number each; "next" is the first window
that is not judged yet. "fired" are windows that need no other alert, "low" is the window that is
told of as too low, and "refs" are the newest hits of the newest window.
"""

from collections.abc import Sequence
from typing import Any

from streams.alerting.definition import Definition, Rate
from streams.alerting.openings import LATE, SECOND, Openings
from streams.alerting.sentences import rate_sentence
from streams.alerting.steps import Grew, Happening, Hit, Opened, Resolved, State, Step

WEEK = 7 * 86_400 * SECOND
# A window is judged so long after its end: the last of its changes are on their way.
SETTLES = 60 * SECOND
_MOST_REFS = 100
_USUAL_AGAIN = "The number is as usual again."


class RateEvaluator(Openings):
    """Too many open an alert at once, too few when the window is over. It resolves at the end of a
    window that was not out of the usual, `resolve_seconds` after the last that was."""

    def __init__(self, definition: Definition, params: Rate) -> None:
        super().__init__(definition)
        self._definition, self._params = definition, params
        self._window = params.window * SECOND
        self._in_a_week = WEEK // self._window
        self._above = params.direction in ("above", "both")
        self._below = params.direction in ("below", "both")
        self._late = LATE // self._window + 1

    def begin(self, clock: int) -> Step:
        """Nothing is known of the past, nor of the window that has begun already."""
        return self.begin_with(-(-clock // self._window), [], clock)

    def begin_with(self, first: int, counts: Sequence[int], clock: int) -> Step:
        """The windows from number `first` on (since 1970) had these counts, until the clock."""
        state = {"first": first, "counts": list(counts), "next": max(first, clock // self._window)}
        return self._step(state, [])

    def _take(self, state: State, hit: Hit, happenings: list[Happening]) -> None:
        if not state:
            state.update(self.begin(hit.clock).state or {})
        window = min(hit.occurred, hit.clock) // self._window
        place, counts = window - state["first"], state["counts"]
        if place < 0:
            return
        counts.extend([0] * (place + 1 - len(counts)))
        counts[place] += 1
        self._remember(state, window, hit.ref)
        high = self._above and self._is_above(state, window)
        if high and "open" in state:
            state["last"] = max(state["last"], self._end(window))
            happenings.append(Grew(hit.clock, hit.ref))
        elif high and window not in state.get("fired", ()):
            refs = state["refs"][1] if state["refs"][0] == window else [hit.ref]
            self._tell(state, window, hit.clock, list(refs), happenings)
        elif state.get("low") == window and not self._is_below(state, window):
            del state["low"]
            if "open" in state:
                self._close(state)
                happenings.append(Resolved(hit.clock, "The missing changes came late."))

    def _remember(self, state: State, window: int, ref: Any) -> None:
        newest, refs = state.get("refs", (window, []))
        if window > newest:
            newest, refs = window, []
        if window == newest and self._above:
            state["refs"] = [newest, [*refs, ref][-_MOST_REFS:]]

    def _tell(
        self, state: State, window: int, at: int, refs: list[Any], happenings: list[Happening]
    ) -> None:
        """Open an alert for a window, or hold it back, once for a window."""
        fired = [each for each in state.get("fired", ()) if each > window - self._late]
        state["fired"] = [*fired, window]
        count, usual = self._count(state, window), self._usual(state, window) or 0.0
        sentence = rate_sentence(
            self._definition, self._params, window * self._window, count, usual
        )
        self._fire(state, Opened(at, sentence, refs, count if refs else 0), happenings)
        if "open" in state:
            state["last"] = self._end(window)

    def _due(self, state: State) -> int | None:
        if "next" not in state:
            return None
        judged: int = self._end(state["next"]) + SETTLES
        cool: int = state.get("cool", judged)
        return min(judged, cool)

    def _expire(self, state: State, due: int, happenings: list[Happening]) -> None:
        if state.get("cool") == due:
            del state["cool"]
        if self._end(state["next"]) + SETTLES == due:
            self._judge(state, state["next"], due, happenings)
            state["next"] += 1
            self._forget(state)

    def _judge(self, state: State, window: int, due: int, happenings: list[Happening]) -> None:
        low = self._below and self._is_below(state, window)
        if low:
            state["low"] = window
        if low or (self._above and self._is_above(state, window)):
            if "open" in state:
                state["last"] = max(state["last"], self._end(window))
            elif low:
                self._tell(state, window, due, [], happenings)
        elif self._resolve and "open" in state and self._over(state, window):
            self._close(state)
            happenings.append(Resolved(due, _USUAL_AGAIN))

    def _over(self, state: State, window: int) -> bool:
        usual_for: int = self._end(window) - state["last"]
        return usual_for >= self._resolve

    def _forget(self, state: State) -> None:
        """What no window that may still be counted is compared with."""
        oldest = state["next"] - self._params.weeks * self._in_a_week - self._late
        if oldest > state["first"]:
            del state["counts"][: oldest - state["first"]]
            state["first"] = oldest

    def _is_above(self, state: State, window: int) -> bool:
        usual = self._usual(state, window)
        return usual is not None and self._count(state, window) > self._params.ratio * usual

    def _is_below(self, state: State, window: int) -> bool:
        usual = self._usual(state, window)
        return usual is not None and self._count(state, window) < usual / self._params.ratio

    def _usual(self, state: State, window: int) -> float | None:
        """The mean of the same window in the past weeks that were watched; None if they were too
        few, or too little happened in them."""
        params = self._params
        past = [window - week * self._in_a_week for week in range(1, params.weeks + 1)]
        counts = [self._count(state, each) for each in past if each >= state["first"]]
        if len(counts) < params.weeks_needed:
            return None
        mean = sum(counts) / len(counts)
        return mean if mean >= params.least else None

    @staticmethod
    def _count(state: State, window: int) -> int:
        place, counts = window - state["first"], state["counts"]
        return counts[place] if 0 <= place < len(counts) else 0

    def _end(self, window: int) -> int:
        return (window + 1) * self._window
