"""Where older changes were dropped, the pages say up to when."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.tests.seeding import Shop, order
from streams.models import Drop

pytestmark = pytest.mark.django_db

Get = Callable[..., str]


@pytest.fixture
def dropped(shop: Shop) -> str:
    """Until when the shop's changes were dropped, as pages write it."""
    until = datetime.now(UTC).replace(microsecond=0) - timedelta(days=7)
    begin = until - timedelta(days=1)
    Drop.objects.create(stream=shop.stream, from_at=begin, to_at=until, changes=9, size=900)
    return until.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_items_history_says_it_at_its_end(page_of: Get, shop: Shop, dropped: str) -> None:
    shop.insert("4711", order("new"))
    page = page_of(f"/items/{shop.stream.name}/{shop.token('4711')}")
    assert f'changes before <time datetime="{dropped}"' in page
    assert "were dropped by retention" in page


def test_an_unknown_item_says_it_too(page_of: Get, shop: Shop, dropped: str) -> None:
    path = f"/items/{shop.stream.name}/{shop.token('nobody')}"
    assert "were dropped by retention" in page_of(path, status=404)


def test_the_oldest_version_says_it(page_of: Get, shop: Shop, dropped: str) -> None:
    first = shop.modify("4711", None, order("new"))
    second = shop.modify("4711", None, order("paid"))
    page = page_of(f"/changes/{first.id}")
    assert f'<time datetime="{dropped}"' in page and "the oldest stored version" in page
    assert "were dropped by retention. " not in page_of(f"/changes/{second.id}")
    assert "The old image is unknown: no earlier version" in page


def test_without_a_drop_nothing_is_said(page_of: Get, shop: Shop) -> None:
    change = shop.insert("4711", order("new"))
    assert "dropped" not in page_of(f"/changes/{change.id}")
    assert "dropped" not in page_of(f"/items/{shop.stream.name}/{shop.token('4711')}")
