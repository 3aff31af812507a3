"""One change after another of the same item: A, then B, or A and no B.

A state's "waits" are the A's that wait for their B, as [occurred, clock, ref], in the order in
which they came. An item's changes come in their own order, so no B comes before its A.
"""

from typing import Any

from streams.alerting.definition import Definition, Following
from streams.alerting.openings import SECOND, Openings, useful_until
from streams.alerting.sentences import missing_sentence, then_sentence
from streams.alerting.steps import Grew, Happening, Hit, Opened, Resolved, State

# Of one item there wait at most so many; any further ones would tell no more.
_MOST = 1_000


class _Waiting(Openings):
    def __init__(self, definition: Definition, params: Following) -> None:
        super().__init__(definition)
        self._within = params.within * SECOND

    def _wait(self, state: State, hit: Hit) -> None:
        waits: list[list[Any]] = state.setdefault("waits", [])
        if len(waits) < _MOST:
            waits.append([hit.occurred, hit.clock, hit.ref])

    def _followed(self, state: State, hit: Hit) -> list[list[Any]]:
        """Take out what waits and is followed by the hit."""
        found: list[list[Any]] = []
        left: list[list[Any]] = []
        for each in state.get("waits", ()):
            near = each[0] <= hit.occurred <= each[0] + self._within
            (found if near else left).append(each)
        self._leave(state, left)
        return found

    def _leave(self, state: State, waits: list[list[Any]]) -> None:
        if waits:
            state["waits"] = waits
        else:
            state.pop("waits", None)


class ThenEvaluator(_Waiting):
    def __init__(self, definition: Definition, params: Following) -> None:
        super().__init__(definition, params)
        self._sentence = then_sentence(definition, params)

    def _take(self, state: State, hit: Hit, happenings: list[Happening]) -> None:
        self._leave(state, [e for e in state.get("waits", ()) if self._until(e) > hit.clock])
        if hit.part == 1:
            self._wait(state, hit)
            return
        followed = self._followed(state, hit)
        if not followed:
            return
        refs = [*(ref for _, _, ref in followed), hit.ref]
        if "open" in state:
            state["last"] = hit.clock
            happenings += [Grew(hit.clock, ref) for ref in refs]
        else:
            self._fire(state, Opened(hit.clock, self._sentence, refs, len(refs)), happenings)

    def _until(self, each: list[Any]) -> int:
        return useful_until(each[1], each[0], self._within)

    def _due(self, state: State) -> int | None:
        due = super()._due(state)
        if "waits" not in state:
            return due
        until = max(map(self._until, state["waits"]))
        return until if due is None or until < due else due

    def _expire(self, state: State, due: int, happenings: list[Happening]) -> None:
        if "waits" in state and max(map(self._until, state["waits"])) <= due:
            del state["waits"]
        super()._expire(state, due, happenings)


class MissingEvaluator(_Waiting):
    """Waits by the clock, from when A came: after an outage its B comes as late as A did. A B that
    comes at all resolves the alert."""

    def __init__(self, definition: Definition, params: Following) -> None:
        super().__init__(definition, params)
        self._sentence = missing_sentence(definition, params)

    def _take(self, state: State, hit: Hit, happenings: list[Happening]) -> None:
        if hit.part == 1:
            self._wait(state, hit)
            return
        self._followed(state, hit)
        if "open" in state:
            self._close(state)
            happenings.append(Resolved(hit.clock, "What was missing has come."))

    def _due(self, state: State) -> int | None:
        due = super()._due(state)
        if "waits" not in state:
            return due
        over: int = state["waits"][0][1] + self._within
        return over if due is None or over < due else due

    def _expire(self, state: State, due: int, happenings: list[Happening]) -> None:
        super()._expire(state, due, happenings)
        while "waits" in state and state["waits"][0][1] + self._within == due:
            (_, _, ref), *left = state["waits"]
            self._leave(state, left)
            if "open" in state:
                state["last"] = due
                happenings.append(Grew(due, ref))
            else:
                self._fire(state, Opened(due, self._sentence, [ref], 1), happenings)
