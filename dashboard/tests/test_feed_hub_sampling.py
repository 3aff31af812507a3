"""Faster than a viewer's rate: a fair sample, and an exact count of the rest."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.feed.plan import Limits
from dashboard.feed.ring import Row
from dashboard.feed.sampling import sample
from dashboard.feed.selection import Selection
from dashboard.tests.fake_feed import ORDERS, STOCK, FakeHub, Make, browsers, fast_ticks
from streams.queries.feed import START, Cursor
from streams.rules import compile_text

__all__ = ["browsers", "fast_ticks"]  # fixtures

PLENTY = 10**9


def row(number: int, stream: int = 1, operation: str = "MODIFY", size: int = 10) -> Row:
    return Row(Cursor(number, 0), stream, operation, msgspec.Raw(b"x" * size))


def places(rows: list[Row]) -> list[int]:
    return [r.cursor.position for r in rows]


def test_removals_come_first() -> None:
    rows = [row(n, operation="REMOVE" if n in (1, 30, 60) else "MODIFY") for n in range(100)]
    assert places(sample(rows, 5, PLENTY)) == [1, 30, 60, 98, 99]


def test_every_stream_has_a_least_share() -> None:
    rows = [row(n, stream=2 if n < 3 else 1) for n in range(1_000)]
    chosen = Counter(r.stream for r in sample(rows, 40, PLENTY))
    assert chosen == {1: 37, 2: 3}


def test_removals_of_one_stream_do_not_drown_the_others() -> None:
    rows = [row(n, stream=2) for n in range(10)]
    rows += [row(n, operation="REMOVE") for n in range(10, 1_000)]
    chosen = Counter(r.stream for r in sample(rows, 40, PLENTY))
    assert chosen == {1: 30, 2: 10}


def test_with_more_streams_than_room_the_newest_come() -> None:
    rows = [row(n, stream=n) for n in range(200)]
    assert places(sample(rows, 10, PLENTY)) == list(range(190, 200))


def test_a_sample_has_no_more_bytes_than_a_batch() -> None:
    rows = [row(n, size=40_000) for n in range(10)]
    assert places(sample(rows, 125, 128 * 1024)) == [7, 8, 9]
    assert places(sample([row(1, size=200_000)], 125, 128 * 1024)) == [1]


@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["INSERT", "MODIFY", "REMOVE"]))),
    st.integers(1, 30),
)
def test_a_sample_is_as_full_as_can_be_and_in_order(
    kinds: list[tuple[int, str]], most: int
) -> None:
    rows = [row(n, *kind) for n, kind in enumerate(kinds)]
    chosen = sample(rows, most, PLENTY)
    assert len(chosen) == min(most, len(rows))
    assert places(chosen) == sorted(set(places(chosen)))
    removals = sum(r.operation == "REMOVE" for r in rows)
    assert sum(r.operation == "REMOVE" for r in chosen) >= min(removals, (most + 1) // 2)


@pytest.mark.parametrize(("rate", "rows"), [(500, 125), (2_000, 500)])
async def test_a_tick_has_at_most_a_quarter_of_the_rate(
    browsers: Make, rate: int, rows: int
) -> None:
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(rows_per_second=rate), START)
    assert Limits.of(rate).rows == rows
    hub.write(1)
    await browser.until(lambda: browser.seen)
    await browser.quiet()
    hub.write(4_000)
    await browser.until(lambda: browser.cursor == "4001.0")
    assert all(len(batch["rows"]) <= rows for batch in browser.of("batch"))
    last = browser.of("batch")[-1]
    assert (len(last["rows"]), last["sampled"]) == (rows, 4_000 - rows)
    assert browser.gaps == []


async def test_a_burst_up_to_the_rate_comes_whole_and_in_order(browsers: Make) -> None:
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), START)
    hub.write(1)
    await browser.until(lambda: browser.seen)
    await browser.quiet()
    hub.write(500)
    await browser.until(lambda: len(browser.seen) == 501)
    assert browser.sampled == 0
    assert {batch["behind"] for batch in browser.of("batch")} == {0}


async def test_a_follower_that_lags_gets_a_sample_not_a_gap(browsers: Make) -> None:
    hub = FakeHub()
    browser = browsers(hub, acks=False)
    await browser.subscriber.subscribe(1, Selection(), START)
    for _ in range(4):
        hub.write(1)
        await browser.quiet()
    hub.write(9_000)
    await browser.quiet()
    assert len(browser.seen) == 4
    browser.subscriber.acknowledge(4)
    await browser.until(lambda: browser.cursor == "9004.0")
    assert len(browser.seen) == 4 + 125
    assert (browser.sampled, browser.gaps) == (9_000 - 125, [])


async def test_what_the_hub_only_counted_is_in_the_sample_if_nobody_need_be_asked(
    browsers: Make,
) -> None:
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection({"orders": ORDERS}), START)
    hub.write(10)
    await browser.until(lambda: len(browser.seen) == 10)
    hub.leave_out(3_000)
    hub.leave_out(2_000, stream=STOCK)
    hub.write(20)
    await browser.until(lambda: browser.cursor == "5030.0")
    assert len(browser.seen) == 30
    assert (browser.sampled, browser.gaps) == (3_000, [])


async def test_what_no_filter_was_asked_about_is_unknown_not_zero(browsers: Make) -> None:
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(filter=compile_text("changed:a")), None)
    await browser.quiet()
    hub.write(10)
    await browser.until(lambda: len(browser.seen) == 5)
    hub.leave_out(3_000)
    hub.write(20)
    await browser.until(lambda: browser.cursor == "3030.0")
    (gap,) = browser.gaps
    assert (gap["count"], gap["unasked"], gap["reason"]) == (3_000, True, "rate")
    assert (gap["from"], gap["to"]) == ("10.0", "3010.0")
    assert len(browser.seen) == 5 + 10


async def test_a_higher_rate_is_sent_to_whom_asked_for_it(browsers: Make) -> None:
    hub = FakeHub()
    slow, quick = browsers(hub), browsers(hub)
    await slow.subscriber.subscribe(1, Selection(), START)
    await quick.subscriber.subscribe(1, Selection(rows_per_second=2_000), START)
    hub.write(1)
    await slow.until(lambda: slow.seen and quick.seen)
    await slow.quiet()
    hub.write(1_500)
    await slow.until(lambda: slow.cursor == quick.cursor == "1501.0")
    assert (len(slow.seen), len(quick.seen)) == (126, 1_501)
    assert slow.of("ready")[0]["limits"]["rows_per_second"] == 500
    assert quick.of("ready")[0]["limits"]["rows_per_second"] == 2_000


async def test_a_short_backlog_comes_in_order_though_the_hub_only_counted_a_part(
    browsers: Make,
) -> None:
    hub = FakeHub()
    browser = browsers(hub)
    await browser.subscriber.subscribe(1, Selection(), START)
    hub.write(10)
    await browser.until(lambda: len(browser.seen) == 10)
    browser.subscriber.pause()
    hub.leave_out(4_000)
    hub.write(900)
    await browser.subscriber.resume(2, Cursor.parse(browser.cursor))
    await browser.until(lambda: browser.cursor == "4910.0")
    assert browser.seen == list(range(1, 4_911))
    assert (browser.sampled, browser.gaps) == (0, [])
