"""The operators of the language. Each is asked about one leaf; several in a list are or-ed.

`exact` says how numbers compare: by their exact decimal value, as below `old`, `new` and `keys`,
or as event-ruler does in any other event (values.Number.double).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from streams.rules.addresses import Address, Network, address, network
from streams.rules.filter_form import Test
from streams.rules.folding import Folded
from streams.rules.value_set import ValueSet
from streams.rules.values import Leaf, Number


def same_number(one: Number, other: Number, exact: bool) -> bool:
    if one.text == other.text:
        return True
    if exact:
        return one.value is not None and one.value == other.value
    return one.double is not None and one.double == other.double


@dataclass(frozen=True, slots=True)
class Exact:
    """This value and type. A string that spells an IP address matches its other spellings too."""

    value: Leaf
    exact: bool = False
    _address: Address | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        spelled = address(self.value) if isinstance(self.value, str) else None
        object.__setattr__(self, "_address", spelled)

    @property
    def is_literal(self) -> bool:
        """True if it accepts one string, letter by letter, and nothing else."""
        return isinstance(self.value, str) and self._address is None

    def accepts(self, leaf: Leaf) -> bool:
        if isinstance(self.value, str):
            if leaf == self.value:
                return True
            return (
                self._address is not None
                and isinstance(leaf, str)
                and address(leaf) == self._address
            )
        if isinstance(self.value, Number):
            return isinstance(leaf, Number) and same_number(self.value, leaf, self.exact)
        return leaf is self.value


@dataclass(frozen=True, slots=True)
class _End:
    """A text at one end of a string."""

    text: str
    ignore_case: bool = False
    _folded: Folded | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_folded", Folded(self.text) if self.ignore_case else None)


@dataclass(frozen=True, slots=True)
class Prefix(_End):
    def accepts(self, leaf: Leaf) -> bool:
        if not isinstance(leaf, str):
            return False
        return self._folded.begins(leaf) if self._folded else leaf.startswith(self.text)


@dataclass(frozen=True, slots=True)
class Suffix(_End):
    def accepts(self, leaf: Leaf) -> bool:
        if not isinstance(leaf, str):
            return False
        return self._folded.ends(leaf) if self._folded else leaf.endswith(self.text)


@dataclass(frozen=True, slots=True)
class EqualsIgnoreCase:
    text: str
    _folded: Folded = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_folded", Folded(self.text))

    def accepts(self, leaf: Leaf) -> bool:
        return isinstance(leaf, str) and self._folded.equals(leaf)


def wildcard_pieces(text: str) -> tuple[str, ...]:
    r"""The literal texts between the stars, escapes resolved. ValueError for ** and a stray \."""
    pieces, piece, position = [], "", 0
    while position < len(text):
        character = text[position]
        if character == "*":
            if text.startswith("**", position):
                raise ValueError("has two stars in a row, which a single one says as well")
            pieces.append(piece)
            piece = ""
        elif character == "\\":
            position += 1
            if text[position : position + 1] not in ("*", "\\"):
                raise ValueError(r"has a \ that escapes nothing: only \* and \\ are escapes")
            piece += text[position]
        else:
            piece += character
        position += 1
    return (*pieces, piece)


@dataclass(frozen=True, slots=True)
class Wildcard:
    r"""The whole text, where * stands for any text, also none; \* and \\ are literal."""

    text: str
    _pieces: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pieces", wildcard_pieces(self.text))

    def accepts(self, leaf: Leaf) -> bool:
        if not isinstance(leaf, str):
            return False
        first, *middle = self._pieces
        if not middle:
            return leaf == first
        last = middle.pop()
        if not leaf.startswith(first) or not leaf.endswith(last):
            return False
        # Taking the earliest place for each piece leaves most to the next, so nothing is retried.
        position = len(first)
        for piece in middle:
            position = leaf.find(piece, position)
            if position < 0:
                return False
            position += len(piece)
        return position <= len(leaf) - len(last)


@dataclass(frozen=True, slots=True)
class Numeric:
    """A range of numbers, open where a bound is None. Equality has the same bound twice."""

    low: Number | None
    low_included: bool
    high: Number | None
    high_included: bool
    exact: bool = False

    def accepts(self, leaf: Leaf) -> bool:
        if not isinstance(leaf, Number):
            return False
        size = self._size(leaf)
        if size is None:
            return False
        return self._above(size) and self._below(size)

    def _size(self, number: Number) -> Any:
        return number.value if self.exact else number.double

    def _above(self, size: Any) -> bool:
        if self.low is None:
            return True
        bound = self._size(self.low)
        return bound is not None and bool(size >= bound if self.low_included else size > bound)

    def _below(self, size: Any) -> bool:
        if self.high is None:
            return True
        bound = self._size(self.high)
        return bound is not None and bool(size <= bound if self.high_included else size < bound)


@dataclass(frozen=True, slots=True)
class Cidr:
    """A string that spells an IP address of the range. ValueError for what is no range."""

    text: str
    _network: Network = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_network", network(self.text))

    def accepts(self, leaf: Leaf) -> bool:
        found = address(leaf) if isinstance(leaf, str) else None
        return found is not None and self._network.holds(found)


@dataclass(frozen=True, slots=True)
class AnythingBut:
    """A leaf that none of the tests accepts. Strings are compared letter by letter here.

    Only a leaf that is there can be accepted, so an absent field matches no AnythingBut.
    """

    tests: tuple[Test, ...]
    _accepts: tuple[Callable[[Leaf], bool], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_accepts", acceptors(self.tests, addresses=False))

    def accepts(self, leaf: Leaf) -> bool:
        return not any(accepts(leaf) for accepts in self._accepts)


def acceptors(
    tests: tuple[Test, ...], addresses: bool = True
) -> tuple[Callable[[Leaf], bool], ...]:
    """The same tests in fewer functions: plain values are looked up, however many there are.

    With `addresses` off, strings that spell IP addresses are compared letter by letter.
    """
    functions: list[Callable[[Leaf], bool]] = []
    for exact in (False, True):
        values = [test.value for test in tests if isinstance(test, Exact) and test.exact is exact]
        if values:
            functions.append(ValueSet(values, exact, addresses).accepts)
    return (*functions, *(test.accepts for test in tests if not isinstance(test, Exact)))


@dataclass(frozen=True, slots=True)
class Exists:
    """Any leaf, or none at all: absence is found where there is no leaf to ask."""

    present: bool

    def accepts(self, leaf: Leaf) -> bool:
        return self.present


_ORDERS: dict[str, Callable[[str, str], bool]] = {
    "<": str.__lt__,
    "<=": str.__le__,
    ">": str.__gt__,
    ">=": str.__ge__,
}


@dataclass(frozen=True, slots=True)
class Ordered:
    """Text that sorts before or behind another, by code points. Patterns cannot say this."""

    operator: str
    text: str

    def accepts(self, leaf: Leaf) -> bool:
        return isinstance(leaf, str) and _ORDERS[self.operator](leaf, self.text)
