"""What one viewer selected to see."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from dashboard.feed.columns import Columns
from dashboard.feed.protocol import ROWS_PER_SECOND
from dashboard.feed.ring import Row
from streams.rules import Filter


class LeftOut(NamedTuple):
    """How many the filter left out, and how many that pass it are noise."""

    hidden: int = 0
    noise: int = 0

    def and_(self, more: "LeftOut") -> "LeftOut":
        return LeftOut(self.hidden + more.hidden, self.noise + more.noise)


class Looked(NamedTuple):
    """What a selection shows of some rows of its streams."""

    there: Sequence[Row]
    rows: list[Row]
    left_out: LeftOut


@dataclass(frozen=True)
class Selection:
    """`streams` are ids by name, None for all; `noise` shows it too."""

    streams: dict[str, int] | None = None
    filter: Filter | None = None
    columns: Columns = ()
    noise: bool = False
    rows_per_second: int = ROWS_PER_SECOND[0]

    @cached_property
    def ids(self) -> frozenset[int] | None:
        return None if self.streams is None else frozenset(self.streams.values())

    @cached_property
    def text(self) -> str:
        """The filter's text, "" without one."""
        return self.filter.text if self.filter else ""

    def has(self, stream: int) -> bool:
        return self.ids is None or stream in self.ids

    def look(self, there: Sequence[Row]) -> Looked:
        """Which of the rows are shown; they are of the selected streams."""
        # No calls in these loops: each viewer goes over each row.
        passing, text = list(there), self.text
        if self.filter:
            passing = [row for row in there if text in row.passed]
        rows = passing
        if not self.noise:
            rows = [row for row in passing if not row.noise]
        return Looked(there, rows, LeftOut(len(there) - len(passing), len(passing) - len(rows)))

    def asks(self, ignoring: frozenset[int]) -> bool:
        """True if a change must be looked at to know whether it is shown. `ignoring` are the
        streams that have ignored fields, so that some of their changes are noise."""
        if self.filter:
            return True
        return not self.noise and any(self.has(stream) for stream in ignoring)
