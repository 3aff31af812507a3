"""The pages, as the server makes them: they work without scripts."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone

from dashboard.tests.seeding import Shop, all_well, begin_feed, order, text
from streams.models import Gap
from streams.queries import feed

pytestmark = pytest.mark.django_db

Get = Callable[..., str]
EVIL = '<b onclick="x">"&\'</b>\0\u202eevil'
SHOWN = "&lt;b onclick=&quot;x&quot;&gt;&quot;&amp;&#x27;&lt;/b&gt;␀⟨U+202E⟩evil"


def test_the_overview_says_how_to_begin(page_of: Get) -> None:
    page = page_of("/")
    assert "No stream is watched yet" in page
    assert "add_stream" in page and "dynamodb:GetRecords" in page


def test_the_overview_lists_streams_with_their_state(page_of: Get, shop: Shop) -> None:
    all_well()
    page = page_of("/")
    assert "orders" in page and "/live?stream=orders" in page
    assert 'class="chip' in page


def test_the_overview_says_that_no_worker_runs(page_of: Get, shop: Shop) -> None:
    assert "No worker is reading" in page_of("/")


def test_the_overview_renews_its_table_alone(page_of: Get, shop: Shop) -> None:
    part = page_of("/overview/table")
    assert "<html" not in part and "orders" in part


def test_live_has_the_newest_rows_and_where_to_go_on(page_of: Get, shop: Shop) -> None:
    shop.write_many(120)
    page = page_of("/live")
    assert page.count('role="row" data-op="MODIFY"') == 100
    assert "item-119" in page and "item-19<" not in page
    assert f'"cursor": "{feed.head()}"' in page


def test_live_shows_old_and_new_values(page_of: Get, shop: Shop) -> None:
    shop.modify("4711", order("new"), order("paid"))
    page = page_of("/live?stream=orders")
    assert '<b>status</b> <bdi class="old">new</bdi><i> → </i><bdi class="new">paid</bdi>' in page


def test_live_of_a_stream_shows_no_other(page_of: Get, shop: Shop) -> None:
    shop.insert("mine", order("new"))
    Shop("stock").insert("other", order("new"))
    page = page_of("/live?stream=stock")
    assert "other" in page and "mine" not in page


def test_live_of_an_unknown_stream_is_not_found(page_of: Get) -> None:
    assert "no stream “nope”" in page_of("/live?stream=nope", status=404)


def test_a_range_is_an_ordinary_page(page_of: Get, shop: Shop) -> None:
    begin = feed.head()
    shop.write_many(150)
    page = page_of("/live", after=str(begin), upto=str(feed.head()))
    assert "150 changes from here on" in page
    assert page.index("item-0<") < page.index("item-99<")
    address = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    following = page_of(address)
    assert "50 changes from here on" in following
    assert 'rel="next"' not in following and "item-149" in following


@pytest.mark.parametrize("query", ["after=x", "after=1.99999999999", "after=1.0&upto=-"])
def test_a_malformed_range_is_not_found(page_of: Get, query: str) -> None:
    assert "cursor" in page_of(f"/live?{query}", status=404)


def test_the_history_shows_versions_newest_first(page_of: Get, shop: Shop) -> None:
    shop.insert("4711", order("new"))
    shop.modify("4711", order("new"), order("paid"))
    shop.remove("4711", order("paid"))
    page = page_of(f"/items/orders/{shop.token('4711')}")
    assert page.index(">REMOVE<") < page.index(">MODIFY<") < page.index(">INSERT<")
    assert "Deleted" in page and "That is everything stored" in page


def test_the_history_is_paged(page_of: Get, shop: Shop) -> None:
    for _ in range(101):
        shop.modify("4711", order("new"), order("paid"))
    page = page_of(f"/items/orders/{shop.token('4711')}")
    older = page.split('rel="next" href="')[1].split('"')[0]
    page = page_of(f"/items/orders/{shop.token('4711')}{older}")
    assert page.count(">MODIFY<") == 1 and 'rel="prev"' in page


def test_the_history_says_what_is_missing(page_of: Get, shop: Shop) -> None:
    shop.insert("4711", order("new"))
    now = timezone.now()
    Gap.objects.create(
        stream=shop.stream, reason="trimmed", from_at=now - timedelta(hours=1), to_at=now
    )
    page = page_of(f"/items/orders/{shop.token('4711')}")
    assert "Changes in this period may be missing" in page
    assert "the source had deleted the records" in page


def test_the_history_of_an_unknown_item_says_since_when_it_would_know(
    page_of: Get, shop: Shop
) -> None:
    page = page_of(f"/items/orders/{shop.token('0815')}", status=404)
    assert "No change of this item is stored" in page


def test_an_address_that_names_no_item(page_of: Get, shop: Shop) -> None:
    page_of("/items/orders/xx", status=404)
    page_of(f"/items/orders/{shop.token('1')}?before=x", status=404)
    page_of(f"/items/nope/{shop.token('1')}", status=404)


def test_every_page_shows_hostile_text_as_text(page_of: Get, shop: Shop) -> None:
    change = shop.insert(EVIL, {"note": text(EVIL)})
    for path in ("/live", f"/changes/{change.id}", f"/items/orders/{shop.token(EVIL)}"):
        page = page_of(path)
        assert SHOWN in page, path
        assert "<b onclick" not in page and "\0" not in page and "\u202e" not in page


def test_every_page_survives_lone_surrogates_and_large_items(page_of: Get, shop: Shop) -> None:
    change = shop.insert("\ud800", {"note": text("\udfff"), "big": text("x" * 400_000)})
    for path in ("/live", f"/changes/{change.id}", f"/items/orders/{shop.token(chr(0xD800))}"):
        assert "\ufffd" in page_of(path)


def test_the_theme_and_zone_of_the_cookie_are_rendered(page_of: Get, client: Client) -> None:
    client.cookies["deltawatch_theme"] = "dark"
    client.cookies["deltawatch_zone"] = "browser"
    assert 'data-theme="dark" data-zone="browser"' in page_of("/")
    client.cookies["deltawatch_theme"] = '"><script>'
    assert 'data-theme="system"' in page_of("/")


def test_a_page_that_fails_says_so_in_the_same_look(client: Client, alice: Any) -> None:
    client.force_login(alice)
    client.raise_request_exception = False
    with patch("dashboard.views.overview.statuses", side_effect=ZeroDivisionError):
        response = client.get("/")
    assert response.status_code == 500
    assert "Something failed" in response.content.decode()


def test_the_api_gives_images_as_they_were_stored(page_of: Get, shop: Shop) -> None:
    begin = feed.head()
    digits = "12345678901234567890123456789012345678"
    change = shop.modify("4711", order("new", digits), order("paid", "1.0"))
    answer = json.loads(page_of("/api/v1/changes", cursor=str(begin), stream="orders"))
    (shown,) = answer["changes"]
    assert shown["old"]["total"] == {"N": digits} and shown["new"]["total"] == {"N": "1.0"}
    assert (shown["id"], shown["operation"], answer["more"]) == (change.id, "MODIFY", False)
    assert json.loads(page_of(f"/api/v1/changes/{change.id}")) == shown


def test_the_api_goes_on_by_cursor(page_of: Get, shop: Shop) -> None:
    cursor, seen = str(feed.head()), 0
    shop.write_many(25)
    more = True
    while more:
        answer = json.loads(page_of("/api/v1/changes", cursor=cursor, limit=10))
        cursor, more = answer["cursor"], answer["more"]
        seen += len(answer["changes"])
    assert seen == 25


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=1001", "cursor=x"])
def test_the_api_explains_a_bad_request(page_of: Get, query: str) -> None:
    answer = json.loads(page_of(f"/api/v1/changes?{query}", status=400))
    assert answer["error"]["code"] == "bad-request" and answer["error"]["sentence"]


def test_the_api_knows_no_other_stream_or_change(page_of: Get) -> None:
    page_of("/api/v1/changes?stream=nope", status=404)
    page_of("/api/v1/changes/1-1", status=404)


def test_the_api_lists_streams(page_of: Get, shop: Shop) -> None:
    answer = json.loads(page_of("/api/v1/streams"))
    assert answer["streams"][0]["name"] == "orders" and answer["system"]["level"] == "bad"


def test_healthz_is_ready_when_everything_lives(client: Client, transactional_db: None) -> None:
    begin_feed()
    all_well()
    response = client.get("/healthz")
    assert response.json() == {
        "ready": True,
        "checks": {"database": "ok", "redis": "ok", "workers": "ok", "beat": "ok"},
    }


def test_healthz_names_what_is_away(client: Client, transactional_db: None) -> None:
    response = client.get("/healthz")
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert "No worker" in checks["workers"] and "Beat is not running" in checks["beat"]


def test_healthz_answers_without_database_and_redis(client: Client, settings: Any) -> None:
    settings.REDIS_URL = "redis://user:secret@127.0.0.1:1/0"
    nowhere = {"host": "127.0.0.1", "port": 1, "user": "u", "password": "secret", "dbname": "d"}
    with patch("django.db.connection.get_connection_params", return_value=nowhere):
        response = client.get("/healthz")
    assert response.status_code == 503
    assert "does not answer" in response.json()["checks"]["redis"]
    assert "does not answer" in response.json()["checks"]["database"]
    assert "secret" not in response.content.decode()
