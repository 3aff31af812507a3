"""The lookups of one path: from a leaf to the clauses that may want it there."""

from collections.abc import Callable, Mapping, Sequence
from socket import AF_INET, inet_pton
from typing import Any

from streams.rules.addresses import Address, Network, address
from streams.rules.matching import access as kinds
from streams.rules.matching.access import Access, fold, number_key
from streams.rules.matching.ranges import Ranges
from streams.rules.matching.texts import Beginnings, Endings, Pieces
from streams.rules.values import Leaf, Number, leaf

Owners = Sequence[int]
# Adds the numbers of the clauses that a text may satisfy.
TextLookup = Callable[[str, set[int]], None]


class Lookups:
    """Filled by `add`, closed by `freeze`, then only read.

    Of a leaf that is a text, ask `texts` and call `of_text`; of any other call `find`.
    """

    __slots__ = ("_added", "_any_leaf", "_numbers", "_ranges", "of_text", "texts")

    def __init__(self) -> None:
        self._added: dict[str, dict[Any, list[int]]] = {}
        # Whole texts, true, false and null; numbers are apart because True == 1.
        self.texts: Mapping[Leaf, Owners] = {}
        self.of_text: Sequence[TextLookup] = ()
        # What has no text to refuse it.
        self._any_leaf: Owners = ()
        self._numbers: Mapping[float, Owners] = {}
        self._ranges: Ranges | None = None

    def add(self, way: Access, owner: int) -> None:
        self._added.setdefault(way.kind, {}).setdefault(way.key, []).append(owner)

    def freeze(self) -> None:
        added = self._added
        self.texts = _closed(added.pop(kinds.TEXT, {}))
        self._numbers = _closed(added.pop(kinds.NUMBER, {}))
        if ranges := added.pop(kinds.RANGE, {}):
            self._ranges = Ranges((ends, n) for ends, numbers in ranges.items() for n in numbers)
        self._any_leaf = [n for owners in added.get(kinds.BUT, {}).values() for n in owners]
        self.of_text = tuple(_LOOKUPS[kind](owned) for kind, owned in sorted(added.items()))
        self._added = {}

    def find(self, value: Any, found: set[int]) -> None:
        """Add the clauses that may want a leaf that is no text (and no object, and no array)."""
        found.update(self._any_leaf)
        if value is None or type(value) is bool:
            found.update(self.texts.get(value, ()))
        elif self._numbers or self._ranges:
            number = value if type(value) is Number else leaf(value)
            if isinstance(number, Number):
                key = number_key(number)
                if key in self._numbers:
                    found.update(self._numbers[key])
                if self._ranges:
                    self._ranges.find(key, found)


def _closed(added: Mapping[Any, list[int]]) -> dict[Any, Owners]:
    return {key: tuple(owners) for key, owners in added.items()}


def _whole(owned: Mapping[str, Owners]) -> TextLookup:
    def look(text: str, found: set[int]) -> None:
        found.update(owned.get(text, ()))

    return look


def _folded(look: TextLookup) -> TextLookup:
    return lambda text, found: look(fold(text), found)


def _anything_but(owned: Mapping[frozenset[str], Owners]) -> TextLookup:
    # A clause that names several is refused by the texts that all of them refuse.
    refused: dict[int, frozenset[str]] = {}
    for texts, owners in owned.items():
        for owner in owners:
            refused[owner] = refused.get(owner, texts) & texts
    every = frozenset(refused)
    refusing: dict[str, set[int]] = {}
    for owner, texts in refused.items():
        for text in texts:
            refusing.setdefault(text, set()).add(owner)

    def look(text: str, found: set[int]) -> None:
        found.update(every - refusing[text] if text in refusing else every)

    return look


def _addresses(owned: Mapping[Address | Network, Owners]) -> TextLookup:
    # Networks of one size do not overlap, and there are at most 160 sizes.
    sizes: dict[tuple[int, int], dict[int, Owners]] = {}
    for spelled, owners in owned.items():
        first = spelled.first if isinstance(spelled, Network) else spelled.number
        free = spelled.last - spelled.first if isinstance(spelled, Network) else 0
        sizes.setdefault((spelled.bits, free), {})[first] = owners

    def look(text: str, found: set[int]) -> None:
        bits, number = _bits_and_number(text)
        for (bits_of_size, free), networks in sizes.items():
            if bits_of_size == bits and (first := number & ~free) in networks:
                found.update(networks[first])

    return look


def _bits_and_number(text: str) -> tuple[int, int]:
    """Of the address that the text spells; 0 bits if it spells none."""
    try:  # the usual spelling, ten times as fast
        return 32, int.from_bytes(inet_pton(AF_INET, text))
    except (OSError, ValueError):
        spelled = address(text)
        return (spelled.bits, spelled.number) if spelled else (0, 0)


_LOOKUPS: Mapping[str, Callable[[Mapping[Any, Owners]], TextLookup]] = {
    kinds.BUT: _anything_but,
    kinds.PREFIX: lambda owned: Beginnings(owned).find,
    kinds.SUFFIX: lambda owned: Endings(owned).find,
    kinds.PIECE: lambda owned: Pieces(owned).find,
    kinds.FOLDED: lambda owned: _folded(_whole(owned)),
    kinds.FOLDED_PREFIX: lambda owned: _folded(Beginnings(owned).find),
    kinds.FOLDED_SUFFIX: lambda owned: _folded(Endings(owned).find),
    kinds.ADDRESS: _addresses,
}
