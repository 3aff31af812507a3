"""An item's history: its versions, newest first, a page at a time, with the gaps that touch it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from streams.change import OPERATION_NAME, sequence_key, sequence_text
from streams.models import Gap, Stream
from streams.queries.change import Images, gaps_between, gaps_of, supplied
from streams.queries.retention import dropped_until
from streams.queries.rows import StoredChange, fetch_versions, versions_next_to

# A page takes about so much memory at most: of items of 400 KB it has fewer versions.
PAGE_BYTES = 8_000_000


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


class Mark(NamedTuple):
    """Where a version is, without its images; `size` is the record's, in bytes."""

    id: str
    generation: int
    sequence: str
    operation: str
    occurred_at: datetime
    size: int

    @property
    def key(self) -> tuple[int, str]:
        return self.generation, sequence_key(self.sequence)

    @property
    def place(self) -> str:
        return f"{self.generation}.{self.sequence}"


def marks(
    stream_id: int,
    item: UUID,
    place: tuple[int, str] | None,
    limit: int,
    *,
    newer: bool = False,
) -> list[Mark]:
    """The versions next to a place, the nearest first."""
    text, given = versions_next_to(stream_id, item, place, limit, newer=newer)
    return _marks(text, given, newer)


def mark_at(stream_id: int, item: UUID, moment: datetime) -> Mark | None:
    """The last version, in the source's order, that happened at or before a moment."""
    text = """(SELECT * FROM streams_change WHERE stream_id = %s AND item = %s
               AND occurred_at <= %s ORDER BY generation DESC, sequence DESC LIMIT 1)"""
    found = _marks(text, [stream_id, item, moment], newer=False)
    return found[0] if found else None


def place_before(stream_id: int, item: UUID, moment: datetime) -> str | None:
    """Where the page begins whose newest version is the last one at or before a moment; None if
    that is the newest of all, or there is none so old (then the oldest is shown)."""
    last = mark_at(stream_id, item, moment)
    beyond = marks(stream_id, item, last.key if last else None, 1 if last else 2, newer=True)
    return beyond[-1].place if beyond and (last or len(beyond) > 1) else None


def affordable(
    stream_id: int, item: UUID, place: tuple[int, str] | None, limit: int, *, newer: bool = False
) -> int:
    """How many of the next `limit` versions a page can hold; one at least."""
    room, number = PAGE_BYTES, 0
    for mark in marks(stream_id, item, place, limit, newer=newer):
        room -= mark.size
        if room < 0 and number:
            break
        number += 1
    return max(number, 1)


def all_versions(stream: Stream, item: UUID) -> Iterator[Version]:
    """Every version, newest first, a page in memory at a time."""
    place: str | None = None
    while True:
        page = versions(stream, item, before=place)
        yield from page.versions
        place = page.older
        if place is None:
            return


def versions(
    stream: Stream,
    item: UUID,
    *,
    before: str | None = None,
    after: str | None = None,
    limit: int = 100,
) -> Versions:
    """The page of `limit` versions before (older than) or after (newer than) a place, or of fewer
    if they are large.

    Two more rows than a page are read: the neighbours on both sides supply the images that the
    stream did not send. ValueError if a place is malformed.
    """
    if after is not None:
        limit = affordable(stream.pk, item, parse_place(after), limit, newer=True)
        rows = fetch_versions(stream.pk, item, parse_place(after), limit + 1, newer=True)[::-1]
        more_newer, rows = len(rows) > limit, rows[-limit:]
        edge = fetch_versions(stream.pk, item, _key(rows[-1]), 1) if rows else []
        more_older = bool(edge)
        later = fetch_versions(stream.pk, item, _key(rows[0]), 1, newer=True) if rows else []
    else:
        place = None if before is None else parse_place(before)
        limit = affordable(stream.pk, item, place, limit)
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


def _marks(source: str, given: Sequence[Any], newer: bool) -> list[Mark]:
    order = "ASC" if newer else "DESC"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT batch_id, ordinal, generation, sequence, operation::text, occurred_at, size
                FROM {source} c ORDER BY generation {order}, sequence {order}""",
            given,
        )
        return [
            Mark(
                f"{row[0]}-{row[1]}",
                row[2],
                sequence_text(row[3]),
                OPERATION_NAME[row[4]],
                *row[5:],
            )
            for row in cursor.fetchall()
        ]


def _key(change: StoredChange) -> tuple[int, str]:
    return change.generation, sequence_key(change.sequence)


def _text(change: StoredChange) -> str:
    return f"{change.generation}.{change.sequence}"


def parse_place(text: str) -> tuple[int, str]:
    """The place of its text in an address; ValueError if it is none."""
    generation, dot, sequence = text.partition(".")
    if not (dot and generation.isdecimal() and sequence.isdecimal() and len(text) < 150):
        raise ValueError(f"{text!r} is no place in an item's history")
    if int(generation) >= 2**15:
        raise ValueError(f"{text!r} is no place in an item's history")
    return int(generation), sequence_key(sequence)
