"""Leaves: made when a change needs one, once, however many need it at the same time."""

from datetime import date
from itertools import pairwise
from threading import Barrier

import pytest
from django.db import connection

from streams import partitions
from streams.change import microseconds
from streams.models import Stream
from streams.partitions import Leaf
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import in_threads, store_in, stored_in
from streams.when import parse_moment

pytestmark = pytest.mark.django_db(transaction=True)


def at(text: str) -> int:
    moment = parse_moment(text, None)  # type: ignore[arg-type]  # only "ago" needs to know now
    return microseconds(moment)


def drop(leaf: Leaf) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {leaf.name}")


def test_each_change_lands_in_its_leaf() -> None:
    shard = make_shard(make_stream(keep_days=7))
    times = [at("2028-02-28T23:59:59.999999"), at("2028-02-29T00:00"), at("2028-03-01T00:00")]
    changes = [make_change(shard.stream_id, n, occurred=t) for n, t in enumerate(times)]
    store_in(shard, *changes)
    leaves = partitions.leaves_of(shard.stream_id)
    assert [leaf.begin for leaf in leaves] == [
        date(2028, 2, 28),
        date(2028, 2, 29),
        date(2028, 3, 1),
    ]
    with connection.cursor() as cursor:
        for leaf in leaves:
            cursor.execute(f"SELECT occurred_at::date FROM {leaf.name}")
            assert cursor.fetchall() == [(leaf.begin,)]


def test_a_stream_that_keeps_for_ever_has_a_leaf_a_week() -> None:
    shard = make_shard(make_stream())
    days = [at(f"2028-02-{day:02}") for day in range(1, 22)]
    store_in(shard, *[make_change(shard.stream_id, n, occurred=t) for n, t in enumerate(days)])
    assert len(partitions.leaves_of(shard.stream_id)) in (3, 4)


def test_leaves_stay_when_the_stream_keeps_more_or_less() -> None:
    stream = make_stream()
    shard = make_shard(stream)
    for number, (day, kept) in enumerate([(10, None), (16, 2), (18, 2), (17, 365), (1, 365)]):
        Stream.objects.filter(pk=stream.pk).update(keep_days=kept)
        partitions.ensure(stream.pk, [date(2028, 2, day)])
        moment = at(f"2028-02-{day:02}T12:00")
        store_in(shard, make_change(stream.pk, number, occurred=moment))
    leaves = partitions.leaves_of(stream.pk)
    assert all(one.end <= other.begin for one, other in pairwise(leaves))
    assert len(stored_in(stream)) == 5


def test_streams_have_leaves_of_their_own() -> None:
    one, other = make_shard(make_stream()), make_shard(make_stream())
    store_in(one, make_change(one.stream_id, 1))
    assert partitions.leaves_of(other.stream_id) == []
    store_in(other, make_change(other.stream_id, 1))
    assert [leaf.begin for leaf in partitions.leaves_of(one.stream_id)] == [
        leaf.begin for leaf in partitions.leaves_of(other.stream_id)
    ]


def test_several_may_need_the_same_new_leaf_at_once() -> None:
    """Two pollers with shards of one stream, and two of other streams."""
    stream = make_stream(keep_days=7)
    shards = [make_shard(stream), make_shard(stream), *(make_shard(make_stream()) for _ in "ab")]
    together = Barrier(len(shards))

    def store_one(number: int) -> None:
        change = make_change(shards[number].stream_id, number, occurred=at("2032-01-01"))
        together.wait()
        partitions.ensure(shards[number].stream_id, [date(2032, 1, 1), date(2032, 1, 2)])
        store_in(shards[number], change)

    in_threads(*[lambda n=n: store_one(n) for n in range(len(shards))])
    assert [len(stored_in(shard.stream)) for shard in shards] == [2, 2, 1, 1]
    assert len(partitions.leaves_of(stream.pk)) == 2


def test_a_leaf_that_was_dropped_meanwhile_is_made_again() -> None:
    shard = make_shard(make_stream())
    store_in(shard, make_change(shard.stream_id, 1, occurred=at("2033-01-01")))
    drop(partitions.leaves_of(shard.stream_id)[0])
    store_in(shard, make_change(shard.stream_id, 2, occurred=at("2033-01-01")))
    assert [int(row.sequence) for row in stored_in(shard.stream)] == [2]


def test_a_reader_in_a_long_transaction_does_not_stop_a_new_leaf() -> None:
    shard, other = make_shard(make_stream()), make_shard(make_stream())
    store_in(shard, make_change(shard.stream_id, 1, occurred=at("2034-01-01")))
    late = make_change(shard.stream_id, 2, occurred=at("2034-03-01"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"BEGIN; SELECT count(*) FROM streams_change WHERE stream_id = {shard.stream_id}"
        )
        try:
            in_threads(lambda: store_in(shard, late))
            in_threads(lambda: store_in(other, make_change(other.stream_id, 1)))
        finally:
            cursor.execute("ROLLBACK")
    assert (len(stored_in(shard.stream)), len(stored_in(other.stream))) == (2, 1)


def test_a_change_is_stored_once_also_if_its_time_is_told_differently() -> None:
    shard = make_shard(make_stream(keep_days=7))
    for moment in (at("2035-01-01T10:00"), at("2035-01-01T11:00")):
        store_in(shard, make_change(shard.stream_id, 1, occurred=moment))
    assert len(stored_in(shard.stream)) == 1
