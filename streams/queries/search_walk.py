"""One stream's matches, leaf by leaf in the order of time, as far as they are asked for.

What an index leaves in is decided by the filter, on the event that the change had when it was
stored. Images are fetched for few rows at a time, and only those that the filter asks for.
"""

import time
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from streams.change import OPERATION_NAME, sequence_text
from streams.indexing import stored_name
from streams.noise import is_noise
from streams.partitions import Leaf
from streams.queries.search_place import Place, Stretch
from streams.queries.search_plan import Plan
from streams.queries.search_rows import LeafRows, Pace, Row, images
from streams.queries.search_statement import LeafGone
from streams.rules.errors import EventError
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import Wanted
from streams.rules.filter import Filter

# Images are read for so many rows at once: from few, which may be all that is asked for, to many.
_FIRST, _MOST = 100, 500


class Hit(NamedTuple):
    """A change that matches, and where its row is. `weight` is in bytes, roughly; `changed` as the
    store has it. `noise`: its stream ignores what it touched (noise.py)."""

    place: Place
    leaf: Leaf
    tid: str
    weight: int
    operation: str
    changed: Sequence[str] | None
    ttl: bool
    noise: bool


class Walk:
    """`frontier`: everything from the beginning up to it was searched. `found` are matches that
    nobody has taken yet, in order. `looked_at` counts the rows that the filter decided, and `how`
    has in words by what they were found."""

    def __init__(self, plan: Plan, filter_: Filter, within: Stretch, newest: bool) -> None:
        self.stream = plan.stream
        self.found: deque[Hit] = deque()
        self.frontier, self._end = (within.upper, within.lower) if newest else within
        self.looked_at = 0
        self.how: dict[str, None] = {}
        self._ignored = frozenset(map(stored_name, plan.stream.ignored_fields))
        self._plan, self._filter, self._newest, self._within = plan, filter_, newest, within
        wanted = Wanted.of([filter_.form])
        self._events = ChangeEvents(plan.facts, wanted)
        self._images = [i for i in ("old", "new") if i in wanted or _RECORD[i] in wanted]
        touched = [leaf for leaf in plan.leaves if not self._left_of(leaf).is_empty]
        self._leaves = deque(reversed(touched) if newest else touched)
        self._rows: LeafRows | None = None
        self._pace, self._at_once = Pace(), _FIRST
        # Rows that are read but not decided, and the frontier when they are.
        self._pending: deque[Row] = deque()
        self._pending_end = self.frontier
        self._reach(self.frontier)

    @property
    def done(self) -> bool:
        return not self._leaves

    def step(self, deadline: float, most_bytes: int) -> None:
        """Search on, for some rows or a slice of time; `found` gets what matches.

        Ends by the deadline (of time.monotonic) or a moment after it, then perhaps without having
        moved. Raises LeafGone if a leaf was dropped meanwhile.
        """
        leaf = self._leaves[0]
        if not self._pending:
            reading = self._reading(leaf)
            some, self._pending_end = reading.read(self._left_of(leaf), deadline)
            self._pending.extend(some)
            self.how[reading.how] = None
        if self._pending:
            self._decide(leaf, self._next(most_bytes), deadline)
        if not self._pending:
            self._reach(self._pending_end)

    def _reading(self, leaf: Leaf) -> LeafRows:
        if self._rows is None:
            condition = self._plan.condition(leaf)
            self._rows = LeafRows(leaf, condition, self._plan.rest, self._newest, self._pace)
        return self._rows

    def _left_of(self, leaf: Leaf) -> Stretch:
        """What is not searched yet of a leaf."""
        ends = Stretch(Place.before_all(leaf.from_at), Place.before_all(leaf.to_at))
        lower, upper = ends.within(self._within)
        if self._newest:
            return Stretch(lower, min(upper, self.frontier))
        return Stretch(max(lower, self.frontier), upper)

    def _reach(self, place: Place) -> None:
        self.frontier = place
        if self._leaves and self._left_of(self._leaves[0]).is_empty:
            self._leaves.popleft()
            self._rows = None
        if self.done:
            self.frontier = self._end

    def _next(self, most_bytes: int) -> list[Row]:
        """The next rows, as many as may be in memory with their images."""
        some: list[Row] = []
        total = 0
        for row in self._pending:
            total += row.weight
            if some and (len(some) >= self._at_once or total > most_bytes):
                break
            some.append(row)
        return some

    def _decide(self, leaf: Leaf, some: Sequence[Row], deadline: float) -> None:
        shown = (
            images(leaf, some, self._images, deadline - time.monotonic()) if self._images else {}
        )
        if shown is None:
            self._at_once = max(self._at_once // 4, 1)
            return
        if self._images and shown.keys() != {(row.batch, row.ordinal) for row in some}:
            raise LeafGone
        for row in some:
            self._pending.popleft()
            place = row.place
            old, new = shown.get((row.batch, row.ordinal), (None, None))
            if self._matches(row, place, old, new):
                self.found.append(self._hit(row, place, leaf))
            self.frontier = place
        self.looked_at += len(some)
        self._at_once = min(self._at_once * 2, _MOST)

    def _hit(self, row: Row, place: Place, leaf: Leaf) -> Hit:
        operation = OPERATION_NAME[row.operation]
        noise = is_noise(operation, row.changed, self._ignored)
        ttl = "dynamodb.amazonaws.com" in (row.user_identity or "")
        return Hit(place, leaf, row.tid, row.weight, operation, row.changed, ttl, noise)

    def _matches(self, row: Row, place: Place, old: str | None, new: str | None) -> bool:
        """What cannot be decided passes, as in event.Matching."""
        try:
            return self._filter.matches(self._event(row, place, old, new))
        except EventError:
            return True

    def _event(self, row: Row, place: Place, old: str | None, new: str | None) -> dict[str, Any]:
        return self._events.make(
            operation=OPERATION_NAME[row.operation],
            keys=row.keys.encode(),
            old=_bytes(old),
            new=_bytes(new),
            changed=None if row.changed is None else tuple(row.changed),
            user_identity=_bytes(row.user_identity),
            size=row.size,
            sequence=sequence_text(row.sequence),
            event_id=row.event_id,
            occurred=place.at,
        )


_RECORD = {"old": "dynamodb.OldImage", "new": "dynamodb.NewImage"}


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
