"""Whatever a browser and its connection do, each change is told of exactly once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dashboard.feed import protocol, subscriptions
from dashboard.feed.selection import Selection
from dashboard.tests.fake_feed import Browser, FakeHub, Make, browsers, fast_ticks
from streams.queries.feed import START, Cursor
from streams.rules import compile_text

__all__ = ["browsers", "fast_ticks"]  # fixtures

FILTERS = [None, compile_text("changed:a"), compile_text("changed:b")]
# Small, so that a short burst already is too much; what a browser may ask for is not checked here.
BACKLOG, RATE = 60, 20
BURSTS = st.sampled_from([1, 3, 19, 21, 70, 150])

ACTIONS = st.one_of(
    st.tuples(st.just("write"), BURSTS),
    st.tuples(st.just("leave_out"), BURSTS),
    st.tuples(st.just("pause"), st.none()),
    st.tuples(st.just("resume"), st.booleans()),
    st.tuples(st.just("select"), st.tuples(st.sampled_from([0, 1, 2]), st.booleans())),
    st.tuples(st.just("choose"), st.sampled_from([(), ("new.a",)])),
    st.tuples(st.just("see"), st.booleans()),
    st.tuples(st.just("acknowledge"), st.booleans()),
    st.tuples(st.just("lose"), st.just("Some changes are missing.")),
    st.tuples(st.just("wait"), st.sampled_from([0, 0.002, 0.006])),
)


@contextmanager
def small_numbers() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subscriptions, "BACKLOG_ROWS", BACKLOG)
        patch.setattr(subscriptions, "_STATS_SECONDS", 0.003)
        patch.setattr(protocol, "TICK_SECONDS", 0.001)
        yield


class Person:
    """Does with a browser what people, networks and operating systems do."""

    def __init__(self, hub: FakeHub) -> None:
        self.hub, self.browser = hub, Browser(hub)
        self.selection = Selection(rows_per_second=RATE)
        self.epoch = 0

    async def write(self, count: int) -> None:
        self.hub.write(count)

    async def leave_out(self, count: int) -> None:
        self.hub.leave_out(count)

    async def lose(self, text: str) -> None:
        self.hub.lose(text)

    async def pause(self, _: None) -> None:
        self.browser.subscriber.pause()

    async def resume(self, skip: bool) -> None:
        self.epoch += 1
        cursor = Cursor.parse(self.browser.cursor)
        await self.browser.subscriber.resume(self.epoch, cursor, skip=skip)

    async def select(self, given: tuple[int, bool]) -> None:
        await self.subscribe(filter=FILTERS[given[0]], noise=given[1])

    async def choose(self, columns: tuple[str, ...]) -> None:
        await self.subscribe(columns=columns)

    async def see(self, visible: bool) -> None:
        self.browser.subscriber.see(visible)

    async def acknowledge(self, acks: bool) -> None:
        self.browser.acks = acks
        self.browser.subscriber.acknowledge(10**6)

    async def wait(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def subscribe(self, **fields: Any) -> None:
        """Another selection, or a new connection: it goes on at the browser's cursor."""
        kept = {name: getattr(self.selection, name) for name in ("filter", "columns", "noise")}
        self.selection = Selection(rows_per_second=RATE, **{**kept, **fields})
        self.epoch += 1
        cursor = Cursor.parse(self.browser.cursor)
        await self.browser.subscriber.subscribe(self.epoch, self.selection, cursor)

    async def catch_up(self) -> None:
        """To the end, and until the stats say so."""
        browser = self.browser
        browser.acks = True
        browser.subscriber.see(True)
        await self.resume(True)
        await browser.until(lambda: Cursor.parse(browser.cursor) >= self.hub.ring.end)
        await browser.until(lambda: browser.of("stats")[-1].get("cursor") == browser.cursor)

    async def leave(self) -> None:
        self.browser.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.browser.task


async def play(ring_size: int, noisy: bool, actions: list[tuple[str, Any]]) -> None:
    hub = FakeHub(ring_size, noisy)
    hub.write(1)
    person = Person(hub)
    try:
        await person.subscribe()
        for action, given_ in actions:
            await getattr(person, action)(given_)
        await person.catch_up()
    finally:
        await person.leave()
    told_of_everything(person.browser, hub)


def told_of_everything(browser: Browser, hub: FakeHub) -> None:
    assert browser.seen == sorted(set(browser.seen))
    told = (len(browser.seen), browser.sampled, browser.in_gaps, browser.hidden, browser.noise)
    assert sum(told) == len(hub.rows), told


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(20, False, [("leave_out", 70), ("write", 3), ("leave_out", 70), ("resume", False)])
@example(10_000, True, [("select", (1, False)), ("write", 150), ("wait", 0.006), ("write", 150)])
@given(
    ring_size=st.sampled_from([20, 200, 10_000]),
    noisy=st.booleans(),
    actions=st.lists(ACTIONS, max_size=40),
)
def test_rows_and_counts_are_everything_once_each(
    ring_size: int, noisy: bool, actions: list[tuple[str, Any]]
) -> None:
    with small_numbers():
        asyncio.run(play(ring_size, noisy, actions))


async def test_each_frame_counts_its_own_stretch(browsers: Make) -> None:
    hub = FakeHub(noisy=True)
    browser = browsers(hub)
    selection = Selection(filter=FILTERS[1])
    await browser.subscriber.subscribe(1, selection, None)
    await browser.quiet()
    for burst in (3_000, 10, 700, 2_000):
        hub.write(burst)
        await browser.until(lambda: browser.cursor == str(hub.ring.end))
        await browser.quiet()
    for batch in browser.of("batch"):
        first, last = (Cursor.parse(batch[end]) for end in ("from", "to"))
        there = [row for row in hub.ring.after(first, None) if row.cursor <= last]
        shown = len(selection.look(there).rows)
        assert len(batch["rows"]) + batch.get("sampled", 0) == shown
    told_of_everything(browser, hub)


async def test_what_is_hidden_is_counted(browsers: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_STATS_SECONDS", 0.002)
    hub = FakeHub()
    hub.write(9)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(filter=FILTERS[1]), START)
    hub.write(2)
    await browser.until(lambda: browser.cursor == "11.0")
    await browser.until(lambda: browser.of("stats")[-1].get("hidden") == 5)
    assert browser.seen == [1, 3, 5, 7, 9, 11]


async def test_noise_is_counted_and_shown_to_whom_asks_for_it(
    browsers: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscriptions, "_STATS_SECONDS", 0.002)
    hub = FakeHub(noisy=True)
    plain, curious = browsers(hub), browsers(hub)
    await plain.subscriber.subscribe(1, Selection(), START)
    await curious.subscriber.subscribe(1, Selection(noise=True), START)
    hub.write(9)
    await plain.until(lambda: plain.cursor == curious.cursor == "9.0")
    await plain.until(lambda: plain.of("stats")[-1]["noise"] == 3)
    assert plain.seen == [1, 2, 4, 5, 7, 8]
    assert curious.seen == list(range(1, 10))
    assert curious.of("stats")[-1]["noise"] == 0


async def test_a_slow_viewer_costs_the_others_nothing(browsers: Make) -> None:
    hub = FakeHub()
    slow, quick = browsers(hub, acks=False), browsers(hub)
    for browser in (slow, quick):
        await browser.subscriber.subscribe(1, Selection(), START)
    for _ in range(20):
        hub.write(protocol.BATCH_ROWS)
        await quick.until(lambda: quick.cursor == str(hub.ring.end))
    assert len(slow.seen) == protocol.CREDIT * protocol.BATCH_ROWS
    assert len(quick.seen) == 20 * protocol.BATCH_ROWS
