"""What the shop writes next and how much of it: no clock, no network, the same for one seed."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Protocol

from dashboard.demo.customers import Customers
from dashboard.demo.orders import Orders
from dashboard.demo.sessions import Sessions
from dashboard.demo.stock import Stock
from dashboard.demo.values import Write

# Writes in a second, how many seconds such a time lasts, and how often it comes. The average
# over all of it is about 20 a second; a test holds it there.
TEMPI = (
    ("steady", (10, 28), (5, 20), 0.70),
    ("quiet", (0, 1), (2, 6), 0.18),
    ("burst", (70, 120), (1, 3), 0.12),
)


class Table(Protocol):
    def next_write(self, rng: Random, now: int) -> Write: ...


# How often each table is written to.
SHARES: dict[Callable[[], Table], float] = {
    Orders: 0.50,
    Stock: 0.27,
    Sessions: 0.15,
    Customers: 0.08,
}


class Plan:
    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.tables: list[Table] = [kind() for kind in SHARES]
        self._tempo = self._tempi()

    def second(self, now: int) -> list[Write]:
        """The writes of the second that begins now."""
        return [self._next_write(now) for _ in range(next(self._tempo))]

    def _next_write(self, now: int) -> Write:
        (table,) = self.rng.choices(self.tables, list(SHARES.values()))
        return table.next_write(self.rng, now)

    def _tempi(self) -> Iterator[int]:
        weights = [tempo[3] for tempo in TEMPI]
        while True:
            ((_, rate, length, _),) = self.rng.choices(TEMPI, weights)
            for _ in range(self.rng.randint(*length)):
                yield self.rng.randint(*rate)
