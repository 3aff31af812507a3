"""The newest changes of the feed, encoded, in the memory of one web process."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from streams.queries.feed import START, Cursor

SIZE = 20_000


class Row(NamedTuple):
    cursor: Cursor
    stream: int
    operation: str
    data: msgspec.Raw
    # The filters that it passes, of those that were asked (filters.py).
    passed: frozenset[str] = frozenset()


class Ring:
    """All changes after `start` up to `end`, without a hole between them."""

    def __init__(self, size: int = SIZE) -> None:
        self._rows: list[Row] = []
        self._size = size
        self.start = self.end = START

    def restart(self, rows: Sequence[Row], start: Cursor, end: Cursor) -> None:
        """Forget everything and hold these rows, which are all there are between the cursors."""
        self._rows, self.start, self.end = list(rows), start, end

    def append(self, rows: Sequence[Row], end: Cursor) -> None:
        """Hold the rows that follow; the oldest make room."""
        self._rows += rows
        self.end = max(end, self.end)
        # Trimmed by a quarter at a time: deleting at a list's head moves all the rest.
        if len(self._rows) > self._size * 5 // 4:
            surplus = len(self._rows) - self._size
            self.start = self._rows[surplus - 1].cursor
            del self._rows[:surplus]

    def after(self, cursor: Cursor, streams: frozenset[int] | None) -> list[Row]:
        """The rows after a cursor, oldest first; meaningful only if the cursor is not before
        `start`."""
        first = bisect_right(self._rows, cursor, key=lambda row: row.cursor)
        rows = self._rows[first:]
        return rows if streams is None else [row for row in rows if row.stream in streams]

    def __len__(self) -> int:
        return len(self._rows)


def operations(rows: Sequence[Row]) -> dict[str, int]:
    """How many of each operation."""
    return dict(Counter(row.operation for row in rows))
