"""Leaves of the change table: every day has exactly one, whatever the stream has kept over time."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.partitions import Leaf, day_of, fitting, span_of

keep_days = st.none() | st.integers(2, 3650)
days = st.dates(date(2020, 2, 20), date(2020, 4, 10))  # around a leap day


def made(wanted: list[tuple[date, int | None]]) -> list[Leaf]:
    """The leaves that come of these days being needed one after the other, while the stream's
    retention changes."""
    leaves: list[Leaf] = []
    for day, kept in wanted:
        if not any(leaf.begin <= day < leaf.end for leaf in leaves):
            leaves.append(fitting(1, day, span_of(kept), leaves))
    return leaves


@given(st.lists(st.tuples(days, keep_days), max_size=40))
def test_every_day_that_was_needed_has_exactly_one_leaf(
    wanted: list[tuple[date, int | None]],
) -> None:
    leaves = made(wanted)
    for day, _ in wanted:
        assert sum(leaf.begin <= day < leaf.end for leaf in leaves) == 1


@given(st.lists(st.tuples(days, keep_days), max_size=40))
def test_leaves_never_overlap_and_span_a_week_at_most(
    wanted: list[tuple[date, int | None]],
) -> None:
    leaves = sorted(made(wanted))
    assert all(one.end <= other.begin for one, other in pairwise(leaves))
    assert all(timedelta(1) <= leaf.end - leaf.begin <= timedelta(7) for leaf in leaves)


@given(days, keep_days)
def test_a_leaf_among_none_has_the_whole_span(day: date, kept: int | None) -> None:
    leaf = fitting(1, day, span_of(kept), [])
    assert leaf.end - leaf.begin == timedelta(span_of(kept))
    assert (leaf.begin - date(1970, 1, 1)).days % span_of(kept) == 0


@pytest.mark.parametrize(("kept", "span"), [(2, 1), (31, 1), (32, 7), (3650, 7), (None, 7)])
def test_a_stream_that_keeps_long_has_long_leaves(kept: int | None, span: int) -> None:
    assert span_of(kept) == span


@pytest.mark.parametrize(
    ("microseconds", "day"),
    [
        (1_582_934_399_999_999, date(2020, 2, 28)),
        (1_582_934_400_000_000, date(2020, 2, 29)),
        (1_583_020_799_999_999, date(2020, 2, 29)),
        (1_583_020_800_000_000, date(2020, 3, 1)),
        (-1, date(1969, 12, 31)),
    ],
)
def test_a_day_ends_at_midnight_in_utc(microseconds: int, day: date) -> None:
    assert day_of(microseconds) == day


def test_a_leaf_is_named_by_its_range() -> None:
    leaf = Leaf(7, date(2020, 2, 29), date(2020, 3, 1))
    assert leaf.name == "streams_change_s7_20200229_20200301"
    assert (leaf.from_at.isoformat(), leaf.to_at.isoformat()) == (
        "2020-02-29T00:00:00+00:00",
        "2020-03-01T00:00:00+00:00",
    )
