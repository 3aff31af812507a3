"""Roll-up: every batch is counted once in its minute, whatever happens on the way."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Sum

from conftest import wait_for
from streams import tasks
from streams.models import Batch, FeedHead, Minute, RollHead, Shard, Stream
from streams.stages import roll_up as stage
from streams.stages.publish import number_batches
from streams.stages.retain import retain
from streams.stages.roll_up import KEEP_DAYS, drop_minutes, roll_up
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import alone, in_threads, store_in

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 11, 21, 10, 0, 30, tzinfo=UTC)
_SUMMED = ("batches", "inserts", "modifies", "removes", "repeated", "poison", "size")


def make_batch(shard: Shard, number: int, stored_at: datetime = AT, **fields: Any) -> Batch:
    """A row of the ledger alone, numbered in the feed unless `feed_position` says otherwise."""
    given: dict[str, Any] = {
        "first_sequence": "1",
        "last_sequence": "1",
        "inserts": 1,
        "modifies": 2,
        "removes": 3,
        "size": 100,
        "read_at": stored_at - timedelta(milliseconds=250),
        "newest_change_at": stored_at - timedelta(seconds=2),
        "lease_token": 1,
        "digest": b"",
        **fields,
    }
    return Batch.objects.create(
        stream=shard.stream, shard=shard, number=number, stored_at=stored_at, **given
    )


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream())


def rolled() -> dict[str, Any]:
    return Minute.objects.aggregate(**{name: Sum(name) for name in _SUMMED})


def in_ledger() -> dict[str, Any]:
    names = [name for name in _SUMMED if name != "batches"]
    sums = Batch.objects.aggregate(**{name: Sum(name) for name in names})
    return {"batches": Batch.objects.count(), **sums}


def test_a_minute_sums_its_batches_and_keeps_their_worst_lags(shard: Shard) -> None:
    make_batch(shard, 1, feed_position=1, repeated=4, poison=1)
    make_batch(
        shard,
        2,
        AT + timedelta(seconds=29),
        feed_position=2,
        newest_change_at=AT - timedelta(seconds=11),
    )
    make_batch(shard, 3, AT + timedelta(seconds=30), feed_position=3)
    assert roll_up()
    first, second = Minute.objects.order_by("at")
    assert (first.at, first.batches, first.inserts, first.modifies) == (
        AT.replace(second=0),
        *(2, 2, 4),
    )
    assert (first.removes, first.repeated, first.poison, first.size) == (6, 4, 1, 200)
    assert (first.source_lag, first.pipeline_lag) == (40, 0.25)
    assert (second.at, second.batches) == (AT.replace(minute=1, second=0), 1)


def test_a_minute_without_a_change_has_no_source_lag(shard: Shard) -> None:
    make_batch(shard, 1, feed_position=1, newest_change_at=None, inserts=0, modifies=0, removes=0)
    roll_up()
    assert Minute.objects.get().source_lag is None
    make_batch(shard, 2, feed_position=2)
    roll_up()
    assert Minute.objects.get().source_lag == 2


def test_a_clock_that_is_ahead_makes_no_lag_below_zero(shard: Shard) -> None:
    later = AT + timedelta(seconds=3)
    make_batch(shard, 1, feed_position=1, newest_change_at=later, read_at=later)
    roll_up()
    minute = Minute.objects.get()
    assert (minute.source_lag, minute.pipeline_lag) == (0, 0)


def test_nothing_is_counted_twice(shard: Shard) -> None:
    make_batch(shard, 1, feed_position=1)
    assert roll_up() and roll_up()
    make_batch(shard, 2, feed_position=2)
    assert roll_up() and roll_up()
    assert rolled() == in_ledger()


def test_what_is_numbered_late_still_reaches_its_minute(shard: Shard) -> None:
    """A batch of a long transaction has a lower id and an earlier time than those before it."""
    late = make_batch(shard, 1)
    make_batch(shard, 2, AT + timedelta(minutes=5), feed_position=1)
    roll_up()
    assert rolled()["batches"] == 1
    Batch.objects.filter(pk=late.pk).update(feed_position=2)
    roll_up()
    assert rolled() == in_ledger()
    assert Minute.objects.filter(at=AT.replace(second=0)).get().batches == 1


def test_it_catches_up_in_slices_and_says_when_there_is_more(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_SLICE", 2)
    monkeypatch.setattr(stage, "_SECONDS", 0.0)
    for number in range(1, 6):
        make_batch(shard, number, feed_position=number)
    assert [roll_up(), roll_up(), roll_up()] == [False, False, True]
    assert rolled() == in_ledger()


def _waiting() -> int | None:
    """The process of the database that waits to roll up."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_locks WHERE NOT granted AND relation = 'streams_minute'::regclass"
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


def test_killed_in_the_middle_it_counts_all_the_next_time(shard: Shard) -> None:
    make_batch(shard, 1, feed_position=1)
    roll_up()
    for number in (2, 3, 4):
        make_batch(shard, number, feed_position=number)
    with ThreadPoolExecutor(2) as pool, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE streams_minute IN SHARE MODE")
        killed = pool.submit(alone, roll_up)
        pid = wait_for(_waiting, what="the roll-up to wait")
        # A second one goes past it instead of waiting too.
        assert pool.submit(alone, roll_up).result(timeout=20) is False
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises(OperationalError):
            killed.result(timeout=20)
    assert (rolled()["batches"], RollHead.objects.get().position) == (1, 1)
    assert roll_up()
    assert rolled() == in_ledger()


def test_many_at_once_while_others_store_count_every_batch_once() -> None:
    shards = [make_shard(make_stream()) for _ in range(3)]

    def write(shard: Shard) -> None:
        for first in range(0, 40, 2):
            store_in(shard, *[make_change(shard.stream_id, first + n) for n in range(2)])
            number_batches()

    def roll() -> None:
        for _ in range(30):
            roll_up()

    in_threads(*[lambda shard=shard: write(shard) for shard in shards], roll, roll, roll)
    number_batches()
    assert roll_up()
    assert rolled() == in_ledger()
    assert RollHead.objects.get().position == FeedHead.objects.get().position
    assert Minute.objects.values("stream").distinct().count() == 3


def test_batches_of_a_stream_that_was_deleted_stop_nothing(shard: Shard) -> None:
    gone = make_shard(make_stream())
    make_batch(gone, 1, feed_position=1)
    roll_up()
    make_batch(gone, 2, feed_position=2)
    make_batch(shard, 1, feed_position=3)
    Batch.objects.filter(shard=gone).delete()
    Stream.objects.filter(pk=gone.stream_id).delete()
    assert roll_up()
    assert Minute.objects.get().stream_id == shard.stream_id
    assert RollHead.objects.get().position == 3


def test_the_ledger_is_not_cut_before_it_is_rolled_up(shard: Shard) -> None:
    """Retention rolls up first, so that it never waits for a tick."""
    Stream.objects.filter(pk=shard.stream_id).update(keep_days=2)
    old = AT - timedelta(days=400)
    store_in(shard, make_change(shard.stream_id, 1, occurred=int(old.timestamp()) * 1_000_000))
    number_batches()
    Shard.objects.update(caught_up_at=datetime.now(UTC) + timedelta(hours=1), ended_at=AT)
    retain(Stream.objects.get(pk=shard.stream_id))
    assert not Batch.objects.exists()
    assert Minute.objects.get().modifies == 1


def test_minutes_go_with_the_changes_they_count(shard: Shard) -> None:
    now = datetime.now(UTC)
    forever = make_shard(make_stream())
    Stream.objects.filter(pk=shard.stream_id).update(keep_days=7)
    for position, (owner, days) in enumerate(
        [(shard, 8), (shard, 6), (forever, 8), (forever, KEEP_DAYS + 1)], start=1
    ):
        make_batch(owner, position, now - timedelta(days=days), feed_position=position)
    roll_up()
    shard.stream.refresh_from_db()
    assert [drop_minutes(shard.stream), drop_minutes(forever.stream)] == [1, 1]
    assert {(now - minute.at).days for minute in Minute.objects.all()} == {6, 8}


def test_the_tick_rolls_up(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    for task in (tasks.poll, tasks.discover):
        monkeypatch.setattr(task, "apply_async", lambda *_, **__: None)
    store_in(shard, make_change(shard.stream_id, 1))
    tasks.tick()
    assert rolled()["batches"] == 1
