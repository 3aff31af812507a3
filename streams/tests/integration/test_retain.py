"""Retention: leaves are made ahead and dropped behind, never one that may still be stored into."""

from datetime import timedelta
from typing import Any

import pytest

from streams import partitions
from streams.models import Drop, Gap, Shard, Stream
from streams.queries import retention
from streams.stages.publish import number_batches
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.retaining import (
    DAY,
    TODAY,
    caught_up,
    change_at,
    days_stored,
    leaf_of,
    lived,
    retain_now,
    watched,
)
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)


# Ahead


@pytest.mark.parametrize(("keep_days", "days"), [(7, [0, 1]), (None, [0, 7])])
def test_it_makes_todays_leaf_and_the_next(keep_days: int | None, days: list[int]) -> None:
    shard = watched(keep_days)
    retain_now(shard.stream)
    leaves = partitions.leaves_of(shard.stream_id)
    assert len(leaves) == 2
    for leaf, ahead in zip(leaves, days, strict=True):
        assert leaf.begin <= TODAY + ahead * DAY < leaf.end
    retain_now(shard.stream)
    assert partitions.leaves_of(shard.stream_id) == leaves


@pytest.mark.parametrize("days_ago", [None, 2])
def test_it_makes_nothing_for_a_stream_that_nobody_reads(days_ago: int | None) -> None:
    shard = make_shard(make_stream(keep_days=7))
    if days_ago:
        caught_up(shard, days_ago=days_ago)
    retain_now(shard.stream)
    assert partitions.leaves_of(shard.stream_id) == []


# Behind


def test_it_drops_what_is_past_retention_and_says_so() -> None:
    shard = watched(7)
    lived(shard, 20, 9, 8, 7, 1, 0)
    size = sum(leaf.size for leaf in retention.plan(shard.stream, 7)[:3])
    assert retain_now(shard.stream) == 3
    assert days_stored(shard.stream) == [7, 7, 1, 1, 0, 0]
    first, second, third = Drop.objects.order_by("from_at")
    assert (first.from_at.date(), first.to_at.date()) == (TODAY - 20 * DAY, TODAY - 19 * DAY)
    assert [first.changes, second.changes, third.changes] == [2, 2, 2]
    assert first.size + second.size + third.size == size > 0
    assert retention.dropped_until(shard.stream_id) == third.to_at
    assert retain_now(shard.stream) == 0


def test_it_drops_nothing_of_a_stream_that_keeps_for_ever() -> None:
    shard = watched(None)
    lived(shard, 900, 0)
    assert retain_now(shard.stream) == 0
    assert days_stored(shard.stream) == [900, 900, 0, 0]


def test_a_leaf_of_a_week_is_dropped_when_all_of_it_is_past_retention() -> None:
    shard = watched(40)
    lived(shard, 60, 50, 47, 41, 40, 0)
    retain_now(shard.stream)
    leaves = partitions.leaves_of(shard.stream_id)
    assert all(leaf.end > TODAY - 40 * DAY for leaf in leaves)
    assert days_stored(shard.stream)[0] <= 47


def test_other_streams_keep_theirs() -> None:
    shard, other = watched(7), watched(None)
    for each in (shard, other):
        lived(each, 20, 0)
    retain_now(shard.stream)
    assert days_stored(other.stream) == [20, 20, 0, 0]


# Held


def not_read(shard: Shard) -> None:
    Shard.objects.filter(pk=shard.pk).update(caught_up_at=None, newest_change_at=None)


def read_until_ten_days_ago(shard: Shard) -> None:
    not_read(shard)
    caught_up(shard, days_ago=10)


def growing_gap(shard: Shard) -> None:
    begun = leaf_of(shard.stream, 20).from_at + timedelta(hours=1)
    Gap.objects.create(
        stream=shard.stream, reason=Gap.Reason.UNREAD, from_at=begun, to_at=begun, growing=True
    )


def unnumbered(shard: Shard) -> None:
    store_in(shard, change_at(shard, 20, 99))


def unread_child(shard: Shard) -> None:
    make_shard(shard.stream, "the-child")


HELD: list[tuple[Any, str]] = [
    (not_read, "has not been read yet"),
    (read_until_ten_days_ago, "is read only up to"),
    (growing_gap, "still grows"),
    (unnumbered, "no place in the feed yet"),
    (unread_child, "the-child has not been read yet"),
]


@pytest.mark.parametrize(("hold", "says"), HELD)
def test_it_drops_nothing_that_may_still_be_stored_into(hold: Any, says: str) -> None:
    shard = watched(7)
    lived(shard, 20, 9)
    hold(shard)
    if hold is read_until_ten_days_ago:
        assert retain_now(shard.stream) == 1  # what happened 20 days ago is surely over
    else:
        assert retain_now(shard.stream) == 0
    kept = retention.plan(shard.stream, 7)
    assert [leaf.held for leaf in kept if says in leaf.held], kept
    assert not any(leaf.due for leaf in kept)


def test_a_paused_stream_drops_nothing_it_could_still_receive() -> None:
    shard = watched(2)
    lived(shard, 6, 4, 3)
    not_read(shard)
    caught_up(shard, days_ago=4.2)
    Stream.objects.filter(pk=shard.stream_id).update(paused_at="2020-01-01T00:00Z")
    retain_now(shard.stream)
    assert days_stored(shard.stream) == [4, 4, 3, 3]
    caught_up(shard)
    retain_now(shard.stream)
    assert days_stored(shard.stream) == []


def test_a_shard_that_ended_holds_nothing() -> None:
    shard = watched(7)
    lived(shard, 20)
    not_read(shard)
    Shard.objects.filter(pk=shard.pk).update(ended="read", ended_at="2020-01-01T00:00Z")
    assert retain_now(shard.stream) == 1


def test_a_late_change_gets_a_leaf_again_which_is_dropped_again() -> None:
    shard = watched(7)
    lived(shard, 20, 0)
    retain_now(shard.stream)
    store_in(shard, change_at(shard, 20, 99))
    assert days_stored(shard.stream) == [20, 0, 0]
    number_batches()
    assert retain_now(shard.stream) == 1
    assert days_stored(shard.stream) == [0, 0]
    assert sorted(Drop.objects.values_list("changes", flat=True)) == [1, 2]
