"""One field of an item over time: the periods in which it had each value."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from streams.diff import Typed
from streams.field_path import Step
from streams.models import Stream
from streams.queries.field_steps import FieldStep, alike, field_steps
from streams.queries.history import parse_place
from streams.queries.rows import StoredChange

# So many versions that may have changed the field are on a page.
PAGE = 100


class Period(NamedTuple):
    """From when to when the field had a value.

    `value` is None where the item had no such field. `begun_by` and `ended_by` are the changes at
    both ends: None for before the first recorded one, and for the present. Without `known` the
    value is not in the store; `doubtful` if a change between may be missing.
    """

    value: Typed | None
    known: bool
    begun_by: StoredChange | None
    ended_by: StoredChange | None
    doubtful: bool

    @property
    def seconds(self) -> float | None:
        """How long, in seconds; None if an end is not known or has not come."""
        if self.begun_by is None or self.ended_by is None:
            return None
        return (self.ended_by.occurred_at - self.begun_by.occurred_at).total_seconds()

    @property
    def begin(self) -> datetime | None:
        return self.begun_by.occurred_at if self.begun_by else None


class Lens(NamedTuple):
    """Periods, newest first; `older` is where the next page begins, None if there is none."""

    periods: list[Period]
    older: str | None


def lens(stream: Stream, item: UUID, path: Sequence[Step], before: str | None = None) -> Lens:
    """A page of the field's periods. On a page `before` a place the first period ends on the page
    after it. ValueError if the place is malformed."""
    place = None if before is None else parse_place(before)
    found = field_steps(stream, item, path, place, PAGE)
    periods = list(_periods(found.steps, whole=found.older is None))
    older = f"{found.older[0]}.{found.older[1][1:]}" if found.older else None
    return Lens(periods, older)


def _periods(steps: Sequence[FieldStep], *, whole: bool) -> Iterator[Period]:
    newer: FieldStep | None = None
    doubtful = False
    for step in steps:
        doubtful = doubtful or bool(step.gaps) or _contradicts(step, newer)
        if step.before_known and step.after_known and not step.changed:
            continue
        ended_by = newer.change if newer else None
        yield Period(step.after, step.after_known, step.change, ended_by, doubtful)
        newer, doubtful = step, bool(step.gaps)
    if whole and newer and newer.before_known and newer.before is not None:
        yield Period(newer.before, True, None, newer.change, doubtful)


def _contradicts(step: FieldStep, newer: FieldStep | None) -> bool:
    """True if a change between the two must be missing."""
    if newer is None or not (step.after_known and newer.before_known):
        return False
    return not alike(step.after, newer.before)
