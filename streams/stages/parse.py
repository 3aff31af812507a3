"""Parse: a page of raw records into a batch that is ready to store.

A record that cannot be parsed is set aside with its raw bytes, and the page goes on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import lt
from typing import TypeGuard

from streams.change import Change, microseconds, sequence_key
from streams.errors import UnreadableRecord
from streams.indexing import Indexed
from streams.sources.base import Page, PulledSource
from streams.stages.store import Poison, ReadBatch

# DynamoDB rounds a change's time down to the second, DynamoDB Local to the minute. A time on a
# full minute may therefore be up to a minute early.
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND


def parse_page(
    source: PulledSource,
    stream_id: int,
    page: Page,
    position: str,
    start_at: datetime | None,
    indexed: Indexed,
) -> ReadBatch:
    """The page as a batch. Records at or before the position are repeats and left out; so are
    those that happened before the stream's start."""
    parsed = _parsed(source, page.records, stream_id, indexed)
    ended = page.iterator is None
    if _all_new(parsed, position, start_at):
        return ReadBatch(parsed, [], parsed[0].sequence, parsed[-1].sequence, 0, 0, ended)
    return _one_by_one(parsed, position, start_at, ended=ended)


def _all_new(
    parsed: Sequence[Change | Poison], position: str, start_at: datetime | None
) -> TypeGuard[Sequence[Change]]:
    """True if `_one_by_one` would surely keep all of them, as changes: one look at a page instead
    of a thousand."""
    if {*map(type, parsed)} != {Change}:
        return False
    keys = [sequence_key(record.sequence) for record in parsed]
    rising = sequence_key(position) < keys[0] and all(map(lt, keys, keys[1:]))
    if not rising or start_at is None:
        return rising
    times = [record.occurred for record in parsed if isinstance(record, Change)]
    return min(times) >= microseconds(start_at)


def _one_by_one(
    parsed: Sequence[Change | Poison], position: str, start_at: datetime | None, *, ended: bool
) -> ReadBatch:
    changes: list[Change] = []
    poison: list[Poison] = []
    before_start = repeated = 0
    first = ""
    last, last_key = position, sequence_key(position)
    for change in parsed:
        sequence = change.sequence
        key = sequence_key(sequence)
        if sequence and key <= last_key:
            repeated += 1
            continue
        if sequence:
            first, last, last_key = first or sequence, sequence, key
        if isinstance(change, Poison):
            poison.append(change)
        elif start_at and _is_before(change, start_at):
            before_start += 1
        else:
            changes.append(change)
    return ReadBatch(
        changes=changes,
        poison=poison,
        first_sequence=first,
        last_sequence=last,
        before_start=before_start,
        repeated=repeated,
        ended=ended,
    )


def is_current(changes: Sequence[Change], page: Page, now: datetime) -> bool:
    """True if this read shows that nothing more was waiting: a page with room left whose newest
    change is fresh. (A part-filled page alone proves nothing: far from the tip, DynamoDB gives
    such pages too.)"""
    if page.full:
        return False
    if not page.records:
        return True
    if not changes:
        return False
    fresh = microseconds(now - timedelta(seconds=90))
    return changes[-1].occurred >= fresh


def _parsed(
    source: PulledSource, records: Sequence[bytes], stream_id: int, indexed: Indexed
) -> Sequence[Change | Poison]:
    try:
        return source.parse_all(records, stream_id, indexed)
    except UnreadableRecord:  # seldom, and then only that one record is set aside
        return [_alone(source, raw, stream_id, indexed) for raw in records]


def _alone(source: PulledSource, raw: bytes, stream_id: int, indexed: Indexed) -> Change | Poison:
    try:
        return source.parse(raw, stream_id, indexed)
    except UnreadableRecord as error:
        return Poison(source.sequence_of(raw), raw, str(error))


def _is_before(change: Change, start_at: datetime) -> bool:
    """True only if the change surely happened before the start; a doubtful one is kept."""
    resolution = _SECOND if change.occurred % _MINUTE else _MINUTE
    return change.occurred + resolution <= microseconds(start_at)
