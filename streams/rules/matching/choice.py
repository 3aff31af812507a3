"""Which field of a clause finds it: the one that will find it least often for nothing."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from streams.rules.filter_form import Clause, Field
from streams.rules.matching.access import (
    BUT,
    RANGE,
    Access,
    accesses,
    breadth,
    share_of_range,
)
from streams.rules.matching.tree import MOST_SEGMENTS


class Choice(NamedTuple):
    """A field, and for each of its tests the way it is looked up."""

    field: Field
    ways: tuple[Access, ...]

    def decides(self, clause: Clause) -> bool:
        """True if the clause holds for every event whose leaves find it."""
        asks_more = len(clause.fields) > 1 or clause.conditions or clause.excluded
        return not asks_more and all(way.sure for way in self.ways)


class Shares:
    """How many clauses could use each lookup: what many ask for is found often, and finds many."""

    def __init__(self, clauses: Iterable[Clause]) -> None:
        self._same: Counter[tuple[str, Access]] = Counter()
        self._kind: Counter[tuple[str, str]] = Counter()
        for clause in clauses:
            for field in clause.fields:
                ways = {way for test in field.tests for way in accesses(test)}
                self._same.update((field.path, way) for way in ways)
                self._kind.update((field.path, kind) for kind in {way.kind for way in ways})

    def choose(self, clause: Clause) -> Choice | None:
        """None if no field can find the clause: it is a candidate for every event."""
        choices = [found for field in clause.fields if (found := self._best(field))]
        return min(choices, key=self._cost) if choices else None

    def _best(self, field: Field) -> Choice | None:
        if field.path.count(".") >= MOST_SEGMENTS:
            return None
        ways = [
            min(found, key=lambda way: self._cost_of(field.path, way))
            for test in field.tests
            if (found := accesses(test))
        ]
        # A field that may be absent is found by no leaf.
        return Choice(field, tuple(ways)) if len(ways) == len(field.tests) else None

    def _cost(self, choice: Choice) -> float:
        return sum(self._cost_of(choice.field.path, way) for way in choice.ways)

    def _cost_of(self, path: str, way: Access) -> float:
        """The clauses it is guessed to find in an event that has the path."""
        if way.kind == BUT:
            return 4 + self._kind[path, way.kind]
        if way.kind == RANGE:
            return 2 + share_of_range(way) * self._kind[path, RANGE]
        return breadth(way) * self._same[path, way]
