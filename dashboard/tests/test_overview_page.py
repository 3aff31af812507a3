"""The overview's time left: said on the page and in the API where something may be lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from dashboard.tests.seeding import Shop, all_well
from streams.models import Shard, Stream

pytestmark = pytest.mark.django_db

Get = Callable[..., str]


def paused(shop: Shop, hours: float) -> None:
    at = timezone.now() - timedelta(hours=hours, seconds=30)
    all_well()
    Shard.objects.update(last_read_at=at, caught_up_at=at, newest_change_at=at)
    Stream.objects.update(paused_at=at, paused_by="alice")


def test_time_left_is_on_the_page(page_of: Get, shop: Shop) -> None:
    paused(shop, hours=20 - 48 / 60)
    page = page_of("/overview/table")
    assert "Paused by alice" in page
    assert "AWS keeps unread changes another 4 h 47 min." in page


def test_nothing_is_said_where_everything_is_read(page_of: Get, shop: Shop) -> None:
    all_well()
    assert "AWS keeps" not in page_of("/overview/table")


def test_a_losing_stream_says_it_once(page_of: Get, shop: Shop) -> None:
    paused(shop, hours=21)
    page = page_of("/overview/table")
    assert "Unread changes are lost in 2 h 59 min" in page
    assert "AWS keeps unread changes another" not in page


def test_time_left_is_in_the_api(client: Client, bob: User, shop: Shop) -> None:
    paused(shop, hours=14)
    client.force_login(bob)
    answer: dict[str, Any] = client.get("/api/v1/streams").json()
    (stream,) = answer["streams"]
    assert abs(stream["time_left_seconds"] - 10 * 3600) < 90
    assert stream["read_seconds"] > 13 * 3600
