"""Celery's entry points: safe to run twice or never, and at rest when a service is away."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.db import OperationalError, connection
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from streams import tasks
from streams.errors import SourceUnavailable
from streams.models import Heartbeat, Problem, Shard, Stream
from streams.sources import registry
from streams.stages import discover as discovery
from streams.stages import lease
from streams.stages.publish import number_batches
from streams.testing.factories import make_change, make_shard, make_stream
from streams.testing.scripted import ScriptedSource, make_record
from streams.tests.integration.storing import last_batch, store_in, stored_in

pytestmark = pytest.mark.django_db(transaction=True)


TASKS = (tasks.poll, tasks.discover, tasks.evaluate, tasks.deliver, tasks.make_ready)


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the tasks put into the queues; nothing is sent."""
    sent: list[tuple[Any, ...]] = []
    for task in TASKS:
        name = task.name
        monkeypatch.setattr(
            task, "apply_async", lambda args=(), *_, n=name, **__: sent.append((n, *args))
        )
    return sent


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> ScriptedSource:
    source = ScriptedSource("arn:1")
    source.add("shard-1", closed=True).records.append(make_record(1))
    monkeypatch.setitem(registry.SOURCES, "dynamodb", lambda options: source)
    return source


@pytest.fixture
def stream(source: ScriptedSource) -> Stream:
    return make_stream(arn=source.arn)


@pytest.fixture
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "SLICE_SECONDS", 0.3)


def away(*_: Any, **__: Any) -> None:
    raise OperationalError("the database is away")


# Discover


def test_discover_lists_once_when_run_twice(stream: Stream) -> None:
    tasks.discover(stream.pk)
    tasks.discover(stream.pk)
    assert [shard.name for shard in stream.shards.all()] == ["shard-1"]
    stream.refresh_from_db()
    assert stream.discovered_at


def test_discover_leaves_a_listing_to_whoever_has_it(stream: Stream) -> None:
    Stream.objects.update(discover_after=timezone.now() + timedelta(minutes=1))
    tasks.discover(stream.pk)
    assert not stream.shards.exists()


def test_discover_lets_a_paused_stream_rest(stream: Stream) -> None:
    Stream.objects.update(paused_at=timezone.now())
    tasks.discover(stream.pk)
    assert not stream.shards.exists()


def test_discover_of_a_deleted_stream_is_nothing(stream: Stream) -> None:
    number = stream.pk
    stream.delete()
    tasks.discover(number)
    tasks.discover(0)


def test_discover_makes_a_problem_of_a_source_that_cannot_be_opened() -> None:
    stream = make_stream(options={"table": "?"})
    tasks.discover(stream.pk)
    assert Problem.objects.get(stream=stream).kind == "options"


def test_discover_makes_a_problem_of_a_source_that_does_not_tell(
    stream: Stream, source: ScriptedSource
) -> None:
    source.down = SourceUnavailable("away")
    tasks.discover(stream.pk)
    assert Problem.objects.get(stream=stream).kind == "unreachable"


def test_discover_rests_while_the_database_is_away(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "claim", away)
    tasks.discover(stream.pk)


# Poll


@pytest.mark.usefixtures("short_slices")
def test_poll_stores_each_change_once_when_run_twice(
    stream: Stream, queued: list[tuple[Any, ...]]
) -> None:
    make_shard(stream, "shard-1")
    tasks.poll()
    tasks.poll()
    assert len(stored_in(stream)) == 1
    assert Shard.objects.get().ended == Shard.Ended.READ
    assert queued.count(("streams.poll",)) == 2
    assert ("streams.discover", stream.pk) in queued


@pytest.mark.usefixtures("short_slices")
def test_poll_publishes_what_it_stored(stream: Stream) -> None:
    shard = make_shard(stream, "shard-1")
    tasks.poll()
    assert last_batch(shard).feed_position


def test_poll_without_a_free_seat_ends_and_queues_nothing(
    queued: list[tuple[Any, ...]], settings: Any
) -> None:
    settings.POLLERS = 1
    lease.take_seat("another")
    tasks.poll()
    assert ("streams.poll",) not in queued


def test_poll_looks_after_health_when_beat_is_gone(
    queued: list[tuple[Any, ...]], settings: Any
) -> None:
    settings.POLLERS = 1
    lease.take_seat("another")
    tasks.poll()
    assert queued == [("streams.evaluate",), ("streams.deliver",)]
    tasks.poll()
    assert len(queued) == 2, "somebody has looked a moment ago"


@pytest.mark.usefixtures("short_slices")
def test_poll_gives_its_seat_back() -> None:
    tasks.poll()
    assert lease.live_pollers() == 0


def test_poll_goes_on_by_itself_without_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    slices = iter([True, True, False])
    monkeypatch.setattr(tasks, "_poll_slice", lambda: next(slices))
    monkeypatch.setattr(tasks, "_send", lambda *_: False)
    tasks.poll()
    assert next(slices, "all were polled") == "all were polled"


def test_poll_rests_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "take_seat", away)
    tasks.poll()


@pytest.mark.usefixtures("short_slices")
def test_poll_rests_when_the_database_goes_away_while_it_copies(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = make_shard(stream, "shard-1")

    def cut_off(*_: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr("streams.stages.copy_change.copy", cut_off)
    tasks.poll()
    connection.close()
    assert stored_in(stream) == []
    shard.refresh_from_db()
    assert shard.position == ""


# Tick


def test_tick_revives_the_pollers_that_are_missing(
    queued: list[tuple[Any, ...]], settings: Any
) -> None:
    settings.POLLERS = 3
    lease.take_seat("alive")
    tasks.tick()
    assert queued.count(("streams.poll",)) == 2


def test_tick_asks_for_listings_of_running_streams(
    stream: Stream, queued: list[tuple[Any, ...]]
) -> None:
    make_stream(paused_at=timezone.now())
    tasks.tick()
    assert [call for call in queued if call[0] == "streams.discover"] == [
        ("streams.discover", stream.pk)
    ]


def test_tick_numbers_what_a_killed_poller_left(stream: Stream) -> None:
    shard = make_shard(stream)
    store_in(shard, make_change(stream.pk, 1))
    tasks.tick()
    tasks.tick()
    assert last_batch(shard).feed_position
    assert number_batches() is None


def test_tick_notes_its_pulse_each_time() -> None:
    tasks.tick()
    first = Heartbeat.objects.get(name="beat").seen_at
    tasks.tick()
    assert Heartbeat.objects.get(name="beat").seen_at > first


def test_tick_rests_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_note_pulse", away)
    tasks.tick()


@pytest.mark.parametrize("error", [BrokerError("away"), redis.ConnectionError("away")])
def test_tick_and_nudges_rest_while_the_broker_is_away(
    stream: Stream, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    for task in TASKS:
        monkeypatch.setattr(task, "apply_async", fail)
    tasks.tick()
    assert Heartbeat.objects.filter(name="beat").exists()
    tasks._discover_now(stream.pk)
