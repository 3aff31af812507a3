"""Publish: the feed gives every change once, in order, and waits for no open transaction."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
from channels.layers import get_channel_layer
from django.db import connection

from conftest import wait_for
from dashboard.launch.home import unused_port
from streams.change import Change
from streams.models import Batch, Shard
from streams.queries import feed
from streams.queries.rows import Cursor, StoredChange
from streams.stages import copy_change, publish
from streams.stages.publish import Publisher, number_batches, wake
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import alone, last_batch, store_in, stored_in

pytestmark = pytest.mark.django_db(transaction=True)

Copy = Callable[[int, Sequence[Change], Sequence[bytes]], None]
WRITERS, BATCHES, READERS = 8, 12, 3


@contextmanager
def held_open(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """A batch of this shard is stored in a transaction that stays open until the event is set;
    all others take a random moment."""
    whole: Copy = copy_change.copy
    reached, release, dice = Event(), Event(), random.Random(7)

    def slowly(batch: int, changes: Sequence[Change], rows: Sequence[bytes]) -> None:
        whole(batch, changes, rows)
        if Batch.objects.filter(pk=batch, stream=shard.stream_id).exists():
            reached.set()
            assert release.wait(60)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [dice.choice([0, 0, 0.002, 0.02])])

    monkeypatch.setattr(copy_change, "copy", slowly)
    change = make_change(shard.stream_id, 1)
    with ThreadPoolExecutor(1) as pool:
        storing = pool.submit(alone, lambda: store_in(shard, change))
        try:
            assert reached.wait(20)
            yield release
        finally:
            release.set()
            storing.result()


def write(shard: Shard) -> None:
    """A writer: many batches of one shard, and a numbering after each."""
    for first in range(0, BATCHES * 3, 3):
        store_in(shard, *[make_change(shard.stream_id, first + n) for n in range(3)])
        number_batches()


def read_until(number: int, limit: int) -> list[StoredChange]:
    """A reader: from the start on by cursor until so many changes were seen."""
    seen: list[StoredChange] = []
    cursor = feed.START

    def more() -> bool:
        nonlocal cursor
        page = feed.read(cursor, streams=None, limit=limit)
        cursor = page.cursor
        seen.extend(page.changes)
        return len(seen) >= number

    wait_for(more, seconds=40, what=f"{number} changes in the feed")
    return seen


def assert_once_and_in_order(seen: list[StoredChange], written: int) -> None:
    assert len({(row.stream_id, row.sequence) for row in seen}) == len(seen) == written
    cursors = [row.cursor for row in seen]
    assert cursors == sorted(set(cursors))  # type: ignore[type-var]  # numbered, so none is None
    for stream in {row.stream_id for row in seen}:
        sequences = [int(row.sequence) for row in seen if row.stream_id == stream]
        assert sequences == sorted(sequences)


def test_readers_see_everything_once_and_wait_for_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    held, shards = make_shard(make_stream()), [make_shard(make_stream()) for _ in range(WRITERS)]
    written = WRITERS * BATCHES * 3
    with ThreadPoolExecutor(WRITERS + READERS) as pool, held_open(held, monkeypatch) as release:
        readers: list[Future[list[StoredChange]]] = [
            pool.submit(alone, lambda limit=limit: read_until(written, limit))
            for limit in (5, 50, 500)
        ]
        writers = [pool.submit(alone, lambda shard=shard: write(shard)) for shard in shards]
        for writer in writers:
            writer.result()
        for reader in readers:
            assert_once_and_in_order(reader.result(), written)
        assert not release.is_set()
    number_batches()
    late = feed.read(feed.START, streams=None, limit=10_000).changes
    assert_once_and_in_order(late, written + 1)
    assert late[-1].stream_id == held.stream_id


def test_the_number_is_given_by_commit_and_not_by_id(monkeypatch: pytest.MonkeyPatch) -> None:
    held, other = make_shard(make_stream()), make_shard(make_stream())
    with held_open(held, monkeypatch):
        store_in(other, make_change(other.stream_id, 1))
        head = number_batches()
        assert last_batch(other).feed_position == head
    number_batches()
    late, early = last_batch(held), last_batch(other)
    assert late.pk < early.pk
    assert (late.feed_position or 0) > (early.feed_position or 0)


def test_there_is_nothing_to_number_twice() -> None:
    shard = make_shard(make_stream())
    store_in(shard, make_change(shard.stream_id, 1))
    assert number_batches() == last_batch(shard).feed_position
    assert number_batches() is None


def test_the_head_goes_on_when_batches_are_gone() -> None:
    shard = make_shard(make_stream())
    store_in(shard, make_change(shard.stream_id, 1))
    head = number_batches()
    Batch.objects.all().delete()
    store_in(shard, make_change(shard.stream_id, 2))
    assert number_batches() == (head or 0) + 1


def test_many_batches_are_numbered_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "_MOST", 2)
    shard = make_shard(make_stream())
    for n in range(1, 6):
        store_in(shard, make_change(shard.stream_id, n))
    head = number_batches()
    assert head == last_batch(shard).feed_position
    assert feed.head().position == head
    assert not Batch.objects.filter(feed_position=None).exists()


def test_a_change_has_no_cursor_before_it_is_numbered() -> None:
    shard = make_shard(make_stream())
    store_in(shard, make_change(shard.stream_id, 1))
    assert stored_in(shard.stream)[0].cursor is None
    head = number_batches()
    assert stored_in(shard.stream)[0].cursor == Cursor(head or 0, 0)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher()
    publisher.start()
    yield publisher
    publisher.stop()


def numbered(shard: Shard) -> bool:
    return not Batch.objects.filter(shard=shard, feed_position=None).exists()


def test_the_publisher_numbers_what_is_stored(publisher: Publisher) -> None:
    shard = make_shard(make_stream())
    store_in(shard, make_change(shard.stream_id, 1))
    publisher.stored()
    wait_for(lambda: numbered(shard), seconds=5)


def test_the_publisher_numbers_what_is_left_before_it_ends(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "_PAUSE_SECONDS", 0.5)
    shard = make_shard(make_stream())
    store_in(shard, make_change(shard.stream_id, 1))
    publisher.stored()
    wait_for(lambda: numbered(shard), seconds=5)
    store_in(shard, make_change(shard.stream_id, 2))
    publisher.stored()
    publisher.stop()
    assert numbered(shard)


def redis_is_away(settings: object) -> None:
    layer = {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [f"redis://127.0.0.1:{unused_port()}/0"]},
    }
    settings.CHANNEL_LAYERS = {"default": layer}  # type: ignore[attr-defined]
    assert get_channel_layer() is not None


def test_without_redis_nothing_is_lost(settings: object) -> None:
    redis_is_away(settings)
    shard = make_shard(make_stream())
    publisher = Publisher()
    publisher.start()
    for n in (1, 2):
        store_in(shard, make_change(shard.stream_id, n))
        publisher.stored()
    publisher.stop()
    assert len(feed.read(feed.START, streams=[shard.stream_id], limit=10).changes) == 2


def test_a_wake_up_that_fails_is_no_error(settings: object) -> None:
    redis_is_away(settings)
    wake(7)
