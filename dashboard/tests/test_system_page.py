"""The system page: what is said of workers, beat, the broker and the database."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings
from redis import Redis

from dashboard.tests.seeding import all_well
from streams.models import Poller
from streams.queries import installation
from streams.stages.health import check_health
from streams.stages.watch import watch
from streams.testing.factories import make_shard, make_stream

pytestmark = pytest.mark.django_db

Get = Callable[..., str]


@pytest.fixture
def broker() -> Iterator[Redis]:
    client: Redis = Redis.from_url(django_settings.REDIS_URL)
    yield client
    client.delete("deltawatch:poll", "deltawatch:unacked_index")
    client.close()


def test_nothing_runs(page_of: Get) -> None:
    page = page_of("/system")
    assert "No worker is reading" in page and "No poller has ever taken a seat" in page
    assert "No pulse yet." in page and "Not once yet." in page


def test_all_is_well(page_of: Get) -> None:
    all_well()
    watch()
    check_health()
    stream, seat = make_stream(), Poller.objects.get()
    make_shard(stream, lease_owner="test", lease_expires_at=seat.expires_at)
    page = page_of("/system")
    assert "Workers and beat are running." in page and "Seat 1" in page
    assert page.count("Running</span>") == 3 and ">1</td>" in page
    part = page_of("/system/part")
    assert "<html" not in part and "PostgreSQL" in part


def test_queues_are_counted(broker: Redis, page_of: Get) -> None:
    broker.lpush("deltawatch:poll", "a", "b", "c")
    broker.zadd("deltawatch:unacked_index", {"tag": 1.0})
    found = installation.broker()
    assert {queue.name: queue.length for queue in found.queues}["poll"] >= 3
    assert found.running >= 1 and found.oldest_seconds and found.oldest_seconds > 1e6
    assert found.version.startswith(("Valkey ", "Redis "))
    assert "Taken by workers" in page_of("/system")


def test_a_broker_that_hangs_does_not_hold_the_page(settings: Settings, page_of: Get) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        settings.REDIS_URL = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        page = page_of("/system")
    assert "No answer</span>" in page and "what is being read goes on" in page


def test_a_clock_that_differs_is_told(page_of: Get) -> None:
    assert "Clock differs" not in page_of("/system")
    known = installation.database()
    assert not known.skewed
    assert [replace(known, skew_seconds=s).skewed for s in (-3.0, 0.5, 3.0)] == [True, False, True]
