"""Queries look into few leaves, however many streams and days there are: Postgres locks every leaf
that a plan names, so the locks of a transaction tell them."""

import itertools
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from streams import partitions
from streams.models import Batch, Stream
from streams.queries import change, feed, history, verify
from streams.queries.rows import Cursor, StoredChange
from streams.stages.publish import number_batches
from streams.stages.store import _without_stored
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.retaining import TODAY, change_at
from streams.tests.integration.storing import batch_of, store_in, stored_in, target_of

pytestmark = pytest.mark.django_db(transaction=True)

STREAMS, LEAVES = 30, 40
sequences = itertools.count(1)


@pytest.fixture(scope="module")
def streams(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[int]]:
    """The ids of streams with forty leaves each; the tables outlive a test, the rows do not."""
    with django_db_blocker.unblock():
        first = 1_000_000
        days = [TODAY - timedelta(days=ago) for ago in range(LEAVES)]
        ids = list(range(first, first + STREAMS))
        for stream_id in ids:
            with transaction.atomic():
                _make_daily(stream_id, days)
        yield ids
        with connection.cursor() as cursor:
            for stream_id in ids:
                cursor.execute(f"DROP TABLE {partitions.parent_of(stream_id)}")
        connection.close()


def _make_daily(stream_id: int, days: list[date]) -> None:
    stream = Stream.objects.create(id=stream_id, name=f"s{stream_id}", keep_days=31)
    partitions.ensure(stream_id, days)
    stream.delete()


@pytest.fixture
def busy(streams: list[int]) -> list[StoredChange]:
    """Every stream has a change of today; the first one catches up on ten days before."""
    found = []
    for stream_id in streams:
        shard = make_shard(make_stream(f"stream{stream_id}", id=stream_id))
        if stream_id == streams[0]:
            late = [change_at(shard, ago, next(sequences)) for ago in range(10, 0, -1)]
            store_in(shard, *late)
        store_in(shard, change_at(shard, 0, next(sequences)))
    number_batches()
    for stream_id in streams:
        found += stored_in(Stream.objects.get(pk=stream_id))
    return found


def leaves_of(work: Callable[[], Any]) -> int:
    """How many leaves the queries of some work look into."""
    with transaction.atomic(), connection.cursor() as cursor:
        assert work() is not None
        cursor.execute(
            """SELECT count(DISTINCT c.oid) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
               WHERE l.pid = pg_backend_pid() AND c.relname ~ '^streams_change_s\\d+_\\d+_\\d+$'"""
        )
        return int(cursor.fetchone()[0])


def test_the_feed_looks_into_the_leaves_that_hold_its_page(busy: list[StoredChange]) -> None:
    begin, head = feed.START, feed.head()
    # One leaf for each stream of today, and those that the first one catches up on.
    assert leaves_of(lambda: feed.read(begin, streams=None, limit=500)) == STREAMS + 10
    assert leaves_of(lambda: feed.newest(streams=None, limit=500)) == STREAMS + 10
    assert leaves_of(lambda: feed.newest(streams=None, limit=5)) == 5
    assert leaves_of(lambda: feed.read(begin, streams=[busy[-1].stream_id], limit=500)) == 1
    last = Cursor(head.position, 0)
    assert leaves_of(lambda: feed.count(Cursor(last.position - 1, 0), last, streams=None)) == 2


def test_a_change_is_found_in_its_leaf(busy: list[StoredChange]) -> None:
    found = busy[-1]
    assert leaves_of(lambda: change.find(found.id)) == 1
    assert leaves_of(lambda: change.images(found)) <= LEAVES


def test_an_items_history_looks_into_its_streams_leaves_only(busy: list[StoredChange]) -> None:
    found = busy[-1]
    stream = Stream.objects.get(pk=found.stream_id)
    assert leaves_of(lambda: history.versions(stream, found.item)) == LEAVES
    assert leaves_of(lambda: [change.previous(found)]) == LEAVES


def test_verify_looks_into_the_leaves_of_each_batch(busy: list[StoredChange]) -> None:
    batch = Batch.objects.filter(stream=busy[-1].stream_id).latest("pk")
    assert leaves_of(lambda: verify.stored_of(batch)) == 1


def test_looking_for_repeats_stays_near_their_time(busy: list[StoredChange]) -> None:
    shard = make_shard(Stream.objects.get(pk=busy[-1].stream_id))
    batch = batch_of(change_at(shard, 20, 1))
    assert leaves_of(lambda: _without_stored(target_of(shard), batch)) <= 15
