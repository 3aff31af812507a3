"""An item's versions as steps of what is at a path: the value before and after each."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection

from streams.change import INSERT, REMOVE, sequence_key
from streams.diff import Image, Typed, same
from streams.field_path import Step, value_at
from streams.image import Unreadable, read
from streams.indexing import stored_name
from streams.models import Gap, Stream
from streams.queries.change import gaps_between, gaps_of, supplied
from streams.queries.history import PAGE_BYTES
from streams.queries.retention import dropped_until
from streams.queries.rows import StoredChange, fetch_versions, versions_next_to

# So many versions are looked through at once, and the images of so many are read.
LOOK_AT, READ = 20_000, 500
_MODIFY_OF = "(operation <> 'M' OR changed IS NULL OR changed && ARRAY[%s])"


class FieldStep(NamedTuple):
    """A version that may have changed what is at the path. `before_known` and `after_known` tell
    "there was nothing" (None) from "not known"; `gaps` may hide changes right before it."""

    change: StoredChange
    before: Typed | None
    after: Typed | None
    before_known: bool
    after_known: bool
    gaps: list[Gap]

    @property
    def changed(self) -> bool:
        """True if the value surely became another one."""
        return self.before_known and self.after_known and not alike(self.before, self.after)


class Steps(NamedTuple):
    """Steps, newest first; `older` is where to go on, None if all versions were looked at."""

    steps: list[FieldStep]
    older: tuple[int, str] | None


def alike(one: Typed | None, other: Typed | None) -> bool:
    """True for the same value; the order of a set does not matter."""
    if one == other:
        return True
    return one is not None and other is not None and same(one, other)


def field_steps(
    stream: Stream,
    item: UUID,
    path: Sequence[Step],
    place: tuple[int, str] | None = None,
    limit: int = READ,
) -> Steps:
    """The next versions, older than a place, that may have changed the field; of all the fields,
    for the empty path.

    MODIFYs that are known to have left the top-level attribute alone are left out; so what a
    neighbour supplies may come from a version further away, which had the same value there.
    """
    where, given = (_MODIFY_OF, [stored_name(str(path[0]))]) if path else ("TRUE", [])
    rows = fetch_versions(
        *(stream.pk, item, place, limit + 1),
        where=where,
        given=given,
        look_at=LOOK_AT,
        most_bytes=PAGE_BYTES,
    )
    # The last row of a cut page is only the neighbour of the one before.
    cut = len(rows) > limit or sum(row.size for row in rows) >= PAGE_BYTES
    kept = rows[:-1] if cut else rows
    if cut:
        older: tuple[int, str] | None = (kept[-1].generation, sequence_key(kept[-1].sequence))
    else:
        older = _end(stream.pk, item, place)
    return Steps(list(_steps(stream, path, kept, rows[len(kept) :])), older)


def _end(stream_id: int, item: UUID, place: tuple[int, str] | None) -> tuple[int, str] | None:
    """The place of the last version that was looked at, None if that was the oldest."""
    source, given = versions_next_to(stream_id, item, place, LOOK_AT + 1)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT generation, sequence FROM {source} looked_at
                ORDER BY generation DESC, sequence DESC OFFSET %s""",
            [*given, LOOK_AT - 1],
        )
        found = cursor.fetchall()
    return (found[0][0], found[0][1]) if len(found) > 1 else None


def decoded(image: bytes | None) -> Image | None:
    """An image as Python values; None for one that is not there or is no DynamoDB JSON."""
    if image is None:
        return None
    try:
        return read(image)
    except Unreadable:
        return None


def _steps(
    stream: Stream, path: Sequence[Step], rows: Sequence[StoredChange], edge: list[StoredChange]
) -> Iterator[FieldStep]:
    gaps, dropped = gaps_of(stream.pk), dropped_until(stream.pk)
    newer = [None, *rows]
    older = [*rows[1:], edge[0] if edge else None]
    for after, change, before in zip(newer, rows, older, strict=False):
        images = supplied(change, before, after, gaps, dropped)
        old, new = decoded(images.old), decoded(images.new)
        yield FieldStep(
            change=change,
            before=value_at(old, path),
            after=value_at(new, path),
            before_known=change.operation == INSERT or old is not None,
            after_known=change.operation == REMOVE or new is not None,
            gaps=gaps_between(before, change, gaps),
        )
