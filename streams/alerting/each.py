"""Every match is an alert, or belongs to the open one; first-seen things too, each a group."""

from streams.alerting.definition import Definition, FirstSeen
from streams.alerting.openings import Openings
from streams.alerting.sentences import each_sentence, first_seen_sentence
from streams.alerting.steps import Grew, Happening, Hit, Opened, State


class EachEvaluator(Openings):
    def __init__(self, definition: Definition) -> None:
        super().__init__(definition)
        self._params = definition.params
        self._sentence = each_sentence(definition)

    def _take(self, state: State, hit: Hit, happenings: list[Happening]) -> None:
        if "open" in state:
            state["last"] = hit.clock
            happenings.append(Grew(hit.clock, hit.ref))
        else:
            self._fire(state, Opened(hit.clock, self._said(hit), [hit.ref], 1), happenings)

    def _said(self, hit: Hit) -> str:
        if isinstance(self._params, FirstSeen):
            return first_seen_sentence(self._params, hit.seen)
        return self._sentence
