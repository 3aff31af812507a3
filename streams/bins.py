"""A stretch of time with the changes that were stored in it: what charts are made of. Plain
Python."""

from dataclasses import dataclass
from datetime import datetime

from streams.change import OPERATIONS


@dataclass(frozen=True)
class Bin:
    """`counts` is operation -> changes; an operation that is missing had none."""

    start: datetime
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.get(operation, 0) for operation in OPERATIONS)
