"""Many filters on the changes of one stream: what they cannot match is refused undecoded.

Each clause is found by what it demands (demands.py) and few changes have: a text or a number in
their bytes, or an attribute that changed. One search looks for the texts of all clauses at once.
Those that demand nothing of the kind are asked about every change, decoded as far as they want.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from streams.change import Change
from streams.rules.deciding.evaluate import prepare
from streams.rules.errors import EventError
from streams.rules.events.change_event import ChangeEvents, Event
from streams.rules.events.change_parts import StreamFacts, Wanted
from streams.rules.filter import Filter
from streams.rules.filter_form import Clause, Form
from streams.rules.matching.constants import narrow
from streams.rules.matching.demands import Demand, demand_of
from streams.rules.matching.finders import Candidates, Finders, Rarest
from streams.rules.matching.matcher import Matcher

Id = TypeVar("Id", bound=Hashable)
# Changes that are searched in one go: few enough to stay near the processor.
_TOGETHER = 64
# More clauses than these are asked by one event with what all clauses want.
_FEW = 4


class ChangeMatcher(Generic[Id]):
    """The filters by the caller's ids; `sample` are some of the stream's changes, which show what
    is rare in it. It may be shared by threads."""

    def __init__(
        self, filters: Mapping[Id, Filter], stream: StreamFacts, sample: Sequence[Change] = ()
    ) -> None:
        self._filters, self._stream, self._sample = filters, stream, sample
        self._of: dict[str, _OneOperation[Id]] = {}

    def match(self, change: Change) -> set[Id]:
        """The ids of the filters that match. EventError if the change is nested too deep."""
        return self.match_all([change]).get(0, set())

    def match_all(self, changes: Sequence[Change]) -> dict[int, set[Id]]:
        """The same for many changes, by their places; those that nothing matches are left out."""
        found: dict[int, set[Id]] = {}
        for start in range(0, len(changes), _TOGETHER):
            together = changes[start : start + _TOGETHER]
            for operation in {change.operation for change in together}:
                one = self._of.get(operation) or self._prepare(operation)
                places = [n for n, each in enumerate(together) if each.operation == operation]
                for place, ids in one.match_all([together[n] for n in places]).items():
                    found[start + places[place]] = ids
        return found

    def _prepare(self, operation: str) -> "_OneOperation[Id]":
        # When the first change comes: many streams never see a removal.
        sample = [change for change in self._sample if change.operation == operation]
        one = _OneOperation(self._filters, self._stream, operation, sample)
        self._of[operation] = one
        return one


class _OneOperation(Generic[Id]):
    """What can match changes of one operation, without what the filters ask of it."""

    def __init__(
        self,
        filters: Mapping[Id, Filter],
        stream: StreamFacts,
        operation: str,
        sample: Sequence[Change],
    ) -> None:
        known = {**stream.event(), "operation": operation, "eventName": operation}
        owners: dict[Clause, list[Id]] = {}
        for id_, one in filters.items():
            for clause in narrow(one.form, known):
                owners.setdefault(clause, []).append(id_)
        demands = {clause: demand_of(clause) for clause in owners}
        choose = Rarest(sample)
        found = Finders()
        self._candidates: list[_Candidate[Id]] = []
        always: dict[Id, Form] = {}
        for clause, ids in owners.items():
            rest = found.add(len(self._candidates), demands[clause], choose)
            if rest is None:
                always |= {id_: (*always.get(id_, ()), clause) for id_ in ids}
            else:
                self._candidates.append(_Candidate(ids, clause, rest, stream))
        self._find = found.finders()
        self._always = _Always(always, stream) if always else None
        forms = [(candidate.clause,) for candidate in self._candidates]
        self._events = ChangeEvents(stream, Wanted.of(forms))

    def match_all(self, changes: Sequence[Change]) -> dict[int, set[Id]]:
        candidates: Candidates = {}
        for find in self._find:
            find(changes, candidates)
        found = {place: self._decide(changes[place], some) for place, some in candidates.items()}
        if self._always:
            for place, change in enumerate(changes):
                found[place] = found.get(place, set()) | self._always.match(change)
        return {place: ids for place, ids in found.items() if ids}

    def _decide(self, change: Change, numbers: Iterable[int]) -> set[Id]:
        candidates = [self._candidates[number] for number in numbers]
        met = [each for each in candidates if each.rest.met_by(change)]
        event = self._events.of(change) if len(met) > _FEW else None
        return {id_ for each in met if each.holds(change, event) for id_ in each.ids}


class _Always(Generic[Id]):
    def __init__(self, forms: Mapping[Id, Form], stream: StreamFacts) -> None:
        matcher = Matcher.of_forms(forms)
        self._match, self._event = matcher.match, ChangeEvents(stream, matcher.wanted).of

    def match(self, change: Change) -> set[Id]:
        return self._match(self._event(change))


class _Candidate(Generic[Id]):
    """A clause that is found by a part of its demand, and the `rest` of it."""

    __slots__ = ("_events", "_holds", "_stream", "clause", "ids", "rest")

    def __init__(
        self, ids: Sequence[Id], clause: Clause, rest: Demand, stream: StreamFacts
    ) -> None:
        self.ids, self.clause, self.rest, self._stream = ids, clause, rest, stream
        self._events: ChangeEvents | None = None
        self._holds: Callable[[Event], bool] | None = None

    def holds(self, change: Change, event: Event | None) -> bool:
        """`event` has what the clause asks for; None if it is to be made."""
        # Made when first found: of ten thousand rules most never are.
        if self._holds is None or self._events is None:
            self._events = ChangeEvents(self._stream, Wanted.of([(self.clause,)]))
            self._holds = prepare((self.clause,))
        try:
            return self._holds(self._events.of(change) if event is None else event)
        except RecursionError as error:
            raise EventError("The change is nested too deep") from error
