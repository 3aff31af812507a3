"""An item's versions as the lines of its timeline: days, gaps, deleted periods, folded noise."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from dashboard.feed.preview import visible
from streams.change import MODIFY, REMOVE
from streams.diff import differing_names
from streams.image import Unreadable, read
from streams.models import Gap
from streams.noise import is_noise
from streams.queries.change import Images
from streams.queries.history import Versions
from streams.queries.rows import StoredChange

# Larger images are not decoded for the timeline: comparing two versions shows what differs.
_LARGE = 32 * 1024
_NAMES = 3


class Line(NamedTuple):
    """One line, told apart by `kind`.

    `day`: `day` begins (UTC). `version`: `change`, the `number` of its changed fields (None where
    that is not known) and the first `names` as a text; `in_gap` if it happened in a gap.
    `fold`: `number` versions of noise. `gap`: `gap`, once, at its newest place. `deleted`: from
    `change` on there was no item, up to `until` (None: to now, or as far as this page tells).
    """

    kind: str
    change: StoredChange | None = None
    day: date | None = None
    number: int | None = None
    names: str = ""
    gap: Gap | None = None
    until: datetime | None = None
    in_gap: bool = False

    @property
    def seconds(self) -> float | None:
        if self.change is None or self.until is None:
            return None
        return (self.until - self.change.occurred_at).total_seconds()


def timeline(
    page: Versions, key: Collection[str], ignored: Collection[str] | None, kept: Collection[str]
) -> list[Line]:
    """The lines of a page, newest first.

    `ignored` are the stream's ignored fields, None to show noise as well; the versions whose ids
    are in `kept` are never folded.
    """
    between = {gap.pk for version in page.versions for gap in version.gaps}
    loose = [gap for gap in page.gaps if gap.pk not in between]
    newest = page.versions[0].change.occurred_at if page.versions else None
    after = [gap for gap in loose if newest and gap.to_at >= newest]
    before = [gap for gap in loose if gap not in after]
    return [
        *(Line("gap", gap=gap) for gap in after),
        *_versions(page, key, ignored, kept),
        *(Line("gap", gap=gap) for gap in before),
    ]


def _versions(
    page: Versions, key: Collection[str], ignored: Collection[str] | None, kept: Collection[str]
) -> Iterator[Line]:
    day: date | None = None
    newer: datetime | None = None
    drawn: set[int] = set()
    folded = 0
    for version in page.versions:
        change = version.change
        names = changed_names(change, version.images, key)
        noise = ignored is not None and change.id not in kept
        if noise and is_noise(change.operation, names, ignored or ()):
            folded += 1
        else:
            yield from _fold(folded)
            folded = 0
            if change.occurred_at.date() != day:
                day = change.occurred_at.date()
                yield Line("day", day=day)
            if change.operation == REMOVE:
                yield Line("deleted", change=change, until=newer)
            number = None if names is None else len(names)
            shown = _first(names or ()) if change.operation == MODIFY else ""
            in_gap = any(_holds(gap, change) for gap in page.gaps)
            yield Line("version", change=change, number=number, names=shown, in_gap=in_gap)
        if gaps := [gap for gap in version.gaps if gap.pk not in drawn]:
            yield from _fold(folded)
            folded = 0
            drawn.update(gap.pk for gap in gaps)
            yield from (Line("gap", gap=gap) for gap in gaps)
        newer = change.occurred_at
    yield from _fold(folded)


def changed_names(change: StoredChange, images: Images, key: Collection[str]) -> list[str] | None:
    """The top-level attributes that differ, the key's left out; None if that is not known."""
    if change.changed is not None:
        return [name for name in change.changed if name not in key]
    if images.old is None or images.new is None:
        return None
    if max(len(images.old), len(images.new)) > _LARGE:
        return None
    try:
        return differing_names(read(images.old), read(images.new))
    except Unreadable:
        return None


def _first(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _NAMES else ""
    return ", ".join(visible(name[:60]) for name in names[:_NAMES]) + more


def _holds(gap: Gap, change: StoredChange) -> bool:
    return gap.to_at >= change.occurred_at and (
        gap.from_at is None or gap.from_at <= change.occurred_at
    )


def _fold(number: int) -> Iterator[Line]:
    if number:
        yield Line("fold", number=number)
