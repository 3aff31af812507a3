"""The matches of a backtest, kept in few bytes each, and given out group by group in the feed's
order."""

from array import array
from collections.abc import Iterator
from typing import NamedTuple

from streams.alerting.evaluate import Hit
from streams.queries.matched import Place

# In a key below a feed position: an ordinal (a batch has a few thousand changes), and one bit for
# the part.
_ORDINAL_BITS = 20


class Origin(NamedTuple):
    """What a hit was: its change, its stream, its group."""

    change: str
    stream: str
    group: str
    occurred: int
    part: int


class Hits:
    """A hit takes some 60 bytes, and each group what its text takes."""

    def __init__(self) -> None:
        # A feed position, an ordinal and a part in one number, which sorts as they do.
        self._keys = array("q")
        self._batches, self._clocks, self._occurred = array("q"), array("q"), array("q")
        self._streams, self._groups = array("l"), array("l")
        self._names: dict[str, int] = {}
        self._texts: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, place: Place, stream: str, part: int, group: str) -> None:
        key = place.position << _ORDINAL_BITS | place.ordinal
        self._keys.append(key << 1 | (part == 1))
        self._batches.append(place.batch)
        self._clocks.append(place.clock)
        self._occurred.append(place.occurred)
        self._streams.append(self._names.setdefault(stream, len(self._names)))
        self._groups.append(self._texts.setdefault(group, len(self._texts)))

    def by_group(self) -> Iterator[tuple[str, Iterator[Hit]]]:
        """Each group with its hits in order; the refs are for `change`."""
        order = self._order()
        self._make_clocks_rise(order)
        if len(self._texts) > 1:
            order.sort(key=self._groups.__getitem__)
        texts, begin = list(self._texts), 0
        while begin < len(order):
            group, end = self._groups[order[begin]], begin
            while end < len(order) and self._groups[order[end]] == group:
                end += 1
            yield texts[group], self._hits(order[begin:end], group=texts[group])
            begin = end

    def newest(self, number: int) -> list[Origin]:
        """The last of them, the newest first."""
        return [self._origin(ref) for ref in self._order()[: -number - 1 : -1]]

    def clocks(self) -> "array[int]":
        return self._clocks

    def change(self, ref: int) -> str:
        """The permalink of a hit's change."""
        return f"{self._batches[ref]}-{self._keys[ref] >> 1 & (1 << _ORDINAL_BITS) - 1}"

    def _origin(self, ref: int) -> Origin:
        return Origin(
            self.change(ref),
            next(n for n, number in self._names.items() if number == self._streams[ref]),
            next(t for t, number in self._texts.items() if number == self._groups[ref]),
            self._occurred[ref],
            1 if self._keys[ref] & 1 else 2,
        )

    def _order(self) -> list[int]:
        """In the feed's order. Of one change the second part of a sequence comes first: it does not
        follow itself."""
        return sorted(range(len(self._keys)), key=self._keys.__getitem__)

    def _make_clocks_rise(self, order: list[int]) -> None:
        """As they do by themselves but where batches were numbered before rules were there."""
        highest = 0
        for ref in order:
            highest = max(highest, self._clocks[ref])
            self._clocks[ref] = highest

    def _hits(self, refs: list[int], group: str) -> Iterator[Hit]:
        clocks, occurred, keys = self._clocks, self._occurred, self._keys
        for ref in refs:
            yield Hit(clocks[ref], occurred[ref], ref, 1 if keys[ref] & 1 else 2, group)
