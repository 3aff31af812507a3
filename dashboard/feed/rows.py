"""Stored changes as the feed's rows, each encoded once and asked what the viewers ask."""

from collections.abc import Sequence

import msgspec

from dashboard.feed.filters import Deciding, Passed
from dashboard.feed.known import Known
from dashboard.feed.ring import Row
from dashboard.feed.summary import summarise
from streams.queries.feed import StoredChange


def rows_of(changes: Sequence[StoredChange], deciding: Deciding, known: Known) -> list[Row]:
    """The rows, in the same order; at most one query, for the streams."""
    known.refresh({change.stream_id for change in changes})
    # A stream may be deleted, with its changes, while they are read.
    changes = [change for change in changes if change.stream_id in known.facts]
    passed = deciding.passed(changes, known.facts)
    return [
        _row(change, some, deciding, known) for change, some in zip(changes, passed, strict=True)
    ]


def _row(change: StoredChange, passed: Passed, deciding: Deciding, known: Known) -> Row:
    assert change.cursor is not None  # noqa: S101 - read by its place in the feed
    return Row(
        change.cursor,
        change.stream_id,
        change.operation,
        msgspec.Raw(msgspec.json.encode(summarise(change))),
        passed,
        known.is_noise(change),
        deciding.cells(change),
    )
