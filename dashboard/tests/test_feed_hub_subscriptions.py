"""What one subscriber is sent: everything once, in order, or counted."""

import pytest

from dashboard.feed import subscriptions
from dashboard.feed.selection import Selection
from dashboard.tests.fake_feed import (
    ORDERS,
    STOCK,
    FakeHub,
    Make,
    browsers,
    fast_ticks,
)
from streams.queries.feed import START, Cursor
from streams.rules import compile_text

__all__ = ["browsers", "fast_ticks"]  # fixtures


async def test_it_sends_what_comes_after_the_cursor_in_order(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(10)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), Cursor(4, 0))
    hub.write(3)
    await browser.until(lambda: len(browser.seen) == 9)
    assert browser.seen == list(range(5, 14))
    assert browser.cursor == "13.0"


async def test_it_sends_only_what_comes_from_now_on(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(10)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), None)
    await browser.quiet()
    hub.write(1)
    await browser.until(lambda: browser.seen)
    assert browser.seen == [11]


async def test_it_sends_only_the_chosen_streams(browsers: Make) -> None:
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection({"stock": STOCK}), START)
    hub.write(5)
    hub.write(2, stream=STOCK)
    await browser.until(lambda: len(browser.seen) == 2)
    assert browser.seen == [6, 7]


async def test_a_batch_has_at_most_125_rows(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(300)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), START)
    await browser.until(lambda: len(browser.seen) == 300)
    assert [len(batch["rows"]) for batch in browser.of("batch")] == [125, 125, 50]
    assert [batch["n"] for batch in browser.of("batch")] == [1, 2, 3]


async def test_a_batch_has_at_most_128_kilobytes(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(10, data="x" * 40_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), START)
    await browser.until(lambda: len(browser.seen) == 10)
    assert max(len(batch["rows"]) for batch in browser.of("batch")) == 3


async def test_without_acknowledgement_it_sends_four_batches_and_waits(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(1_000)
    browser = browsers(hub, acks=False)
    await browser.subscriber.subscribe(1, Selection(), START)
    await browser.until(lambda: len(browser.seen) == 500)
    await browser.quiet()
    assert len(browser.seen) == 500
    browser.subscriber.acknowledge(2)
    await browser.until(lambda: len(browser.seen) == 750)


async def test_an_acknowledgement_of_what_was_never_sent_gives_no_credit(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(1_000)
    browser = browsers(hub, acks=False)
    await browser.subscriber.subscribe(1, Selection(), START)
    browser.subscriber.acknowledge(1_000_000)
    await browser.until(lambda: len(browser.seen) == 500)
    await browser.quiet()
    assert len(browser.seen) == 500


async def test_a_backlog_of_5000_comes_in_order(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(5_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), START)
    await browser.until(lambda: len(browser.seen) == 5_000)
    assert browser.of("gap") == []


async def test_the_page_of_a_backlog_shows_noise_where_the_viewer_does(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(6_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(noise=True), START)
    await browser.until(lambda: browser.of("choice"))
    assert browser.of("choice")[0]["range_url"] == "/live?after=0.0&upto=6000.0&noise=show"


async def test_for_a_longer_backlog_it_asks(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(6_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection({"orders": ORDERS}), START)
    await browser.until(lambda: browser.choice)
    assert browser.choice == {
        "type": "choice",
        "epoch": 1,
        "count": 6_000,
        "operations": {"MODIFY": 5_400, "REMOVE": 600},
        "from": "0.0",
        "to": "6000.0",
        "search_url": "/search?q=stream%3Aorders"
        "&since=2026-11-21T10%3A00%3A00Z&until=2026-11-21T11%3A00%3A01Z",
        "range_url": "/live?after=0.0&upto=6000.0&stream=orders",
    }
    hub.write(500)
    await browser.quiet()
    assert browser.seen == [] and not browser.of("gap")


async def test_asked_to_skip_it_leaves_out_a_short_backlog_too(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(1_000)
    browser = browsers(hub, acks=False)
    await browser.subscriber.subscribe(1, Selection(), START)
    await browser.until(lambda: len(browser.seen) == 500)
    browser.acks = True
    await browser.subscriber.resume(2, Cursor.parse(browser.cursor), skip=True)
    await browser.until(lambda: browser.cursor == "1000.0")
    assert [(gap["from"], gap["to"], gap["count"]) for gap in browser.gaps] == [
        ("500.0", "875.0", 375)
    ]
    assert browser.seen == [*range(1, 501), *range(876, 1_001)]


async def test_asked_to_skip_it_counts_the_backlog_and_the_newest_come(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(6_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), START)
    await browser.until(lambda: browser.choice)
    await browser.subscriber.resume(2, START, skip=True)
    await browser.until(lambda: browser.seen)
    (gap,) = browser.of("gap")
    assert (gap["epoch"], gap["n"], gap["count"], gap["reason"]) == (2, 1, 5_875, "backlog")
    assert (gap["from"], gap["to"]) == ("0.0", "5875.0")
    assert gap["operations"] == {"MODIFY": 5_288, "REMOVE": 587}
    assert gap["url"] == "/live?after=0.0&upto=5875.0"
    assert browser.seen == list(range(5_876, 6_001))


async def test_asked_to_go_on_from_now_it_does(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(6_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), START)
    await browser.until(lambda: browser.choice)
    await browser.subscriber.resume(2, None)
    await browser.quiet()
    hub.write(1)
    await browser.until(lambda: browser.seen)
    assert browser.seen == [6_001]


async def test_a_page_that_was_hidden_for_long_is_asked_too(browsers: Make) -> None:
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), START)
    browser.subscriber.see(False)
    hub.write(5_001)
    browser.subscriber.see(True)
    await browser.until(lambda: browser.choice)
    assert browser.seen == []


async def test_a_place_that_has_left_the_ring_is_read_from_the_store(browsers: Make) -> None:
    hub = FakeHub(ring_size=100)
    hub.write(1_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), Cursor(10, 0))
    await browser.until(lambda: len(browser.seen) == 990)
    assert browser.seen == list(range(11, 1_001))


async def test_a_long_backlog_outside_the_ring_is_counted_by_the_store(browsers: Make) -> None:
    hub = FakeHub(ring_size=100)
    hub.write(9_000)
    browser = browsers(hub)
    selection = Selection({"orders": ORDERS}, compile_text("changed:a"))
    await browser.subscriber.subscribe(1, selection, Cursor(10, 0))
    await browser.until(lambda: browser.choice)
    assert browser.choice and (browser.choice["count"], browser.choice["unasked"]) == (8_990, True)
    await browser.subscriber.resume(2, Cursor(10, 0), skip=True)
    await browser.until(lambda: browser.seen)
    assert browser.gaps[0]["count"] == 8_865
    assert browser.gaps[0]["url"].endswith("&stream=orders&q=changed%3Aa")


async def test_a_paused_subscriber_is_sent_counts_only(
    browsers: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "_STATS_SECONDS", 0.002)
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), START)
    browser.subscriber.pause()
    hub.write(7)
    await browser.until(lambda: browser.of("stats") and browser.of("stats")[-1]["unseen"] == 7)
    assert browser.seen == []


async def test_a_hidden_page_is_sent_no_rows_until_it_is_seen_again(browsers: Make) -> None:
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), START)
    browser.subscriber.see(False)
    hub.write(3)
    await browser.quiet()
    assert browser.seen == []
    browser.subscriber.see(True)
    await browser.until(lambda: browser.seen == [1, 2, 3])


async def test_resuming_goes_on_after_the_given_cursor_in_a_new_epoch(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(3)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), START)
    await browser.until(lambda: len(browser.seen) == 3)
    browser.subscriber.pause()
    hub.write(3)
    await browser.subscriber.resume(2, Cursor(3, 0))
    await browser.until(lambda: len(browser.seen) == 6)
    assert browser.seen == [1, 2, 3, 4, 5, 6]
    assert browser.of("batch")[-1] | {"rows": []} == {
        "type": "batch", "epoch": 2, "n": 1, "rows": [], "behind": 0, "from": "3.0", "to": "6.0",
    }  # fmt: skip


async def test_a_place_that_was_only_counted_is_read_from_the_store(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(10)
    hub.leave_out(200)
    hub.write(10)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), Cursor(100, 0))
    await browser.until(lambda: browser.cursor == "220.0")
    assert browser.seen == list(range(101, 221))


async def test_chosen_columns_are_one_more_element_of_each_row(browsers: Make) -> None:
    hub = FakeHub(ring_size=100)
    hub.write(300)
    with_columns, without = browsers(hub), browsers(hub)
    await with_columns.subscriber.subscribe(1, Selection(columns=("new.a", "keys.pk")), START)
    await without.subscriber.subscribe(1, Selection(), START)
    for _ in range(2):  # from the store, and then from the ring
        hub.write(50)
        await with_columns.until(lambda: with_columns.cursor == without.cursor == hub_end(hub))
    rows = [row for batch in with_columns.of("batch") for row in batch["rows"]]
    assert {tuple(row[2]) for row in rows} == {("new.a", "keys.pk")}
    assert {len(row) for batch in without.of("batch") for row in batch["rows"]} == {2}


def hub_end(hub: FakeHub) -> str:
    return str(hub.ring.end)
