"""What stops a stream without an error that a poller could report is found and named all the same:
leases held by strangers, a service that does not do its work, shards that nobody may know of."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from streams.models import Heartbeat, Poller, Problem, Shard, Stream
from streams.queries.overview import statuses, system
from streams.stages.rivals import note_rivals
from streams.testing.factories import make_shard, make_stream

pytestmark = pytest.mark.django_db(transaction=True)


def ago(seconds: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds)


@pytest.fixture
def stream() -> Stream:
    stream = make_stream("orders")
    Stream.objects.update(created_at=ago(9_000), discovered_at=ago(120))
    return stream


@pytest.fixture
def workers_and_beat() -> None:
    Poller.objects.create(number=1, owner="ours", expires_at=ago(-10))
    Heartbeat.objects.create(name="beat", seen_at=timezone.now())


def read_shard(stream: Stream, age: float, **fields: Any) -> Shard:
    return make_shard(stream, last_read_at=ago(age), caught_up_at=ago(age), **fields)


# Leases


@pytest.mark.usefixtures("workers_and_beat")
def test_a_stranger_that_holds_leases_and_does_not_read_is_named(stream: Stream) -> None:
    for name in ("one", "two"):
        read_shard(stream, 60, name=name, lease_owner="thief", lease_expires_at=ago(-5))
    note_rivals()
    (status,) = statuses()
    assert status.state == "stalled"
    assert "shard one and 1 more of orders is taken again and again by 'thief'" in status.sentence


@pytest.mark.usefixtures("workers_and_beat")
@pytest.mark.parametrize(
    ("owner", "age", "expires_in"),
    [("ours", 60, 5), ("thief", 5, 5), ("killed", 60, -1), ("", 60, 5)],
)
def test_a_poller_a_reader_and_a_dead_one_are_no_rivals(
    stream: Stream, owner: str, age: float, expires_in: float
) -> None:
    read_shard(stream, age, lease_owner=owner, lease_expires_at=ago(-expires_in))
    note_rivals()
    assert not Problem.objects.exists()


@pytest.mark.usefixtures("workers_and_beat")
def test_it_is_over_when_the_shard_is_read_and_not_when_a_lease_has_just_run_out(
    stream: Stream,
) -> None:
    shard = read_shard(stream, 60, lease_owner="thief", lease_expires_at=ago(-5))
    note_rivals()
    Shard.objects.update(lease_expires_at=ago(1))
    note_rivals()
    assert Problem.objects.get().resolved_at is None
    Shard.objects.filter(pk=shard.pk).update(last_read_at=timezone.now())
    note_rivals()
    assert Problem.objects.get().resolved_at


# Services


def test_a_database_that_takes_no_writes_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    try:
        assert system().level == "bad"
        assert "Postgres refuses writes (cannot execute INSERT in a read-only" in system().sentence
    finally:
        connection.close()


def test_a_broker_that_does_not_answer_is_named(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert "Valkey or Redis does not answer" in system().sentence


def test_with_both_at_work_it_is_the_workers_that_are_missing() -> None:
    assert "No worker is reading" in system().sentence
    assert not Heartbeat.objects.exists(), "the try to write is undone"


@pytest.mark.usefixtures("workers_and_beat")
def test_nothing_is_asked_while_all_is_well(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert system().level == "ok"


# Shards that nobody may know of


@pytest.mark.usefixtures("workers_and_beat")
def test_a_shard_that_ended_and_was_not_followed_is_not_read(stream: Stream) -> None:
    read_shard(stream, 1)
    ended = read_shard(stream, 60, ended=Shard.Ended.READ, ended_at=ago(60))
    (status,) = statuses()
    assert status.state == "stalled"
    assert status.sentence.startswith("1 of 2 shards: nothing has been read for")
    read_shard(stream, 1, parent=ended)
    (status,) = statuses()
    assert status.level == "ok"


@pytest.mark.usefixtures("workers_and_beat")
def test_a_listing_shows_that_nothing_follows(stream: Stream) -> None:
    read_shard(stream, 1)
    read_shard(stream, 60, ended=Shard.Ended.READ, ended_at=ago(60))
    Stream.objects.update(discovered_at=ago(30))
    (status,) = statuses()
    assert status.level == "ok"
