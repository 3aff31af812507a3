"""How a test can be looked up: what a leaf must have, at the least, for the test to accept it.

A lookup may find a test that then refuses the leaf; it never misses one that accepts it. Where all
it finds is accepted, it is `sure`.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from streams.rules.addresses import address, network
from streams.rules.filter_form import Test
from streams.rules.operators import (
    AnythingBut,
    Cidr,
    EqualsIgnoreCase,
    Exact,
    Exists,
    Numeric,
    Prefix,
    Suffix,
    Wildcard,
    wildcard_pieces,
)
from streams.rules.values import Leaf, Number

# Kinds of lookup, each a structure of its own (lookups.py).
TEXT, NUMBER, RANGE = "text", "number", "range"
PREFIX, SUFFIX, PIECE = "prefix", "suffix", "piece"
FOLDED, FOLDED_PREFIX, FOLDED_SUFFIX = "folded", "folded prefix", "folded suffix"
ADDRESS, BUT = "address", "anything but"

_PARTS_OF_TEXT = {PREFIX, SUFFIX, PIECE, FOLDED_PREFIX, FOLDED_SUFFIX}
# The middle of a wildcard is found by pieces of one of these lengths, the longest that fits: each
# length costs a look of its own. Of a long middle so many pieces are considered.
_PIECE_LENGTHS, _MOST_PIECES = (6, 3, 2, 1), 32
_INFINITE = float("inf")


class Access(NamedTuple):
    kind: str
    key: Hashable
    # True if a test that is found by it accepts the leaf.
    sure: bool = False


# Any leaf at all: for tests that have nothing better.
ANY_LEAF = Access(BUT, frozenset())


def accesses(test: Test) -> Sequence[Access]:
    """The ways to look a test up, each enough alone; none if it asks for a leaf's absence."""
    find = _BY_TYPE.get(type(test))
    return find(test) if find else [ANY_LEAF]


def breadth(way: Access) -> float:
    """How often a lookup finds something, beside one for a whole value: a guess."""
    if way.kind in _PARTS_OF_TEXT:
        return 1 + 16 / (1 + len(str(way.key))) ** 2
    return 1


def share_of_range(way: Access) -> float:
    """The share of the numbers at a path that lie in a range of it: a guess."""
    low, high = cast(tuple[float, float], way.key)
    if low == high:
        return 0.001
    return 0.5 if _INFINITE in (-low, high) else 0.05


def number_key(number: Number) -> float:
    """Equal for equal values and never out of order; what is beyond doubles is infinite."""
    return float(number.text)


def fold(text: str) -> str:
    """Equal for all spellings of a pattern that `folds`, and of its parts joined."""
    return text.upper().casefold()


def _folds(text: str) -> bool:
    return text.isascii() or all(fold(c.lower()) == fold(c.upper()) for c in text)


def _exact(test: Exact) -> Sequence[Access]:
    value = test.value
    if isinstance(value, Number):
        return [Access(NUMBER, number_key(value))]
    if isinstance(value, str) and (spelled := address(value)):
        return [Access(ADDRESS, spelled, sure=True)]
    return [Access(TEXT, value, sure=True)]


def _end(test: Prefix | Suffix) -> Sequence[Access]:
    first = isinstance(test, Prefix)
    if not test.ignore_case:
        return [Access(PREFIX if first else SUFFIX, test.text, sure=True)]
    if _folds(test.text):
        return [Access(FOLDED_PREFIX if first else FOLDED_SUFFIX, fold(test.text))]
    return [ANY_LEAF]


def _ignoring_case(test: EqualsIgnoreCase) -> Sequence[Access]:
    return [Access(FOLDED, fold(test.text)) if _folds(test.text) else ANY_LEAF]


def _range(test: Numeric) -> Sequence[Access]:
    low = -_INFINITE if test.low is None else number_key(test.low)
    high = _INFINITE if test.high is None else number_key(test.high)
    return [Access(RANGE, (low, high))]


def _network(test: Cidr) -> Sequence[Access]:
    return [Access(ADDRESS, network(test.text), sure=True)]


def _but(test: AnythingBut) -> Sequence[Access]:
    # Strings are compared letter by letter there; of what else it refuses, nothing is looked up.
    exact = [each.value for each in test.tests if isinstance(each, Exact)]
    texts = frozenset(value for value in exact if isinstance(value, str))
    return [Access(BUT, texts, sure=len(exact) == len(test.tests) and all(map(_is_text, exact)))]


def _is_text(value: Leaf) -> bool:
    return isinstance(value, str)


def _presence(test: Exists) -> Sequence[Access]:
    return [Access(BUT, frozenset(), sure=True)] if test.present else []


def _wildcard(test: Wildcard) -> Sequence[Access]:
    first, *others = wildcard_pieces(test.text)
    if not others:
        return [Access(TEXT, first, sure=True)]
    *middle, last = others
    ways = [Access(PREFIX, first)] if first else []
    ways += [Access(SUFFIX, last)] if last else []
    pieces = {piece for chunk in middle for piece in _pieces(chunk)}
    ways += [Access(PIECE, piece) for piece in sorted(pieces)[:_MOST_PIECES]]
    return ways or [ANY_LEAF]


def _pieces(chunk: str) -> Iterator[str]:
    length = next(length for length in _PIECE_LENGTHS if length <= len(chunk))
    for place in range(len(chunk) - length + 1):
        yield chunk[place : place + length]


_BY_TYPE: Mapping[type, Callable[[Any], Sequence[Access]]] = {
    Exact: _exact,
    Prefix: _end,
    Suffix: _end,
    EqualsIgnoreCase: _ignoring_case,
    Wildcard: _wildcard,
    Numeric: _range,
    Cidr: _network,
    AnythingBut: _but,
    Exists: _presence,
}
