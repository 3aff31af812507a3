"""An item's history: its versions, newest first, a page at a time, with the gaps that touch it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from streams.change import sequence_key
from streams.models import Gap, Stream
from streams.queries.change import Images, gaps_between, gaps_of, supplied
from streams.queries.retention import dropped_until
from streams.queries.rows import StoredChange, fetch_versions


class Version(NamedTuple):
    change: StoredChange
    images: Images
    # The gaps that may hide changes between the version before and this one.
    gaps: list[Gap]


class Versions(NamedTuple):
    """A page of an item's history, newest first. `older` and `newer` are where the pages before
    and after begin, None at the ends; `gaps` are all that touch the page; changes before
    `dropped_until` were dropped by retention, None if none were."""

    versions: list[Version]
    older: str | None
    newer: str | None
    gaps: list[Gap]
    dropped_until: datetime | None


def versions(
    stream: Stream,
    item: UUID,
    *,
    before: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Versions:
    """The page of `limit` versions before (older than) or after (newer than) a place.

    Two more rows than a page are read: the neighbours on both sides supply the images that the
    stream did not send. ValueError if a place is malformed.
    """
    if after is not None:
        rows = fetch_versions(stream.pk, item, _place(after), limit + 1, newer=True)[::-1]
        more_newer, rows = len(rows) > limit, rows[-limit:]
        edge = fetch_versions(stream.pk, item, _key(rows[-1]), 1) if rows else []
        more_older = bool(edge)
        later = fetch_versions(stream.pk, item, _key(rows[0]), 1, newer=True) if rows else []
    else:
        place = None if before is None else _place(before)
        rows = fetch_versions(stream.pk, item, place, limit + 1)
        more_older, edge, rows = len(rows) > limit, rows[limit:], rows[:limit]
        turned = rows and before is not None
        later = fetch_versions(stream.pk, item, _key(rows[0]), 1, newer=True) if turned else []
        more_newer = bool(later)
    return _page(stream, rows, edge, later, more_older, more_newer)


def _page(
    stream: Stream,
    rows: list[StoredChange],
    edge: list[StoredChange],
    later: list[StoredChange],
    more_older: bool,
    more_newer: bool,
) -> Versions:
    gaps, dropped = gaps_of(stream.pk), dropped_until(stream.pk)
    newer = [later[0] if later else None, *rows]
    older = [*rows[1:], edge[0] if edge else None]
    return Versions(
        versions=[
            Version(
                change,
                supplied(change, before, after, gaps, dropped),
                gaps_between(before, change, gaps),
            )
            for after, change, before in zip(newer, rows, older, strict=False)
        ],
        older=_text(rows[-1]) if more_older else None,
        newer=_text(rows[0]) if more_newer else None,
        gaps=[gap for gap in gaps if _touches_page(gap, rows, more_older, more_newer)],
        dropped_until=dropped,
    )


def _touches_page(
    gap: Gap, rows: Sequence[StoredChange], more_older: bool, more_newer: bool
) -> bool:
    """True if the gap lies in the page's stretch of time; the ends of a history are open."""
    if not rows:
        return True
    if more_newer and gap.from_at and gap.from_at > rows[0].occurred_at:
        return False
    return not (more_older and gap.to_at < rows[-1].occurred_at)


def _key(change: StoredChange) -> tuple[int, str]:
    return change.generation, sequence_key(change.sequence)


def _text(change: StoredChange) -> str:
    return f"{change.generation}.{change.sequence}"


def _place(text: str) -> tuple[int, str]:
    generation, dot, sequence = text.partition(".")
    if not (dot and generation.isdecimal() and sequence.isdecimal() and len(text) < 150):
        raise ValueError(f"{text!r} is no place in an item's history")
    if int(generation) >= 2**15:
        raise ValueError(f"{text!r} is no place in an item's history")
    return int(generation), sequence_key(sequence)
