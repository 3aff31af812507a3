"""Any of many values at once: what a list of plain values asks, at the price of one look."""

from collections.abc import Iterable

from streams.rules.addresses import address
from streams.rules.values import Leaf, Number


class ValueSet:
    """Accepts what one of the values would, each as an Exact (operators.py)."""

    __slots__ = ("_addresses", "_constants", "_exact", "_sizes", "_spellings", "_texts")

    def __init__(self, values: Iterable[Leaf], exact: bool, addresses: bool) -> None:
        """`exact`: numbers are compared exactly. `addresses`: other spellings of them count."""
        values = list(values)
        texts = [value for value in values if isinstance(value, str)]
        numbers = [value for value in values if isinstance(value, Number)]
        self._exact = exact
        self._texts = frozenset(texts)
        self._addresses = frozenset(map(address, texts if addresses else ())) - {None}
        self._spellings = frozenset(number.text for number in numbers)
        self._sizes = frozenset(self._size(number) for number in numbers) - {None}
        self._constants = frozenset(
            value for value in values if value is None or isinstance(value, bool)
        )

    def accepts(self, leaf: Leaf) -> bool:
        if isinstance(leaf, str):
            return leaf in self._texts or (
                bool(self._addresses) and address(leaf) in self._addresses
            )
        if isinstance(leaf, Number):
            return bool(self._spellings) and (
                leaf.text in self._spellings or self._size(leaf) in self._sizes
            )
        return leaf in self._constants

    def _size(self, number: Number) -> object:
        return number.value if self._exact else number.double
