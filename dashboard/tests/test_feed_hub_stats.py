"""What a subscriber is told beside its rows: rates, collection gaps, and a lowered cap."""

import pytest

from dashboard.feed import subscriptions
from dashboard.feed.arrivals import Arrivals
from dashboard.feed.selection import Selection
from dashboard.tests.fake_feed import ORDERS, STOCK, FakeHub, Make, browsers, fast_ticks
from streams.queries.feed import START, Cursor

__all__ = ["browsers", "fast_ticks"]  # fixtures


async def test_a_collection_gap_is_told_of_while_somebody_looks(browsers: Make) -> None:
    hub = FakeHub()
    hub.lose("Before.")
    hub.write(3)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection({"orders": ORDERS}), START)
    await browser.until(lambda: len(browser.seen) == 3)
    browser.subscriber.pause()
    hub.lose("Changes of orders may be missing.")
    hub.lose("Changes of stock may be missing.", stream=STOCK)
    await browser.subscriber.resume(2, Cursor(3, 0))
    await browser.until(lambda: browser.gaps)
    assert browser.gaps == [
        {
            "type": "gap", "epoch": 2, "n": 1, "count": None, "operations": {},
            "reason": "collection", "url": "/streams/orders",
            "text": "Changes of orders may be missing.", "from": "3.0", "to": "3.0",
        }
    ]  # fmt: skip
    hub.write(1)
    await browser.until(lambda: browser.seen == [1, 2, 3, 4])


async def test_while_the_hub_is_late_everybody_is_sent_less(
    browsers: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "_STATS_SECONDS", 0.002)
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), None)
    for _ in range(4):
        hub.guard.tick(0.3)
    await browser.until(lambda: browser.of("notice"))
    assert browser.of("notice")[0]["code"] == "cap-lowered"
    assert "at most 250 rows a second" in browser.of("notice")[0]["text"]
    await browser.until(lambda: browser.of("stats")[-1]["rows_per_second"] == 250)
    hub.write(1_000)
    await browser.until(lambda: browser.sampled)
    assert len(browser.of("batch")[-1]["rows"]) == 62
    for _ in range(40):
        hub.guard.tick(0.0)
    await browser.until(lambda: browser.of("notice")[-1]["code"] == "cap-restored")
    assert "500 rows a second" in browser.of("notice")[-1]["text"]


async def test_the_stats_say_what_came_in_the_last_second(
    browsers: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "_STATS_SECONDS", 0.002)
    hub = FakeHub()
    now = 100.0
    hub.arrivals = Arrivals(lambda: now)
    hub.arrivals.begin()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection({"stock": STOCK}), None)
    await browser.until(lambda: browser.of("stats"))
    assert (browser.of("stats")[-1]["rate"], browser.of("stats")[-1]["per_op"]) == (None, None)
    now = 105.0
    hub.arrivals.add({(ORDERS, "MODIFY"): 40})
    hub.arrivals.add({(STOCK, "INSERT"): 7, (STOCK, "REMOVE"): 3})
    await browser.until(lambda: browser.of("stats")[-1]["per_op"] == {"INSERT": 7, "REMOVE": 3})
    assert browser.of("stats")[-1]["per_stream"] == [["stock", 10]]
    assert browser.of("stats")[-1]["rate"] == 2.0
    now = 107.0
    await browser.until(lambda: browser.of("stats")[-1]["per_op"] == {})
    assert browser.of("stats")[-1]["rate"] == 10 / 7
