"""A page of raw records as a batch: repeats, early changes and unreadable records set aside."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.change import EPOCH, Change
from streams.indexing import NOTHING
from streams.sources.base import Page
from streams.stages.parse import _one_by_one, is_current, parse_page
from streams.stages.store import Poison, ReadBatch
from streams.testing.scripted import ScriptedSource, make_record

SOURCE = ScriptedSource("arn")
FULL_MINUTE = 1_800_000_000
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def page_of(*records: bytes, iterator: str | None = "next", full: bool = False) -> Page:
    return Page(records, iterator, full)


def parsed(
    *records: bytes, position: int | None = None, start_at: float | None = None
) -> ReadBatch:
    return parse_page(
        SOURCE,
        1,
        page_of(*records),
        "" if position is None else sequence(position),
        None if start_at is None else EPOCH + timedelta(seconds=start_at),
        NOTHING,
    )


def sequence(number: int) -> str:
    return str(number).zfill(21)


def numbers(batch: ReadBatch) -> list[int]:
    return [int(change.sequence) for change in batch.changes]


def test_a_page_becomes_a_batch() -> None:
    batch = parsed(make_record(4), make_record(5))
    assert numbers(batch) == [4, 5]
    assert (batch.first_sequence, batch.last_sequence) == (sequence(4), sequence(5))
    assert not batch.ended


def test_a_page_without_an_iterator_ends_the_shard() -> None:
    assert parse_page(SOURCE, 1, page_of(iterator=None), "7", None, NOTHING).ended


def test_an_empty_page_keeps_the_position() -> None:
    batch = parsed(position=7)
    assert (batch.changes, batch.first_sequence) == ([], "")
    assert batch.last_sequence == sequence(7)


# Repeats


def test_what_is_at_or_before_the_position_is_a_repeat() -> None:
    batch = parsed(*[make_record(n) for n in (6, 7, 8)], position=7)
    assert (numbers(batch), batch.repeated) == ([8], 2)
    assert batch.first_sequence == sequence(8)


def test_a_page_of_repeats_keeps_the_position() -> None:
    batch = parsed(make_record(6), make_record(7), position=7)
    assert (batch.changes, batch.repeated, batch.last_sequence) == ([], 2, sequence(7))


def test_a_repeat_within_the_page_counts_once() -> None:
    batch = parsed(*[make_record(n) for n in (1, 2, 2, 1, 3)])
    assert (numbers(batch), batch.repeated) == ([1, 2, 3], 2)


# Unreadable records


def test_an_unreadable_record_keeps_its_neighbours() -> None:
    bad = make_record(2, eventName="?")
    batch = parsed(make_record(1), bad, make_record(3))
    assert numbers(batch) == [1, 3]
    (poison,) = batch.poison
    assert (poison.sequence, poison.raw) == (sequence(2), bad)
    assert "operation" in poison.reason


def test_an_unreadable_record_at_the_end_moves_the_position() -> None:
    batch = parsed(make_record(1), make_record(2, eventName="?"))
    assert batch.last_sequence == sequence(2)


def test_an_unreadable_record_is_kept_once() -> None:
    batch = parsed(make_record(2, eventName="?"), position=2)
    assert (batch.poison, batch.repeated) == ([], 1)


def test_an_unreadable_record_without_a_sequence_is_kept_too() -> None:
    batch = parsed(make_record(1), b"{}", make_record(2))
    assert [poison.raw for poison in batch.poison] == [b"{}"]
    assert (numbers(batch), batch.last_sequence) == ([1, 2], sequence(2))


# The stream's start


@pytest.mark.parametrize(
    ("seconds", "start", "kept"),
    [
        (FULL_MINUTE + 10, FULL_MINUTE + 11, False),  # it happened before second 11
        (FULL_MINUTE + 10, FULL_MINUTE + 10.5, True),  # rounded down: it may have been 10.7
        (FULL_MINUTE + 10, FULL_MINUTE + 10, True),
        (FULL_MINUTE, FULL_MINUTE + 59, True),  # perhaps rounded down to the minute
        (FULL_MINUTE, FULL_MINUTE + 60, False),
    ],
)
def test_only_what_surely_happened_before_the_start_is_left_out(
    seconds: int, start: float, kept: bool
) -> None:
    batch = parsed(make_record(1, seconds=seconds), start_at=start)
    assert (len(batch.changes), batch.before_start) == ((1, 0) if kept else (0, 1))
    assert batch.last_sequence == sequence(1)


# A page in one look


@given(
    numbers_=st.lists(st.integers(1, 12), max_size=5),
    seconds=st.lists(st.sampled_from([0, 59, 60, 61, 200]), min_size=5, max_size=5),
    position=st.none() | st.integers(0, 6),
    start=st.none() | st.sampled_from([0.0, 60.0, 60.5, 120.0]),
    bad=st.none() | st.integers(0, 4),
)
def test_one_look_at_a_page_finds_what_a_look_at_each_record_finds(
    numbers_: list[int],
    seconds: list[int],
    position: int | None,
    start: float | None,
    bad: int | None,
) -> None:
    records = [
        make_record(n, seconds=FULL_MINUTE + after, **({"eventName": "?"} if at == bad else {}))
        for at, (n, after) in enumerate(zip(numbers_, seconds, strict=False))
    ]
    start_at = None if start is None else EPOCH + timedelta(seconds=FULL_MINUTE + start)
    place = "" if position is None else sequence(position)
    each = [parse_page(SOURCE, 1, page_of(raw), "", None, NOTHING) for raw in records]
    alone: list[Change | Poison] = []
    for batch in each:
        alone += [*batch.changes, *batch.poison]
    found = parse_page(SOURCE, 1, page_of(*records), place, start_at, NOTHING)
    assert found == _one_by_one(alone, place, start_at, ended=False)


# Is anything still waiting?


def current(*ages: float, full: bool = False) -> bool:
    seconds = [(NOW - timedelta(seconds=age) - EPOCH).total_seconds() for age in ages]
    page = page_of(*[make_record(n, seconds=s) for n, s in enumerate(seconds, 1)], full=full)
    return is_current(parse_page(SOURCE, 1, page, "", None, NOTHING).changes, page, NOW)


def test_an_empty_page_shows_that_nothing_is_waiting() -> None:
    assert current()


def test_a_fresh_change_on_a_page_with_room_shows_it_too() -> None:
    assert current(3600, 5)


def test_an_old_change_proves_nothing() -> None:
    assert not current(3600)


def test_a_full_page_proves_that_more_is_waiting() -> None:
    assert not current(5, full=True)
    assert not current(full=True)


def test_a_page_of_unreadable_records_proves_nothing() -> None:
    assert not is_current([], page_of(b"{}"), NOW)
