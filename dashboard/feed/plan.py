"""What a subscriber is sent next, worked out from rows."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dashboard.feed.protocol import BATCH_BYTES, BATCH_ROWS
from dashboard.feed.ring import Row
from streams.queries.feed import Cursor


class Skipped(NamedTuple):
    upto: Cursor
    operations: Mapping[str, int]
    # True if the filter was not asked about these changes.
    unasked: bool = False


class Plan(NamedTuple):
    """What comes next: a counted gap, then rows up to a cursor, with so many still behind; so many
    others were `hidden` by the filter."""

    skipped: Skipped | None
    rows: Sequence[Row]
    upto: Cursor
    behind: int
    hidden: int = 0


def batch(
    skipped: Skipped | None, rows: Sequence[Row], end: Cursor, behind: int, there: Sequence[Row]
) -> Plan:
    """As many rows as fit into one batch; the rest stays behind the cursor. `there` are the rows
    before the filter left some out."""
    size = taken = 0
    for row in rows[:BATCH_ROWS]:
        size += len(row.data)
        if taken and size > BATCH_BYTES:
            break
        taken += 1
    rest = len(rows) - taken
    upto = rows[taken - 1].cursor if rest else end
    hidden = 0
    if len(there) > len(rows):
        passed_over = sum(row.cursor <= upto for row in there)
        hidden = max(0, passed_over - taken - _shown_by(skipped))
    return Plan(skipped, rows[:taken], upto, behind + rest, hidden)


def _shown_by(skipped: Skipped | None) -> int:
    """How many changes that passed the filter are counted by the gap."""
    return sum(skipped.operations.values()) if skipped and not skipped.unasked else 0
