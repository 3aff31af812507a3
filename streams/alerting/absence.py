"""No match for so long. A state's "heard" is when the newest change occurred, or when waiting
began; "told" is there when the present silence needs no other alert, "held" when its alert waits
for the cool-down's end.
"""

from streams.alerting.definition import Absence, Definition
from streams.alerting.openings import SECOND, Openings
from streams.alerting.sentences import absence_sentence
from streams.alerting.steps import Happening, Hit, Opened, Resolved, State, Step, Suppressed


class AbsenceEvaluator(Openings):
    def __init__(self, definition: Definition, params: Absence) -> None:
        super().__init__(definition)
        self._seconds = params.seconds * SECOND
        self._sentence = absence_sentence(definition, params)

    def begin(self, clock: int) -> Step:
        return self._step({"heard": clock}, [])

    def _take(self, state: State, hit: Hit, happenings: list[Happening]) -> None:
        """A late change ends a silence only if it occurred lately enough."""
        heard = state.get("heard", hit.clock)
        state["heard"] = max(heard, min(hit.occurred, hit.clock))
        if state["heard"] + self._seconds <= hit.clock:
            return
        state.pop("told", None)
        state.pop("held", None)
        if "open" in state:
            super()._close(state)
            happenings.append(Resolved(hit.clock, "A matching change came."))

    def _due(self, state: State) -> int | None:
        due: int | None = state.get("cool")
        if "heard" in state and not state.keys() & {"open", "told", "held"}:
            silent: int = state["heard"] + self._seconds
            return silent if due is None or silent < due else due
        return due

    def _expire(self, state: State, due: int, happenings: list[Happening]) -> None:
        opens = False
        if state.get("cool") == due:
            del state["cool"]
            opens = state.pop("held", False)
        elif "cool" in state:
            state["held"] = True
            happenings.append(Suppressed(due, [], 0))
        else:
            opens = True
        if opens:
            self._fire(state, Opened(due, self._sentence, [], 0), happenings)

    def _close(self, state: State) -> None:
        """By hand: this silence has been told."""
        super()._close(state)
        state["told"] = True
