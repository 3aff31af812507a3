"""Places in the order of a search: by time, and within a moment by batch and ordinal."""

from datetime import UTC, datetime
from typing import NamedTuple

from streams.change import microseconds, moment

_FIRST_AT = microseconds(datetime.min.replace(tzinfo=UTC))
_LAST_ORDINAL = 2**31 - 1
_LAST_AT = microseconds(datetime.max.replace(tzinfo=UTC))


class Place(NamedTuple):
    """A change's place: when it happened (microseconds since 1970), its batch, its ordinal there.

    Batches count from 1, so (at, 0, 0) lies before all changes of a moment. As a cursor it stands
    between the changes that were searched and those that were not.
    """

    at: int
    batch: int
    ordinal: int

    def __str__(self) -> str:
        return f"{self.at}.{self.batch}.{self.ordinal}"

    @property
    def moment(self) -> datetime:
        return moment(self.at)

    @property
    def previous(self) -> "Place":
        """The place right before: what is beyond it begins with this one."""
        if self.ordinal:
            return self._replace(ordinal=self.ordinal - 1)
        return Place(self.at, self.batch - 1, _LAST_ORDINAL) if self.batch else self

    @property
    def following(self) -> "Place":
        return self._replace(ordinal=self.ordinal + 1)

    @classmethod
    def before_all(cls, at: datetime) -> "Place":
        """The place before all changes of a moment."""
        return cls(microseconds(at), 0, 0)

    @classmethod
    def parse(cls, text: str) -> "Place":
        """The place of its text; ValueError if it is none."""
        at, batch, ordinal = text.split(".") if text.count(".") == 2 else ("", "", "")
        if not (_is_number(at.removeprefix("-")) and _is_number(batch) and _is_number(ordinal)):
            raise ValueError(f"{text!r} is no place in a search; one looks like {_EXAMPLE}")
        place = cls(int(at), int(batch), int(ordinal))
        if not FIRST.at <= place.at <= LAST.at or place.batch >= 2**63 or place.ordinal >= 2**31:
            raise ValueError(f"{text!r} is no place in a search; one looks like {_EXAMPLE}")
        return place


class Stretch(NamedTuple):
    """The changes strictly between two places."""

    lower: Place
    upper: Place

    def __contains__(self, place: object) -> bool:
        return isinstance(place, Place) and self.lower < place < self.upper

    def within(self, other: "Stretch") -> "Stretch":
        """What both have in common; empty if the lower end is not before the upper."""
        return Stretch(max(self.lower, other.lower), min(self.upper, other.upper))

    @property
    def is_empty(self) -> bool:
        return self.lower >= self.upper


FIRST, LAST = Place(_FIRST_AT, 0, 0), Place(_LAST_AT, 0, 0)
_EXAMPLE = "1800000000000000.118.42"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20
