"""What a subscriber is sent next, worked out from rows.

Each plan tells of every change between where the subscriber stands and `upto` exactly once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dashboard.feed.protocol import BACKLOG_ROWS, BATCH_BYTES, BATCH_ROWS, TICKS_A_SECOND
from dashboard.feed.ring import Hole, Ring, Row, operations
from dashboard.feed.sampling import sample
from dashboard.feed.selection import LeftOut, Looked, Selection
from streams.queries.feed import Cursor


class Limits(NamedTuple):
    """Of one batch."""

    rows: int
    bytes: int

    @classmethod
    def of(cls, rows_per_second: int) -> "Limits":
        rows = max(1, rows_per_second // TICKS_A_SECOND)
        return cls(rows, BATCH_BYTES * max(rows, BATCH_ROWS) // BATCH_ROWS)


class Skipped(NamedTuple):
    upto: Cursor
    operations: Mapping[str, int]
    # True if the filter was not asked about these changes.
    unasked: bool = False
    left_out: LeftOut = LeftOut()


class Plan(NamedTuple):
    """What comes next: a counted gap, then rows up to a cursor. `sampled` others pass and are only
    counted; `behind` come later."""

    rows: Sequence[Row]
    upto: Cursor
    behind: int = 0
    sampled: int = 0
    left_out: LeftOut = LeftOut()
    skipped: Skipped | None = None


def in_order(
    looked: Looked, selection: Selection, end: Cursor, limits: Limits, behind: int = 0
) -> Plan:
    """As many rows as fit into one batch; the rest stays behind its cursor. Looked at were all rows
    of the selected streams up to `end`."""
    taken = _fitting(looked.rows, limits)
    rest = len(looked.rows) - taken
    if rest:
        end = looked.rows[taken - 1].cursor
        looked = selection.look([row for row in looked.there if row.cursor <= end])
    return Plan(looked.rows, end, behind + rest, 0, looked.left_out)


def sampled(looked: Looked, end: Cursor, limits: Limits, beyond: int = 0) -> Plan:
    """A fair sample of all up to `end`; `beyond` are others that pass, and were only counted."""
    chosen = sample(looked.rows, *limits) if looked.rows else []
    return Plan(chosen, end, 0, len(looked.rows) - len(chosen) + beyond, looked.left_out)


def newest(looked: Looked, selection: Selection, end: Cursor, limits: Limits) -> Plan:
    """The newest that fit into one batch, after a gap that counts the others."""
    older = looked.rows[: len(looked.rows) - _fitting(looked.rows[::-1], limits)]
    if not older:
        return Plan(looked.rows, end, left_out=looked.left_out)
    upto = older[-1].cursor
    before = selection.look([row for row in looked.there if row.cursor <= upto])
    after = selection.look(looked.there[len(before.there) :])
    skipped = Skipped(upto, operations(older), left_out=before.left_out)
    return Plan(after.rows, end, left_out=after.left_out, skipped=skipped)


def of_holes(holes: Sequence[Hole], selection: Selection) -> dict[str, int]:
    """How many changes of each operation the holes count, of the selected streams."""
    counts: Counter[str] = Counter()
    for hole in holes:
        for (stream, operation), number in hole.counts.items():
            if selection.has(stream):
                counts[operation] += number
    return dict(counts)


def fits_backlog_with_holes(ring: Ring, cursor: Cursor, selection: Selection) -> bool:
    """True if there are holes after the cursor, and yet few enough changes to send in order."""
    holes = ring.holes_after(cursor)
    if not holes:
        return False
    counted = sum(of_holes(holes, selection).values())
    return counted + len(ring.after(cursor, selection.ids)) <= BACKLOG_ROWS


def added(some: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Both counts by operation as one."""
    return dict(Counter(some) + Counter(more))


def _fitting(rows: Sequence[Row], limits: Limits) -> int:
    """How many of the first rows fit into one batch; at least one."""
    size = taken = 0
    for row in rows[: limits.rows]:
        size += len(row.data)
        if taken and size > limits.bytes:
            break
        taken += 1
    return taken
