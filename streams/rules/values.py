"""Leaves of an event: text, a number, true, false, null. Numbers keep their spelling."""

import math
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from streams.rules.errors import EventError

_UNKNOWN: Final[Any] = object()


class Number:
    """A number as it was written, in JSON's spelling (or Decimal's own, as in 1E+2).

    Two are equal if their texts are: in a generic event a number that no double holds matches
    nothing but its own spelling. Compare `value` where numbers are exact, `double` elsewhere.
    """

    __slots__ = ("_double", "_value", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        # Most numbers of an event are never asked for their value.
        self._value: Decimal | None = _UNKNOWN
        self._double: float | None = _UNKNOWN

    @property
    def value(self) -> Decimal | None:
        """The exact value; None if the exponent is beyond what a decimal can hold."""
        if self._value is _UNKNOWN:
            try:
                self._value = Decimal(self.text)
            except InvalidOperation:
                self._value = None
        return self._value

    @property
    def double(self) -> float | None:
        """The value as event-ruler compares it; None if the nearest double is written otherwise.

        So 0.1 has a double and 27.8078079216940921 has none.
        """
        if self._double is _UNKNOWN:
            nearest = float(self.text)
            same = math.isfinite(nearest) and Decimal(repr(nearest)) == self.value
            self._double = nearest if same else None
        return self._double

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and self.text == other.text

    def __hash__(self) -> int:
        return hash((Number, self.text))

    def __repr__(self) -> str:
        return f"Number({self.text!r})"


Leaf = str | Number | bool | None


def leaf(value: Any) -> Leaf:
    """A value that is no dict and no list as the operators see it.

    EventError if JSON has no such value (bytes, sets, infinity).
    """
    if value is None or isinstance(value, (str, Number, bool)):
        return value
    if isinstance(value, int):
        return Number(format(Decimal(value), "f"))  # str(int) refuses more than 4,300 digits
    if isinstance(value, float) and math.isfinite(value):
        return Number(repr(value))
    if isinstance(value, Decimal) and value.is_finite():
        return Number(str(value))
    raise EventError(f"An event holds no {type(value).__name__} such as {repr(value)[:40]}.")
