"""What one subscriber is sent: everything once, in order, or counted."""

import pytest

from dashboard.feed import subscriptions
from dashboard.tests.fake_feed import (
    ORDERS,
    STOCK,
    FakeHub,
    Make,
    browsers,
    fast_ticks,
)
from streams.queries.feed import START, Cursor

__all__ = ["browsers", "fast_ticks"]  # fixtures


async def test_it_sends_what_comes_after_the_cursor_in_order(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(10)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, None, Cursor(4, 0))
    hub.write(3)
    await browser.until(lambda: len(browser.seen) == 9)
    assert browser.seen == list(range(5, 14))
    assert browser.cursor == "13.0"


async def test_it_sends_only_what_comes_from_now_on(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(10)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, None, None)
    await browser.quiet()
    hub.write(1)
    await browser.until(lambda: browser.seen)
    assert browser.seen == [11]


async def test_it_sends_only_the_chosen_streams(browsers: Make) -> None:
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, {"stock": STOCK}, START)
    hub.write(5)
    hub.write(2, stream=STOCK)
    await browser.until(lambda: len(browser.seen) == 2)
    assert browser.seen == [6, 7]


async def test_a_batch_has_at_most_125_rows(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(300)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, None, START)
    await browser.until(lambda: len(browser.seen) == 300)
    assert [len(batch["rows"]) for batch in browser.of("batch")] == [125, 125, 50]
    assert [batch["n"] for batch in browser.of("batch")] == [1, 2, 3]


async def test_a_batch_has_at_most_128_kilobytes(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(10, data="x" * 40_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, None, START)
    await browser.until(lambda: len(browser.seen) == 10)
    assert max(len(batch["rows"]) for batch in browser.of("batch")) == 3


async def test_without_acknowledgement_it_sends_four_batches_and_waits(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(1_000)
    browser = browsers(hub, acks=False)
    await browser.subscriber.subscribe(1, None, START)
    await browser.until(lambda: len(browser.seen) == 500)
    await browser.quiet()
    assert len(browser.seen) == 500
    browser.subscriber.acknowledge(2)
    await browser.until(lambda: len(browser.seen) == 750)


async def test_an_acknowledgement_of_what_was_never_sent_gives_no_credit(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(1_000)
    browser = browsers(hub, acks=False)
    await browser.subscriber.subscribe(1, None, START)
    browser.subscriber.acknowledge(1_000_000)
    await browser.until(lambda: len(browser.seen) == 500)
    await browser.quiet()
    assert len(browser.seen) == 500


async def test_a_backlog_of_5000_comes_in_order(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(5_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, None, START)
    await browser.until(lambda: len(browser.seen) == 5_000)
    assert browser.of("gap") == []


async def test_a_longer_backlog_is_counted_and_then_the_newest_come(browsers: Make) -> None:
    hub = FakeHub()
    hub.write(6_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, None, START)
    await browser.until(lambda: browser.seen)
    (gap,) = browser.of("gap")
    assert (gap["count"], gap["from"], gap["to"], gap["reason"]) == (
        5_875,
        "0.0",
        "5875.0",
        "backlog",
    )
    assert gap["operations"] == {"MODIFY": 5_288, "REMOVE": 587}
    assert gap["url"] == "/live?after=0.0&upto=5875.0"
    assert browser.seen == list(range(5_876, 6_001))


async def test_a_place_that_has_left_the_ring_is_read_from_the_store(browsers: Make) -> None:
    hub = FakeHub(ring_size=100)
    hub.write(1_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, None, Cursor(10, 0))
    await browser.until(lambda: len(browser.seen) == 990)
    assert browser.seen == list(range(11, 1_001))


async def test_a_long_backlog_outside_the_ring_is_counted_by_the_store(browsers: Make) -> None:
    hub = FakeHub(ring_size=100)
    hub.write(9_000)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, {"orders": ORDERS}, Cursor(10, 0))
    await browser.until(lambda: browser.seen)
    assert browser.counted + len(browser.seen) == 8_990
    assert browser.of("gap")[0]["url"].endswith("&stream=orders")


async def test_a_paused_subscriber_is_sent_counts_only(
    browsers: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "_STATS_SECONDS", 0.002)
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, None, START)
    browser.subscriber.pause()
    hub.write(7)
    await browser.until(lambda: browser.of("stats") and browser.of("stats")[-1]["unseen"] == 7)
    assert browser.seen == []


async def test_a_hidden_page_is_sent_no_rows_until_it_is_seen_again(browsers: Make) -> None:
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, None, START)
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
    await browser.subscriber.subscribe(1, None, START)
    await browser.until(lambda: len(browser.seen) == 3)
    browser.subscriber.pause()
    hub.write(3)
    await browser.subscriber.resume(2, Cursor(3, 0))
    await browser.until(lambda: len(browser.seen) == 6)
    assert browser.seen == [1, 2, 3, 4, 5, 6]
    assert browser.of("batch")[-1] | {"rows": []} == {
        "type": "batch", "epoch": 2, "n": 1, "rows": [], "behind": 0, "from": "3.0", "to": "6.0",
    }  # fmt: skip


async def test_faster_than_the_cap_it_leaves_out_and_counts(browsers: Make) -> None:
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, None, START)
    hub.write(1)
    await browser.until(lambda: browser.seen)
    await browser.quiet()
    hub.write(4_000)
    await browser.until(lambda: browser.of("gap"))
    await browser.until(lambda: browser.cursor == "4001.0")
    assert browser.of("gap")[0]["reason"] == "rate"
    assert browser.counted + len(browser.seen) == 4_001
