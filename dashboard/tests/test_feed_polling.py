"""The feed by polling, for a page that can open no WebSocket: the same rows, the same counts."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from dashboard.feed.protocol import COLUMNS
from dashboard.tests.seeding import Shop, order
from streams.queries import feed

pytestmark = pytest.mark.django_db

Get = Callable[..., str]


def summary(page_of: Get, **query: Any) -> Any:
    return json.loads(page_of("/api/v1/changes", summary=1, **query))


def test_it_gives_the_feeds_rows(page_of: Get, shop: Shop) -> None:
    begin = feed.head()
    shop.modify("4711", order("new"), order("paid"))
    answer = summary(page_of, cursor=str(begin), limit=500)
    assert answer["columns"] == list(COLUMNS)
    (row,) = answer["rows"]
    assert row[4:7] == ["orders", "MODIFY", "4711"] and row[8] == [["status", "new", "paid"]]
    assert (answer["cursor"], answer["more"]) == (str(feed.head()), False)


def test_polling_by_cursor_misses_and_repeats_nothing(page_of: Get, shop: Shop) -> None:
    cursor, keys, more = str(feed.head()), [], True
    shop.write_many(25)
    while more:
        answer = summary(page_of, cursor=cursor, limit=10)
        keys += [row[6] for row in answer["rows"]]
        cursor, more = answer["cursor"], answer["more"]
    assert keys == [f"item-{n}" for n in range(25)]


def test_what_a_filter_hides_is_counted_and_passed_over(page_of: Get, shop: Shop) -> None:
    begin = feed.head()
    shop.write_many(3)
    shop.remove("4711", order("paid"))
    answer = summary(page_of, cursor=str(begin), q="op:REMOVE")
    assert [row[6] for row in answer["rows"]] == ["4711"]
    assert (answer["hidden"], answer["noise"]) == (3, 0)
    answer = summary(page_of, cursor=str(begin), q="op:INSERT")
    assert (answer["rows"], answer["hidden"], answer["cursor"]) == ([], 4, str(feed.head()))


def test_noise_is_hidden_and_counted_unless_it_is_asked_for(page_of: Get, shop: Shop) -> None:
    shop.stream.ignored_fields = ["status"]
    shop.stream.save()
    begin = feed.head()
    shop.write_many(3)
    answer = summary(page_of, cursor=str(begin))
    assert (answer["rows"], answer["noise"]) == ([], 3)
    answer = summary(page_of, cursor=str(begin), noise="show")
    assert (len(answer["rows"]), answer["noise"]) == (3, 0)


def test_a_wrong_filter_is_refused_with_a_reason(page_of: Get, shop: Shop) -> None:
    answer = json.loads(page_of("/api/v1/changes", status=400, summary=1, q="op:"))
    assert "Expected" in answer["error"]["sentence"]
