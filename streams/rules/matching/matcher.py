"""Many filters at once: what an event costs depends on the filters that can match it.

Each clause is put where its most selective field is looked up. An event is walked once; the
clauses that its leaves find are candidates, and only those are decided, by deciding/evaluate.py.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from streams.rules.deciding.evaluate import prepare
from streams.rules.errors import EventError
from streams.rules.events.change_parts import StreamFacts, Wanted
from streams.rules.filter import Filter
from streams.rules.filter_form import Clause, Form, has_conditions
from streams.rules.json_text import read_event
from streams.rules.matching.choice import Choice, Shares
from streams.rules.matching.constants import narrow
from streams.rules.matching.json_leaves import Event, event_reader
from streams.rules.matching.tree import Tree

Id = TypeVar("Id", bound=Hashable)


class _Candidate:
    """A clause, and the filters (by their group) that match if it holds.

    `decided`: it holds for every event whose leaves find it. `once`: of doubled keys it sees only
    the last.
    """

    __slots__ = ("_clause", "_holds", "decided", "group", "once")

    def __init__(self, group: int, clause: Clause, decided: bool, once: bool) -> None:
        self.group, self.decided, self.once = group, decided, once
        self._clause = clause
        self._holds: Callable[[Any], bool] | None = None

    def holds(self, event: Event) -> bool:
        # Prepared when first found: of ten thousand rules most never are.
        if self._holds is None:
            self._holds = prepare((self._clause,))
        return self._holds(event)


class Matcher(Generic[Id]):
    """The filters by the caller's ids. It may be shared by threads."""

    def __init__(self, filters: Mapping[Id, Filter]) -> None:
        self._plant({id_: one.form for id_, one in filters.items()})

    @classmethod
    def of_forms(cls, forms: Mapping[Id, Form]) -> "Matcher[Id]":
        """The same for forms; those without a clause never match, and are left out."""
        matcher = cls({})
        matcher._plant({id_: form for id_, form in forms.items() if form})
        return matcher

    def __len__(self) -> int:
        """How many filters there are."""
        return len(self._forms)

    @property
    def wanted(self) -> Wanted:
        """What the filters ask of an event."""
        return Wanted.of(self._forms.values())

    def match(self, event: Mapping[str, Any]) -> set[Id]:
        """The ids of the filters that match: just those for which Filter.matches is true.

        EventError if the event is no dict, is nested too deep, or holds what JSON cannot.
        """
        if not isinstance(event, dict):
            raise EventError("An event is a JSON object")
        return self._match(event, event)

    def match_json(self, text: str | bytes) -> set[Id]:
        """The same for an event's text; EventError, with the position, if it is no JSON object."""
        event = self._read(text)
        return self._match(event, read_event(text, doubled=False) if self._once else event)

    def for_stream(self, stream: StreamFacts) -> "Matcher[Id]":
        """The filters that can match changes of the stream, without what they ask of the stream
        itself. It may be empty; then no change need be looked at."""
        known = stream.event()
        return self.of_forms({id_: narrow(form, known) for id_, form in self._forms.items()})

    def _match(self, event: Event, event_once: Event) -> set[Id]:
        numbers = self._tree.find(event)
        numbers.update(self._always)
        matching: set[int] = set()
        try:
            for number in numbers:
                candidate = self._candidates[number]
                if candidate.group in matching:
                    continue
                if candidate.decided or candidate.holds(event_once if candidate.once else event):
                    matching.add(candidate.group)
        except RecursionError as error:
            raise EventError("The event is nested too deep") from error
        return {id_ for group in matching for id_ in self._groups[group]}

    def _plant(self, forms: Mapping[Id, Form]) -> None:
        """Put every clause where the leaves find it, or among those that are always asked."""
        self._forms = forms
        # Filters that say the same are decided together.
        groups: dict[Form, list[Id]] = {}
        for id_, form in forms.items():
            groups.setdefault(form, []).append(id_)
        self._groups = list(groups.values())
        self._candidates: list[_Candidate] = []
        self._always: list[int] = []
        self._tree = self._grow(list(groups))
        self._read = event_reader(groups)
        self._once = any(candidate.once for candidate in self._candidates)

    def _grow(self, forms: Sequence[Form]) -> Tree:
        shares = Shares(clause for form in forms for clause in form)
        chosen: list[tuple[int, Choice]] = []
        for group, form in enumerate(forms):
            once = has_conditions(form)
            for clause in form:
                number, choice = len(self._candidates), shares.choose(clause)
                if choice is None:
                    self._always.append(number)
                else:
                    chosen.append((number, choice))
                decided = choice.decides(clause) if choice else clause == Clause()
                self._candidates.append(_Candidate(group, clause, decided and not once, once))
        tree = Tree({choice.field.path for _, choice in chosen})
        for number, choice in chosen:
            for way in set(choice.ways):
                tree.at(choice.field.path).lookups.add(way, number)
        tree.freeze()
        return tree
