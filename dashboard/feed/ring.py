"""The newest changes of the feed, encoded, in the memory of one web process."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from streams.queries.feed import START, Cursor

SIZE = 20_000
# Of so many of the newest rows the previews of chosen columns are kept: a follower needs no others,
# and each set of columns costs its own.
CELLS = 2_000

# How many changes of each stream and operation.
Counts = Mapping[tuple[int, str], int]


class Row(NamedTuple):
    cursor: Cursor
    stream: int
    operation: str
    data: msgspec.Raw
    # The filters that it passes, of those that were asked (filters.py).
    passed: frozenset[str] = frozenset()
    noise: bool = False
    # The previews of each set of columns that was in use. Emptied when the row is no longer new.
    cells: dict[tuple[str, ...], msgspec.Raw] = {}


class Hole(NamedTuple):
    """Changes that were counted and not read: all there are after `start` up to `end`."""

    start: Cursor
    end: Cursor
    counts: Counts


class Ring:
    """All changes after `start` up to `end`: as rows, or counted by a hole."""

    def __init__(self, size: int = SIZE) -> None:
        self._rows: list[Row] = []
        self._holes: list[Hole] = []
        self._size = size
        self._with_cells = 0  # the place of the oldest row that has its cells
        self.start = self.end = START

    def restart(self, rows: Sequence[Row], start: Cursor, end: Cursor) -> None:
        """Forget everything and hold these rows, which are all there are between the cursors."""
        self._rows, self._holes, self._with_cells = list(rows), [], 0
        self.start, self.end = start, end

    def append(self, rows: Sequence[Row], end: Cursor) -> None:
        """Hold the rows that follow; the oldest make room."""
        self._rows += rows
        self.end = max(end, self.end)
        # Trimmed by a quarter at a time: deleting at a list's head moves all the rest.
        if len(self._rows) > self._size * 5 // 4:
            self._trim(len(self._rows) - self._size)
        for row in self._rows[self._with_cells : -CELLS]:
            row.cells.clear()
        self._with_cells = max(self._with_cells, len(self._rows) - CELLS)

    def leave_out(self, counts: Counts, end: Cursor) -> None:
        """The changes that follow, up to `end`, are counted only."""
        self._holes.append(Hole(self.end, end, counts))
        self.end = end

    def holds(self, cursor: Cursor) -> bool:
        """True if all that comes after the cursor is here."""
        inside = any(hole.start < cursor < hole.end for hole in self._holes)
        return cursor >= self.start and not inside

    def after(self, cursor: Cursor, streams: frozenset[int] | None) -> list[Row]:
        """The rows after a cursor, oldest first; meaningful only for a cursor that it `holds`."""
        first = bisect_right(self._rows, cursor, key=lambda row: row.cursor)
        rows = self._rows[first:]
        return rows if streams is None else [row for row in rows if row.stream in streams]

    def holes_after(self, cursor: Cursor) -> list[Hole]:
        return [hole for hole in self._holes if hole.start >= cursor] if self._holes else []

    @property
    def cells_since(self) -> Cursor:
        """Rows after this place still have their cells."""
        return self._rows[self._with_cells - 1].cursor if self._with_cells else self.start

    def __len__(self) -> int:
        return len(self._rows)

    def _trim(self, surplus: int) -> None:
        self.start = self._rows[surplus - 1].cursor
        del self._rows[:surplus]
        self._with_cells = max(0, self._with_cells - surplus)
        self._holes = [hole for hole in self._holes if hole.start >= self.start]


def operations(rows: Sequence[Row]) -> dict[str, int]:
    """How many of each operation."""
    return dict(Counter(row.operation for row in rows))
