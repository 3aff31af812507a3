"""Whatever a browser and its connection do, each change is delivered once or counted once."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest

from dashboard.feed import protocol, subscriptions
from dashboard.tests.fake_feed import (
    FakeHub,
    Make,
    browsers,
    fast_ticks,
)
from streams.queries.feed import START, Cursor
from streams.rules import compile_text

__all__ = ["browsers", "fast_ticks"]  # fixtures


@pytest.mark.parametrize("seed", range(12))
async def test_every_change_comes_once_or_is_counted(browsers: Make, seed: int) -> None:
    """Random bursts, pauses, hidden tabs, lost acknowledgements and cut connections."""
    dice = random.Random(seed)
    hub = FakeHub(ring_size=dice.choice([50, 3_000, 20_000]))
    hub.write(1)
    browser = browsers(hub)
    epoch = 1
    await browser.subscriber.subscribe(epoch, None, START)
    for _ in range(60):
        match dice.randrange(6):
            case 0:
                hub.write(dice.choice([1, 20, 400, 3_000, 9_000]))
            case 1:
                browser.subscriber.pause()
            case 2 | 3:  # resume, or a new connection
                epoch += 1
                await browser.subscriber.resume(epoch, Cursor.parse(browser.cursor))
            case 4:
                browser.subscriber.see(dice.random() < 0.5)
            case 5:
                browser.acks = not browser.acks
                browser.subscriber.acknowledge(10**6)
        await asyncio.sleep(dice.choice([0, 0.001, 0.004]))
    browser.acks = True
    browser.subscriber.see(True)
    await browser.subscriber.resume(epoch + 1, Cursor.parse(browser.cursor))
    await browser.until(lambda: Cursor.parse(browser.cursor) >= hub.ring.end)
    assert browser.seen == sorted(set(browser.seen))
    assert len(browser.seen) + browser.counted == len(hub.reader.rows)


@pytest.mark.parametrize("seed", range(12))
async def test_with_a_filter_every_change_that_passes_comes_once_or_is_counted(
    browsers: Make, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with filters that come and go; the browser's cursor moves past what is hidden."""
    monkeypatch.setattr(subscriptions, "_STATS_SECONDS", 0.002)
    dice = random.Random(seed)
    hub = FakeHub(ring_size=dice.choice([50, 3_000, 20_000]))
    hub.write(1)
    browser = browsers(hub)
    epoch, texts = 1, ["changed:a", "changed:b"]
    await browser.subscriber.subscribe(epoch, None, START, compile_text(texts[0]))
    for _ in range(60):
        match dice.randrange(6):
            case 0 | 1:
                hub.write(dice.choice([1, 20, 400, 3_000, 9_000]))
            case 2:
                browser.subscriber.pause()
            case 3:  # another filter that lets the same through
                epoch += 1
                filter_ = compile_text(dice.choice(texts))
                place = Cursor.parse(browser.cursor)
                await browser.subscriber.subscribe(epoch, None, place, filter_)
            case 4:
                epoch += 1
                await browser.subscriber.resume(epoch, Cursor.parse(browser.cursor))
            case 5:
                browser.acks = not browser.acks
                browser.subscriber.acknowledge(10**6)
        await asyncio.sleep(dice.choice([0, 0.001, 0.004]))
    browser.acks = True
    await browser.subscriber.resume(epoch + 1, Cursor.parse(browser.cursor))
    await browser.until(lambda: Cursor.parse(browser.cursor) >= hub.ring.end)
    assert browser.seen == sorted(set(browser.seen))
    missing = set(range(1, len(hub.reader.rows) + 1, 2)) - set(browser.seen)
    assert not missing - set(counted_by(browser.gaps))


def counted_by(gaps: list[dict[str, Any]]) -> Iterator[int]:
    """The changes within gaps, whose counts must be right."""
    for gap in gaps:
        first, last = (Cursor.parse(gap[end]).position for end in ("from", "to"))
        inside = range(first + 1, last + 1)
        assert gap["count"] == sum(n % 2 or bool(gap.get("unasked")) for n in inside)
        yield from inside


async def test_what_is_hidden_is_counted(browsers: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "_STATS_SECONDS", 0.002)
    hub = FakeHub()
    hub.write(9)
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, None, START, compile_text("changed:a"))
    hub.write(2)
    await browser.until(lambda: browser.cursor == "11.0")
    await browser.until(lambda: browser.of("stats")[-1].get("hidden") == 5)
    assert browser.seen == [1, 3, 5, 7, 9, 11]


async def test_a_slow_viewer_costs_the_others_nothing(browsers: Make) -> None:
    hub = FakeHub()
    slow, quick = browsers(hub, acks=False), browsers(hub)
    for browser in (slow, quick):
        await browser.subscriber.subscribe(1, None, START)
    for _ in range(20):
        hub.write(protocol.BATCH_ROWS)
        await quick.until(lambda: quick.cursor == str(hub.ring.end))
    assert len(slow.seen) == protocol.CREDIT * protocol.BATCH_ROWS
    assert len(quick.seen) == 20 * protocol.BATCH_ROWS
