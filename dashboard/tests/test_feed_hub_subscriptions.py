"""What one subscriber is sent: everything once, in order, or counted."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from dashboard.feed import protocol, subscriptions
from dashboard.feed.cursors import before
from dashboard.feed.reader import Reading
from dashboard.feed.ring import Ring, Row
from dashboard.feed.subscriptions import Subscriber
from streams.queries.feed import START, Cursor

ORDERS, STOCK = 1, 2


def row(number: int, stream: int = ORDERS, data: str = "") -> Row:
    operation = "REMOVE" if number % 10 == 0 else "MODIFY"
    text = json.dumps([str(number), data])
    return Row(Cursor(number, 0), stream, operation, msgspec.Raw(text.encode()))


class FakeReader:
    """Holds a feed as the database would."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def _of(self, after: Cursor, streams: frozenset[int] | None) -> list[Row]:
        return [
            r for r in self.rows if r.cursor > after and (streams is None or r.stream in streams)
        ]

    async def read(self, after: Cursor, streams: Any, limit: int = 500) -> Reading:
        await asyncio.sleep(0)
        rows = self._of(after, streams)
        more = len(rows) > limit
        end = rows[limit - 1].cursor if more else self.rows[-1].cursor
        return Reading(rows[:limit], after, end, more)

    async def newest(self, streams: Any, limit: int = 500) -> Reading:
        await asyncio.sleep(0)
        rows = self._of(START, streams)[-limit:]
        return Reading(rows, before(rows[0].cursor), self.rows[-1].cursor, True)

    async def count(self, after: Cursor, upto: Cursor, streams: Any) -> dict[str, int]:
        counts: dict[str, int] = {}
        for r in self._of(after, streams):
            if r.cursor <= upto:
                counts[r.operation] = counts.get(r.operation, 0) + 1
        return counts


class FakeHub:
    begun, late = True, ""

    def __init__(self, ring_size: int = 20_000) -> None:
        self.ring, self.reader = Ring(ring_size), FakeReader()

    def rate(self, streams: object) -> float:
        return 0.0

    def write(self, count: int, **fields: Any) -> None:
        first = len(self.reader.rows) + 1
        rows = [row(number, **fields) for number in range(first, first + count)]
        self.reader.rows += rows
        self.ring.append(rows, rows[-1].cursor)


class Browser:
    """The client's side: takes frames, checks their order, acknowledges if it is told to."""

    def __init__(self, hub: FakeHub, acks: bool = True) -> None:
        self.frames: list[dict[str, Any]] = []
        self.acks = acks
        self.seen: list[int] = []
        self.counted = 0
        self.cursor = "0.0"
        self.subscriber = Subscriber(hub, 7, self.take)  # type: ignore[arg-type]
        self.task = asyncio.create_task(self.subscriber.run())

    async def take(self, text: str) -> None:
        frame = json.loads(text)
        self.frames.append(frame)
        if frame["type"] not in ("batch", "gap") or frame["epoch"] != self.subscriber.epoch:
            return
        self.cursor = frame["to"]
        self.seen += [int(number) for number, _ in frame.get("rows", [])]
        self.counted += frame.get("count", 0)
        if self.acks:
            self.subscriber.acknowledge(frame["n"])

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == type_]

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await asyncio.sleep(0.002)

    async def quiet(self) -> None:
        """Time for several ticks."""
        await asyncio.sleep(0.03)


@pytest.fixture(autouse=True)
def fast_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "TICK_SECONDS", 0.002)


@pytest.fixture
async def browsers() -> AsyncIterator[Callable[..., Browser]]:
    made: list[Browser] = []

    def make(hub: FakeHub, **options: Any) -> Browser:
        made.append(Browser(hub, **options))
        return made[-1]

    yield make
    for browser in made:
        browser.task.cancel()
        with suppress(asyncio.CancelledError):
            await browser.task


Make = Callable[..., Browser]


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
