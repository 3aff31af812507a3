"""How clauses are found in the bytes of changes: by the part of their demand that is rarest.

Changes are looked through by the dozen, for most of the cost of a search is to begin it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, chain

from ahocorasick_rs import BytesAhoCorasick, Implementation

from streams.change import Change
from streams.rules.matching.demands import (
    BOOLEANS,
    Demand,
    Leaves,
    Range,
    is_escaped,
    numbers_in,
)
from streams.rules.matching.ranges import Ranges

# Guesses: the share of the changes that have a number in a closed range, in one with an open end,
# and an attribute that changed.
_IN_RANGE, _IN_OPEN_RANGE, _CHANGED = 0.01, 0.5, 0.3
_INFINITE = float("inf")
# The quickest way to search takes a kilobyte for each character of a text.
_MOST_FOR_DFA = 1_000


class Rarest:
    """Chooses the part of a demand that the fewest changes of the sample meet."""

    def __init__(self, sample: Sequence[Change]) -> None:
        self._sample = sample
        self._shares: dict[Leaves | frozenset[str], float] = {}

    def __call__(self, demand: Demand) -> Leaves | frozenset[str] | None:
        """The leaves or the names; None if nothing is demanded that could be looked for."""
        able: list[Leaves | frozenset[str]] = [*filter(_can_be_found, demand.leaves)]
        able += [] if demand.names is None else [demand.names]
        return min(able, key=self._share, default=None)

    def _share(self, part: Leaves | frozenset[str]) -> float:
        if part not in self._shares:
            if isinstance(part, frozenset):
                guess, alone = _CHANGED, Demand((), part)
            else:
                guess, alone = _guess(part), Demand((part,), None)
            met = sum([alone.met_by(change) for change in self._sample])
            self._shares[part] = (met + guess) / (len(self._sample) + 1)
        return self._shares[part]


def _guess(leaves: Leaves) -> float:
    """The share of changes that meet this, before any was seen."""
    shares = [1 / (1 + len(text)) for text in leaves.texts]
    shares += [_IN_OPEN_RANGE if _INFINITE in (-a, b) else _IN_RANGE for a, b in leaves.ranges]
    return sum(shares)


def _can_be_found(leaves: Leaves) -> bool:
    # Every other image has true and false in it.
    return not any(text in leaves.texts for text in BOOLEANS.values())


# By the place of a change: the numbers of the clauses that it may match.
Candidates = dict[int, set[int]]
Find = Callable[[Sequence[Change], Candidates], None]


class Finders:
    """Collects how the candidates are found."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[bytes, list[int]]] = {}
        self._ranges: dict[str, dict[str, list[tuple[Range, int]]]] = {}
        self._names: dict[str, list[int]] = {}

    def add(self, number: int, demand: Demand, choose: Rarest) -> Demand | None:
        """What is left of the demand where a change finds the candidate; None if none can."""
        chosen = choose(demand)
        if chosen is None:
            return None
        if isinstance(chosen, frozenset):
            for name in chosen:
                self._names.setdefault(name, []).append(number)
            return Demand(demand.leaves, None)
        for text in chosen.texts:
            self._texts.setdefault(chosen.place, {}).setdefault(text, []).append(number)
        ranges = self._ranges.setdefault(chosen.place, {}) if chosen.ranges else {}
        for ends in chosen.ranges:
            ranges.setdefault(chosen.name, []).append((ends, number))
        return Demand(tuple(each for each in demand.leaves if each is not chosen), demand.names)

    def finders(self) -> list[Find]:
        found = [_find_texts(place, texts) for place, texts in self._texts.items()]
        found += [_find_numbers(place, ranges) for place, ranges in self._ranges.items()]
        return [*found, _find_names(self._names)] if self._names else found


def _find_texts(place: str, texts: Mapping[bytes, Sequence[int]]) -> Find:
    kind = Implementation.DFA if len(texts) <= _MOST_FOR_DFA else None
    search = BytesAhoCorasick(list(texts), implementation=kind).find_matches_as_indexes
    owners = list(texts.values())
    every = frozenset(chain.from_iterable(owners))

    def find(changes: Sequence[Change], found: Candidates) -> None:
        raws: list[bytes] = [getattr(change, place) or b"" for change in changes]
        # No text has a line's end in it, so none is found across two images.
        joined = b"\n".join(raws)
        if b"\\" in joined:
            for number, raw in enumerate(raws):
                if is_escaped(raw):
                    found.setdefault(number, set()).update(every)
        hits = search(joined, overlapping=True)
        if hits:
            ends = list(accumulate(len(raw) + 1 for raw in raws))
            for text, start, _ in hits:
                found.setdefault(bisect_right(ends, start), set()).update(owners[text])

    return find


def _find_numbers(place: str, asked: Mapping[str, Sequence[tuple[Range, int]]]) -> Find:
    looks = [_Numbers(name, owned) for name, owned in asked.items()]

    def find(changes: Sequence[Change], found: Candidates) -> None:
        raws: list[bytes] = [getattr(change, place) or b"" for change in changes]
        joined = b"\n".join(raws)
        for look in looks:
            if look.may_find(joined):
                for number, raw in enumerate(raws):
                    if owners := look.owners(raw):
                        found.setdefault(number, set()).update(owners)

    return find


class _Numbers:
    """The ranges in which an attribute is looked for."""

    def __init__(self, name: str, owned: Sequence[tuple[Range, int]]) -> None:
        self._numbers, self._ranges = numbers_in(name), Ranges(owned)
        self._every = {number for _, number in owned}
        self._ends = joined_ends(ends for ends, _ in owned)

    def may_find(self, raw: bytes) -> bool:
        """A quick look into the bytes of many images."""
        ends = self._ends
        for number in self._numbers(raw):
            if number is None:
                return True
            behind = bisect_left(ends, number)
            # Behind a low end, or on one.
            if behind % 2 or (behind < len(ends) and ends[behind] == number):
                return True
        return False

    def owners(self, raw: bytes) -> set[int]:
        found: set[int] = set()
        for number in self._numbers(raw):
            if number is None:
                return self._every
            self._ranges.find(number, found)
        return found


def joined_ends(ranges: Iterable[Range]) -> list[float]:
    """The ends of ranges, those that overlap or touch taken as one: low, high, low, high…"""
    ends: list[float] = []
    for low, high in sorted(ranges):
        if ends and low <= ends[-1]:
            ends[-1] = max(ends[-1], high)
        else:
            ends += (low, high)
    return ends


def _find_names(owners: Mapping[str, Sequence[int]]) -> Find:
    names = frozenset(owners)

    def find(changes: Sequence[Change], found: Candidates) -> None:
        for number, change in enumerate(changes):
            changed = change.changed
            if changed is None or not names.isdisjoint(changed):
                for name in names if changed is None else names.intersection(changed):
                    found.setdefault(number, set()).update(owners[name])

    return find
