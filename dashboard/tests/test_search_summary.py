"""What comes after a search's results: its count, histogram and facets, and what is to blame if
nothing is found. The numbers of all of them are those of the rows."""

import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from django.test import Client

from dashboard.tests.seeding import Shop, order
from dashboard.tests.test_export import lines_of
from streams.change import EPOCH
from streams.models import Drop, Stream
from streams.queries.search_bins import ledger_bins, parts_of
from streams.queries.search_tally import tally
from streams.rules import compile_text
from streams.stages.publish import number_batches
from streams.tests.integration.storing import store_in

Get = Callable[..., str]

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


def spread(shop: Shop, seed: int, count: int = 240, hours: float = 6) -> None:
    """Changes of all operations over some hours before noon, in batches of odd sizes."""
    dice = random.Random(seed)
    seconds = sorted(dice.uniform(0, hours * 3600) for _ in range(count))
    changes = []
    for number, ago in enumerate(reversed(seconds)):
        old, new = order("new", str(number)), order(dice.choice(["paid", "new"]), str(number))
        images = dice.choice([(None, new), (old, new), (old, new), (old, None)])
        operation = {(True, False): "INSERT", (False, True): "REMOVE"}.get(
            (images[0] is None, images[1] is None), "MODIFY"
        )
        change = shop.change(f"item-{number}", operation, *images, ttl=dice.random() < 0.1)
        at = NOON - timedelta(seconds=int(ago))
        changes.append(msgspec.structs.replace(change, occurred=(at - EPOCH) // _MICROSECOND))
    while changes:
        size = dice.choice([1, 3, 40])
        store_in(shop.shard, *changes[:size])
        del changes[:size]
    number_batches()


_MICROSECOND = timedelta(microseconds=1)


def rows_of(client: Client, url: str) -> list[Any]:
    rows: list[Any] = []
    while url:
        found = client.get(f"/search?{url}").context["found"]
        rows += found["rows"]
        url = found["next"] or found["onward"]
    return rows


@pytest.mark.parametrize(
    "query", ["", "op:MODIFY", "new.status:paid", "-actor:ttl changed:status", "new.nothing:x"]
)
@pytest.mark.parametrize("noise", ["", "show"])
def test_histogram_count_facets_and_rows_agree(
    page_of: Get, client: Client, shop: Shop, query: str, noise: str
) -> None:
    spread(shop, 1)
    spread(Shop("customers"), 2, count=60)
    page_of("/search")
    since, until = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (NOON - timedelta(hours=4), NOON))
    given = {"q": query, "noise": noise, "since": since, "until": until}
    summary = client.get("/search/summary", given).context
    rows = rows_of(client, urlencode(given))
    assert summary["exact"] and summary["total"] == len(rows)
    chart = summary["histogram"].chart
    assert chart.total == len(rows)
    bars: Counter[str] = Counter()
    for bin_, _, _ in summary["histogram"].bins:
        bars.update(bin_.counts)
    assert bars == Counter(row.operation for row in rows)
    facets = {facet.name: {v.label: v.number for v in facet.values} for facet in summary["facets"]}
    assert facets.get("Stream", {}) == Counter(row.stream for row in rows)
    assert facets.get("Operation", {}) == bars
    assert sum(facets.get("Actor", {}).values()) == sum(row.ttl for row in rows)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hours", [0.1, 2.5, 30])
def test_the_ledger_counts_what_a_look_at_every_change_counts(
    shop: Shop, seed: int, hours: float
) -> None:
    spread(shop, seed)
    spread(Shop("customers"), seed + 10, count=50)
    streams = list(Stream.objects.all())
    for until in (NOON, NOON - timedelta(hours=1, seconds=17)):
        since = until - timedelta(hours=hours)
        parts = parts_of(since, until)
        counted = tally(
            compile_text(""), streams=streams, since=since, until=until, budget_seconds=60,
            hide_noise=False,
        )  # fmt: skip
        assert counted.complete
        assert ledger_bins(streams, parts, since, until, 60) == parts.bins(counted.moments)


def test_a_dropped_day_is_not_counted_by_the_ledger(shop: Shop) -> None:
    """A batch on both sides of the border is in the ledger as a whole: it is looked into."""
    spread(shop, 5)
    border = NOON - timedelta(hours=3)
    Drop.objects.create(
        stream=shop.stream, from_at=border - timedelta(days=1), to_at=border, changes=1, size=1
    )
    parts = parts_of(NOON - timedelta(hours=6), NOON)
    streams = [shop.stream]
    found = ledger_bins(streams, parts, NOON - timedelta(hours=6), NOON, 60)
    counted = tally(
        compile_text(""), streams=streams, since=None, until=NOON, budget_seconds=60,
        hide_noise=False,
    )  # fmt: skip
    assert found and sum(b.total for b in found) == counted.number


@pytest.mark.parametrize("days", [0.0001, 0.01, 1, 7, 40, 3650, 20_000])
def test_a_range_has_at_most_sixty_parts(days: float) -> None:
    since = NOON - timedelta(days=days)
    parts = parts_of(since, NOON)
    assert 1 <= parts.number <= 60
    assert parts.begin <= since and parts.end >= NOON


def test_what_was_not_looked_at_is_hatched(shop: Shop) -> None:
    spread(shop, 1)
    found = tally(
        compile_text("op:MODIFY"), streams=None, since=None, until=None, budget_seconds=60,
        hide_noise=False, at_most=10,
    )  # fmt: skip
    assert not found.complete and found.number == 10 and found.searched_to
    newest = sorted((at for at, _ in found.moments), reverse=True)
    assert [at for at, _ in found.moments] == newest


def test_a_search_that_is_cut_says_so(
    page_of: Get, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread(shop, 1)
    monkeypatch.setattr("dashboard.views.search_summary.MOST_MATCHES", 10)
    page = page_of("/search/summary", q="op:MODIFY", noise="show")
    assert "The newest 10 matches" in page and "was not looked at" in page
    assert 'fill="url(#unlooked)"' in page and "10+ changes" in page
    assert "Of the newest 10 matches." in page


def test_everything_is_counted_by_the_ledger_when_it_is_much(
    page_of: Get, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread(shop, 1)
    monkeypatch.setattr("dashboard.views.search_summary.MOST_MATCHES", 10)
    page = page_of("/search/summary", q="")
    assert "240 changes <small>with hidden ones" in page
    assert "those of ignored fields included" in page and "hatched" not in page


def test_a_facet_narrows_and_leaves_out(page_of: Get, client: Client, shop: Shop) -> None:
    shop.modify("1", order("new"), order("paid"))
    shop.remove("2", order("new"))
    page_of("/search")
    page = client.get("/search/summary", {"q": "new.a:1 OR op:REMOVE,MODIFY"})
    facets = {facet.name: facet for facet in page.context["facets"]}
    remove = next(v for v in facets["Operation"].values if v.label == "REMOVE")
    assert remove.url == "q=%28new.a%3A1%20OR%20op%3AREMOVE%2CMODIFY%29%20op%3AREMOVE"
    assert len(rows_of(client, remove.url)) == 1
    assert [row.key for row in rows_of(client, remove.without_url)] == ["1"]
    # A pattern becomes an expression when something is added.
    page = client.get("/search/summary", {"q": '{"eventName": ["REMOVE"]}'})
    changed = page.context["facets"][2].values[0]
    assert len(rows_of(client, changed.url)) == 1


def test_noise_is_hidden_and_counted(page_of: Get, client: Client, shop: Shop) -> None:
    Stream.objects.filter(pk=shop.stream.pk).update(ignored_fields=["seen_at"])
    shop.modify("1", order("new"), order("paid"))
    shop.modify("2", order("new", seen_at={"N": "1"}), order("new", seen_at={"N": "2"}))
    shop.modify("3", order("new"), order("new"))
    page = page_of("/search", q="op:MODIFY")
    assert "2 changes of ignored fields hidden" in page and "noise=show" in page
    assert "1 change<" in page
    page = page_of("/search", q="op:MODIFY", noise="show")
    assert "3 changes<" in page and "are shown" in page
    context = client.get("/search/summary?q=op:MODIFY").context
    assert (context["total"], context["tally"].hidden) == (1, 2)


def test_the_condition_to_blame_is_named(page_of: Get, shop: Shop) -> None:
    shop.modify("1", order("new"), order("paid"))
    page = page_of("/search", q="op:MODIFY new.status:gone changed:status")
    assert "No change matches" in page and "/search/without?" in page
    page = page_of("/search/without", q="op:MODIFY new.status:gone changed:status")
    assert "<b>1</b> without" in page and "new.status:gone" in page
    assert "op%3AMODIFY%20changed%3Astatus" in page
    assert "<bdi>op:MODIFY</bdi>" not in page
    page = page_of("/search/without", q="op:MODIFY", until="2h")
    assert "the period" in page
    page = page_of("/search/without", q="new.a:1 new.b:2")
    assert "Leaving out any one condition finds nothing either" in page


def test_a_period_older_than_retention_is_said(page_of: Get, shop: Shop) -> None:
    Drop.objects.create(
        stream=shop.stream, from_at=NOON - timedelta(days=9), to_at=NOON - timedelta(days=8),
        changes=1, size=1,
    )  # fmt: skip
    assert "were dropped by retention" in page_of("/search", q="", since="30d")
    assert "were dropped by retention" not in page_of("/search", q="", since="2d")


def test_a_period_that_ends_before_it_begins_is_refused(page_of: Get, shop: Shop) -> None:
    page = page_of("/search", 400, q="", since="1h", until="2h")
    assert "not after that from which" in page and 'aria-describedby="wrong' in page


def test_a_page_that_is_not_full_goes_on(page_of: Get, client: Client, shop: Shop) -> None:
    """A step that finds no more time says where it stands, and the next one goes on there."""
    shop.write_many(30)
    page_of("/search")
    url = "/search/more?q=changed:status&shown=95"
    response = client.get(url)
    assert len(response.context["found"]["rows"]) == 5
    assert 'hx-swap-oob="true"' in response.content.decode()
    assert "before=" in response.context["found"]["next"]


def test_a_search_without_time_comes_to_its_end_step_by_step(
    page_of: Get, client: Client, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No budget at all still gives each stream a step, so nothing is missed and nothing twice."""
    spread(shop, 1)
    spread(Shop("customers"), 2)
    monkeypatch.setattr("dashboard.views.search._FIRST_SECONDS", 0)
    monkeypatch.setattr("dashboard.views.search._STEP_SECONDS", 0)
    page_of("/search")
    every = client.get("/search?q=&noise=show").context["found"]
    keys, hidden, steps = [], 0, 0
    response = client.get("/search?q=new.status:new")
    found = response.context["found"]
    while True:
        steps += 1
        keys += [(row.stream, row.key) for row in found["rows"]]
        assert found["shown"] <= 100
        if not found["goes_on"]:
            hidden += found["hidden"]
            if not found["next"]:
                break
            found = client.get(f"/search?{found['next']}").context["found"]
            continue
        response = client.get(f"/search/more?{found['goes_on']}")
        found = response.context["found"]
    assert steps > 3 and not every["complete"]
    whole = lines_of("new.status:new", hide_noise=True)
    assert len(keys) == len(set(keys)) == len(whole) - 1
    assert hidden == whole[-1]["end"]["hidden"] > 0


def test_parts_without_a_log_in_are_not_given(client: Client, db: None) -> None:
    for path in ("summary", "more", "without", "export"):
        assert client.get(f"/search/{path}?q=").status_code == 302


def test_a_name_that_was_never_seen_is_doubted(page_of: Get, shop: Shop) -> None:
    shop.modify("1", order("new"), order("paid"))
    page = page_of("/search", q="op:MODIFY new.statsu:paid")
    assert "Did you mean `status`?" in page
    assert re.search(r'href="/search\?q=op%3AMODIFY%20new.status%3Apaid"', page)
    assert "Did you mean" not in page_of("/search", q="new.status:paid status:paid pk:1")


def test_streams_are_chosen_by_the_address(page_of: Get, shop: Shop) -> None:
    shop.write_many(2)
    Shop("customers").write_many(3)
    assert "3 changes" in page_of("/search", q="", stream="customers")
    assert "3 changes" in page_of("/search", stream="customers")
    page_of("/search", 404, q="", stream="nowhere")
    page = page_of("/search", q="changed:status", stream="customers")
    assert "/views/new?q=changed%3Astatus%20stream%3Acustomers" in page
    assert "/live?q=changed%3Astatus&amp;stream=customers" in page
