"""Retention while others read and store: nobody waits for long, and nothing is lost."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError

from conftest import wait_for
from streams.models import Drop
from streams.partitions import Leaf
from streams.queries import feed
from streams.queries.verify import verify
from streams.stages import retain as stage
from streams.stages.publish import number_batches
from streams.stages.retain import drop
from streams.tests.integration.retaining import (
    caught_up,
    change_at,
    days_stored,
    leaf_of,
    lived,
    retain_now,
    watched,
)
from streams.tests.integration.storing import alone, in_threads, store_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_may_run_twice_at_once() -> None:
    shard = watched(7)
    lived(shard, 20, 19, 18, 0)
    in_threads(*[lambda: retain_now(shard.stream)] * 4)
    retain_now(shard.stream)
    assert Drop.objects.count() == 3
    assert days_stored(shard.stream) == [0, 0]


def test_a_reader_in_a_long_transaction_puts_the_drop_off_and_nobody_waits() -> None:
    shard = watched(7)
    lived(shard, 20, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            f"BEGIN; SELECT count(*) FROM streams_change WHERE stream_id = {shard.stream_id}"
        )
        try:
            (dropped,) = in_threads(lambda: retain_now(shard.stream))
            in_threads(lambda: store_in(shard, change_at(shard, 20, 98), change_at(shard, 0, 99)))
        finally:
            cursor.execute("ROLLBACK")
    assert dropped == 0
    number_batches()
    assert retain_now(shard.stream) == 1
    assert Drop.objects.get().changes == 3


def test_a_store_into_the_leaf_goes_first() -> None:
    """Its transaction is open while the leaf would be dropped."""
    shard = watched(7)
    lived(shard, 20, 0)
    leaf = leaf_of(shard.stream, 20)
    with connection.cursor() as cursor:
        cursor.execute(f"BEGIN; LOCK TABLE {leaf.name} IN ROW EXCLUSIVE MODE")
        try:
            assert in_threads(lambda: retain_now(shard.stream)) == [0]
        finally:
            cursor.execute("ROLLBACK")
    assert retain_now(shard.stream) == 1


def test_a_store_that_meets_the_drop_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A poller wants to store into the very leaf that is being dropped at this moment."""
    shard = watched(7)
    lived(shard, 20, 0)
    whole = stage._note_remainders
    with ThreadPoolExecutor(1) as pool:
        storing: list[Future[Any]] = []

        def meet(leaf: Leaf) -> int:
            late = change_at(shard, 20, 99)
            storing.append(pool.submit(alone, lambda: store_in(shard, late)))
            wait_for(lambda: waits_for(leaf), what="the poller to wait for the leaf")
            return whole(leaf)

        with monkeypatch.context() as patched:
            patched.setattr(stage, "_note_remainders", meet)
            assert retain_now(shard.stream) == 0
        storing[0].result(timeout=20)
    number_batches()
    assert retain_now(shard.stream) == 1
    assert Drop.objects.get().changes == 3


def waits_for(leaf: Leaf) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = to_regclass(%s) "
            "AND NOT granted)",
            [leaf.name],
        )
        return bool(cursor.fetchone()[0])


def test_pollers_and_readers_go_on_while_leaves_are_dropped() -> None:
    """One stores, one reads the feed, one drops day after day: nothing kept is missing."""
    shard = watched(7)
    lived(shard, *range(30, 8, -1))
    caught_up(shard)

    def store_much() -> None:
        for number in range(1_000, 1_060):
            store_in(shard, change_at(shard, number % 5, number))
            number_batches()

    def read_much() -> list[int]:
        found: list[int] = []
        cursor = feed.head()
        while len(found) < 60:
            page = feed.read(cursor, streams=[shard.stream_id], limit=7)
            feed.newest(streams=None, limit=50)
            found += [int(change.sequence) for change in page.changes]
            cursor = page.cursor
        return found

    def drop_all() -> list[int]:
        while Drop.objects.count() < 22:
            retain_now(shard.stream)
        return []

    _, found, _ = in_threads(store_much, read_much, drop_all)
    assert found == list(range(1_000, 1_060))
    assert verify(shard.stream).broken is None


def test_a_crash_in_the_middle_leaves_all_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    shard = watched(7)
    lived(shard, 20, 0)
    leaf = leaf_of(shard.stream, 20)

    def die(*_: Any, **__: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patched:
        patched.setattr(Drop.objects, "create", die)
        with pytest.raises(OperationalError):
            drop(shard.stream, leaf)
    connection.close()
    assert days_stored(shard.stream) == [20, 20, 0, 0]
    assert not Drop.objects.exists()
    assert retain_now(shard.stream) == 1
