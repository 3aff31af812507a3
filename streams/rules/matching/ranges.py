"""Which of many ranges a number lies in: a segment tree over the ends that occur."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

Range = tuple[float, float]


class Ranges:
    """Closed ranges, each with a number of its owner. A look costs the logarithm of how many there
    are, and what it finds."""

    def __init__(self, owned: Iterable[tuple[Range, int]]) -> None:
        ranges = list(owned)
        self._ends = sorted({end for (low, high), _ in ranges for end in (low, high)})
        # A place for each end, and for each open stretch between two, before the first and after
        # the last.
        self._size = 2 * len(self._ends) + 1
        nodes: dict[int, list[int]] = {}
        for (low, high), owner in ranges:
            first, last = self._place(low), self._place(high)
            for node in self._cover(first, last):
                nodes.setdefault(node, []).append(owner)
        self._nodes: dict[int, Sequence[int]] = {n: tuple(found) for n, found in nodes.items()}
        # For each node the next one at or above it that has owners, 0 for none: most have none.
        self._next = [0] * (2 * self._size)
        for node in range(1, 2 * self._size):
            self._next[node] = node if node in nodes else self._next[node >> 1]

    def find(self, number: float, found: set[int]) -> None:
        """Add the owners of all ranges that hold the number."""
        node = self._next[self._place(number) + self._size]
        while node:
            found.update(self._nodes[node])
            node = self._next[node >> 1]

    def _place(self, number: float) -> int:
        place = bisect_left(self._ends, number)
        on_end = place < len(self._ends) and self._ends[place] == number
        return 2 * place + on_end

    def _cover(self, first: int, last: int) -> Iterable[int]:
        """The nodes that cover these places and no other."""
        low, high = first + self._size, last + self._size + 1
        while low < high:
            if low & 1:
                yield low
                low += 1
            if high & 1:
                high -= 1
                yield high
            low >>= 1
            high >>= 1
