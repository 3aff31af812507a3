"""An item's history: its versions, newest first, a page at a time, with the gaps that touch it."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from streams.change import sequence_key
from streams.models import Gap, Stream
from streams.queries.change import Images, gaps_between, gaps_of, supplied
from streams.queries.rows import StoredChange, fetch


class Version(NamedTuple):
    change: StoredChange
    images: Images
    # The gaps that may hide changes between the version before and this one.
    gaps: list[Gap]


class Versions(NamedTuple):
    """A page of an item's history, newest first. `older` and `newer` are where the pages before
    and after begin, None at the ends; `gaps` are all that touch the page."""

    versions: list[Version]
    older: str | None
    newer: str | None
    gaps: list[Gap]


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
        rows = _rows(item, ">", _place(after), "ASC", limit + 1)[::-1]
        more_newer, rows = len(rows) > limit, rows[-limit:]
        edge = _rows(item, "<", _key(rows[-1]), "DESC", 1) if rows else []
        more_older = bool(edge)
        later = _rows(item, ">", _key(rows[0]), "ASC", 1) if rows else []
    else:
        place = None if before is None else _place(before)
        rows = _rows(item, "<", place, "DESC", limit + 1)
        more_older, edge, rows = len(rows) > limit, rows[limit:], rows[:limit]
        later = _rows(item, ">", _key(rows[0]), "ASC", 1) if rows and before is not None else []
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
    gaps = gaps_of(stream.pk)
    newer = [later[0] if later else None, *rows]
    older = [*rows[1:], edge[0] if edge else None]
    return Versions(
        versions=[
            Version(
                change, supplied(change, before, after, gaps), gaps_between(before, change, gaps)
            )
            for after, change, before in zip(newer, rows, older, strict=False)
        ],
        older=_text(rows[-1]) if more_older else None,
        newer=_text(rows[0]) if more_newer else None,
        gaps=[gap for gap in gaps if _touches_page(gap, rows, more_older, more_newer)],
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


def _rows(
    item: UUID, sign: str, place: tuple[int, str] | None, order: str, limit: int
) -> list[StoredChange]:
    where, parameters = "", list[Any]([item])
    if place is not None:
        where = f"AND (c.generation, c.sequence) {sign} (%s, %s)"
        parameters += place
    return fetch(
        f"""WHERE c.item = %s {where}
            ORDER BY c.generation {order}, c.sequence {order} LIMIT %s""",
        [*parameters, limit],
    )


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
