"""What the evaluators share: the alert that is open, how it ends, and the cool-down after it.

Of a state the keys here are "open" (an alert is open), "last" (when it last had a reason) and
"cool" (no other opens before).
"""

from abc import ABC, abstractmethod

from streams.alerting.definition import Definition
from streams.alerting.sentences import quiet_sentence
from streams.alerting.steps import (
    Happening,
    Hit,
    Opened,
    Resolved,
    State,
    Step,
    Suppressed,
)

SECOND = 1_000_000
# How long after a change it may come: sources keep changes for a day, and reading takes a while.
LATE = 25 * 3_600 * SECOND


class Openings(ABC):
    def __init__(self, definition: Definition) -> None:
        self._resolve = definition.resolve_seconds * SECOND
        self._cool_down = definition.cool_down_seconds * SECOND
        self._why_resolved = quiet_sentence(definition.resolve_seconds)

    def feed(self, state: State | None, hit: Hit) -> Step:
        state = {} if state is None else state
        happenings: list[Happening] = []
        self._pass(state, hit.clock, happenings)
        self._take(state, hit, happenings)
        return self._step(state, happenings)

    def advance(self, state: State | None, clock: int) -> Step:
        state = {} if state is None else state
        happenings: list[Happening] = []
        self._pass(state, clock, happenings)
        return self._step(state, happenings)

    def settle(self, state: State | None) -> State | None:
        if state and "open" in state:
            self._close(state)
        return state or None

    def begin(self, clock: int) -> Step:
        """Nothing: most kinds wait for a hit."""
        return Step(None, [], None)

    @abstractmethod
    def _take(self, state: State, hit: Hit, happenings: list[Happening]) -> None:
        """Take a hit, all deadlines up to its clock being behind."""

    def _due(self, state: State) -> int | None:
        due: int | None = state.get("cool")
        if self._resolve and "open" in state:
            ends: int = state["last"] + self._resolve
            return ends if due is None or ends < due else due
        return due

    def _expire(self, state: State, due: int, happenings: list[Happening]) -> None:
        """What happens at the deadline that `_due` gave; it is behind then."""
        if state.get("cool") == due:
            del state["cool"]
        if self._resolve and "open" in state and state["last"] + self._resolve == due:
            self._close(state)
            happenings.append(Resolved(due, self._why_resolved))

    def _fire(
        self,
        state: State,
        opened: Opened,
        happenings: list[Happening],
    ) -> None:
        """Open the alert, or hold it back; none is open."""
        if "cool" in state:
            happenings.append(Suppressed(opened.at, opened.refs, opened.count))
            return
        state["open"], state["last"] = True, opened.at
        if self._cool_down:
            state["cool"] = opened.at + self._cool_down
        happenings.append(opened)

    def _close(self, state: State) -> None:
        """Forget the open alert."""
        del state["open"], state["last"]

    def _pass(self, state: State, clock: int, happenings: list[Happening]) -> None:
        while (due := self._due(state)) is not None and due <= clock:
            self._expire(state, due, happenings)

    def _step(self, state: State, happenings: list[Happening]) -> Step:
        return Step(state or None, happenings, self._due(state))


def useful_until(clock: int, occurred: int, window: int) -> int:
    """Until when a hit may be counted with others within a window: one that belongs beside it may
    come that late."""
    return max(min(occurred, clock) + LATE, clock) + window
