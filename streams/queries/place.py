"""Where a page of a list ends that is in the order of time: the list goes on after this row."""

from datetime import datetime
from typing import NamedTuple


class Place(NamedTuple):
    """A row's time and its number, which tells rows of the same time apart."""

    at: datetime
    id: int

    @classmethod
    def parse(cls, text: str) -> "Place":
        """ValueError if it is none."""
        at, _, number = text.rpartition("~")
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not number.isdecimal() or len(number) > 18:
            raise ValueError(text)
        return cls(moment, int(number))

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.id}"
