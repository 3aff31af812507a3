"""The live page and its ranges as the server makes them."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from dashboard.tests.seeding import Shop, order
from dashboard.views.live_columns import DEFAULT, parse, paths
from streams.queries import feed
from streams.queries.seconds import last_seconds

PageOf = Callable[..., str]


def data(page: str) -> dict[str, Any]:
    """What the page gives its script."""
    found = re.search(r'<script id="first" type="application/json">(.*?)</script>', page)
    assert found
    return dict(json.loads(found.group(1)))


def listed(page: str) -> list[str]:
    body = page.partition("feed-list")[2] or page.partition("feed static")[2]
    return re.findall(r'class="c-key"><a href="[^"]+"><bdi>([^<]+)<', body)


def test_columns_are_those_of_the_address(page_of: PageOf, shop: Shop) -> None:
    shop.modify("4711", order("new"), order("paid"))
    page = page_of("/live", cols="key,new.status,old.total,lag")
    assert data(page)["cols"] == ["new.status", "old.total"]
    assert data(page)["rows"][0][-1] == ["paid", "12.50"]
    assert re.findall(r'class="c-path" data-place="(\d)"><bdi>([^<]+)<', page)[:2] == [
        ("0", "paid"),
        ("1", "12.50"),
    ]


@pytest.mark.parametrize("text", ["", "nonsense,", "new", "status", ",".join(["new.a"] * 9)])
def test_an_odd_choice_of_columns_still_shows_the_changes(
    page_of: PageOf, shop: Shop, text: str
) -> None:
    shop.modify("4711", order("new"), order("paid"))
    assert listed(page_of("/live", cols=text)) == ["4711"]


def test_a_comma_in_quotes_is_part_of_a_path() -> None:
    assert paths(parse('key,new."a,b".c,old.d')) == ['new."a,b".c', "old.d"]


def test_the_key_is_always_there() -> None:
    assert [column.name for column in parse("time,op")] == ["key", "time", "op"]
    assert parse(" , ") == DEFAULT


def test_noise_is_left_out_and_counted(page_of: PageOf, shop: Shop) -> None:
    shop.stream.ignored_fields = ["total"]
    shop.stream.save()
    shop.modify("loud", order("new"), order("paid"))
    shop.modify("noise", order("new", "1"), order("new", "2"))
    page = page_of("/live")
    assert (listed(page), data(page)["noise_hidden"]) == (["loud"], 1)
    page = page_of("/live", noise="show")
    assert (listed(page), data(page)["noise_hidden"]) == (["noise", "loud"], 0)


def test_conditions_are_counted(page_of: PageOf, shop: Shop) -> None:
    page = page_of("/live", q="op:MODIFY changed:status -new.total:3")
    assert data(page)["conditions"] == 3


def test_the_faster_rate_is_asked_for(page_of: PageOf, shop: Shop) -> None:
    assert data(page_of("/live"))["rows_per_second"] == 500
    assert data(page_of("/live", rows="2000"))["rows_per_second"] == 2_000
    assert data(page_of("/live", rows="9999"))["rows_per_second"] == 500


def test_a_paused_stream_is_said(page_of: PageOf, shop: Shop) -> None:
    shop.stream.paused_at = shop.stream.created_at
    shop.stream.save()
    assert "orders is paused" in page_of("/live")


def test_a_range_applies_the_filter_and_keeps_its_pages(page_of: PageOf, shop: Shop) -> None:
    begin = feed.head()
    shop.write_many(150)
    shop.modify("odd", order("paid"), order("packed"))
    shop.write_many(150, 200)
    page = page_of("/live", after=str(begin), q="new.status:paid")
    assert len(listed(page)) == 100
    address = re.search(r'rel="next" href="([^"]+)"', page)
    assert address
    path = address.group(1).replace("&amp;", "&")
    assert "q=new.status%3Apaid" in path
    assert listed(page_of(path))[0] == "item-100"
    page = page_of("/live", after=str(begin), q="new.status:packed")
    assert listed(page) == ["odd"]
    assert "300 on this page are not listed" in page
    assert 'rel="next"' not in page


def test_a_range_of_exactly_a_page_has_no_next(page_of: PageOf, shop: Shop) -> None:
    begin = feed.head()
    shop.write_many(100)
    assert 'rel="next"' not in page_of("/live", after=str(begin))


def test_the_strip_knows_the_seconds_before(shop: Shop) -> None:
    shop.write_many(30)
    shop.insert("new", order("new"))
    end, counts = last_seconds([shop.stream.pk], 300)
    assert len(counts) == 300
    # The second that has not ended is told by the socket.
    inserts, modifies, removes = (sum(column) for column in zip(*counts, strict=True))
    assert (inserts, removes) in ((0, 0), (1, 0)) and modifies in (0, 30)
    assert end > 1_700_000_000
