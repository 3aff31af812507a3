"""Partitions: made when a change needs its day, once, however many need it at the same time."""

from datetime import date
from threading import Barrier

import pytest
from django.db import connection

from streams import partitions
from streams.change import microseconds
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import in_threads, store_in, stored_in
from streams.when import parse_moment

pytestmark = pytest.mark.django_db(transaction=True)


def at(text: str) -> int:
    moment = parse_moment(text, None)  # type: ignore[arg-type]  # only "ago" needs to know now
    return microseconds(moment)


def partitions_made() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits "
            "WHERE inhparent = 'streams_change'::regclass ORDER BY 1"
        )
        return [row[0] for row in cursor.fetchall()]


def drop(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {name}")


def test_each_change_lands_in_its_day() -> None:
    shard = make_shard(make_stream())
    times = [at("2031-03-01T23:59:59.999999"), at("2031-03-02T00:00")]
    changes = [make_change(shard.stream_id, n, occurred=t) for n, t in enumerate(times)]
    store_in(shard, *changes)
    assert {"streams_change_20310301", "streams_change_20310302"} <= set(partitions_made())
    with connection.cursor() as cursor:
        cursor.execute("SELECT occurred_at::date FROM streams_change_20310302")
        assert cursor.fetchall() == [(date(2031, 3, 2),)]


def test_two_may_need_the_same_new_day_at_once() -> None:
    shards = [make_shard(make_stream()) for _ in range(4)]
    together = Barrier(len(shards))

    def store_one(shard_number: int) -> None:
        shard = shards[shard_number]
        change = make_change(shard.stream_id, 1, occurred=at("2032-01-01"))
        together.wait()
        partitions.ensure([date(2032, 1, 1), date(2032, 1, 2)])
        store_in(shard, change)

    in_threads(*[lambda n=n: store_one(n) for n in range(len(shards))])
    assert all(len(stored_in(shard.stream)) == 1 for shard in shards)


def test_a_partition_that_was_dropped_meanwhile_is_made_again() -> None:
    shard = make_shard(make_stream())
    store_in(shard, make_change(shard.stream_id, 1, occurred=at("2033-01-01")))
    drop("streams_change_20330101")
    store_in(shard, make_change(shard.stream_id, 2, occurred=at("2033-01-01")))
    assert [int(row.sequence) for row in stored_in(shard.stream)] == [2]


def test_a_reader_in_a_long_transaction_does_not_stop_a_new_day() -> None:
    shard = make_shard(make_stream())
    drop("streams_change_20340101")
    change = make_change(shard.stream_id, 1, occurred=at("2034-01-01"))
    with connection.cursor() as cursor:
        cursor.execute("BEGIN; SELECT count(*) FROM streams_change")
        try:
            in_threads(lambda: store_in(shard, change))
        finally:
            cursor.execute("ROLLBACK")
    assert len(stored_in(shard.stream)) == 1
