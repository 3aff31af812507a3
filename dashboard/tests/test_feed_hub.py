"""The hub: reads each change once, whatever is away, and only while somebody watches."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.db.utils import OperationalError
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisAway

from dashboard.feed import hub as hub_module
from dashboard.feed import known
from dashboard.feed.hub import Hub
from dashboard.feed.selection import Selection
from dashboard.tests.seeding import Shop, begin_feed, close_layer, in_store, order
from streams.models import Gap, Stream
from streams.queries import feed
from streams.queries.feed import Cursor
from streams.rules import compile_text
from streams.topics import FEED_GROUP, feed_advanced

pytestmark = pytest.mark.django_db(transaction=True)

STATUS = ("status", "new", "paid")


class Viewer:
    user_id = 7
    kicks = 0

    def advanced(self) -> None:
        self.kicks += 1


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(hub_module, "TIMER_SECONDS", 0.05)


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    hub = Hub()
    yield hub
    for viewer in list(hub.viewers):
        hub.leave(viewer)
    hub.reader.stop(wait=True)
    hub.past.stop(wait=True)
    await close_layer(hub)


@pytest.fixture
async def orders() -> Shop:
    return await in_store(_orders)


def _orders() -> Shop:
    begin_feed()
    return Shop()


def rows_of(hub: Hub) -> list[list[Any]]:
    return [json.loads(bytes(row.data)) for row in hub.ring.after(feed.START, None)]


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def write(shop: Shop, count: int) -> None:
    await in_store(shop.write_many, count)


def ignore(shop: Shop, *fields: str) -> None:
    Stream.objects.filter(pk=shop.stream.pk).update(ignored_fields=list(fields))


def lose(shop: Shop) -> None:
    Gap.objects.create(stream=shop.stream, reason=Gap.Reason.TRIMMED, to_at=timezone.now())


async def test_it_reads_nothing_while_nobody_watches(hub: Hub, orders: Shop) -> None:
    await write(orders, 3)
    assert not hub.begun and len(hub.ring) == 0


async def test_it_holds_the_newest_changes_as_rows(hub: Hub, orders: Shop) -> None:
    await in_store(orders.modify, "4711", order("new"), order("paid"))
    hub.join(Viewer())
    await until(lambda: hub.begun)
    (row,) = rows_of(hub)
    assert row[4:7] == ["orders", "MODIFY", "4711"]
    assert row[8:] == [[list(STATUS)], 0, False]


async def test_the_timer_finds_changes_that_no_wake_up_told_of(hub: Hub, orders: Shop) -> None:
    hub.join(Viewer())
    await until(lambda: hub.begun)
    await write(orders, 5)
    await until(lambda: len(hub.ring) == 5)


async def test_it_numbers_batches_itself_if_no_worker_does(
    hub: Hub, orders: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.tests.seeding.number_batches", lambda: None)
    hub.join(Viewer())
    await until(lambda: hub.begun)
    await in_store(orders.write, ("1", "MODIFY", order("new"), order("paid")))
    await until(lambda: len(hub.ring) == 1)


async def test_a_wake_up_reads_at_once(
    hub: Hub, orders: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "TIMER_SECONDS", 3600.0)
    hub.join(Viewer())
    await until(lambda: hub.begun)
    await write(orders, 1)
    head = await in_store(feed.head)

    async def woken() -> None:
        while len(hub.ring) == 0:  # the first may come before the hub listens
            await get_channel_layer().group_send(FEED_GROUP, feed_advanced(head.position))
            await asyncio.sleep(0.02)

    await asyncio.wait_for(woken(), 10)


async def test_it_goes_on_without_redis(
    hub: Hub, orders: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        async def new_channel(self) -> str:
            raise RedisAway

    monkeypatch.setattr(hub_module, "get_channel_layer", Away)
    hub.join(Viewer())
    await write(orders, 2)
    await until(lambda: len(hub.ring) == 2)


async def test_it_catches_up_after_the_database_was_away(
    hub: Hub, orders: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "_LATE_SECONDS", 0.0)
    hub.join(Viewer())
    await until(lambda: hub.begun)
    real, failures = hub.reader.read, []

    async def away(*args: Any, **_: Any) -> Any:
        failures.append(args)
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(hub.reader, "read", away)
    await write(orders, 4)
    await until(lambda: len(failures) > 1)
    assert "has not answered" in hub.late
    monkeypatch.setattr(hub.reader, "read", real)
    await until(lambda: len(hub.ring) == 4)


async def test_each_change_is_decided_by_the_filters_in_use(hub: Hub, orders: Shop) -> None:
    first, second = Viewer(), Viewer()
    hub.join(first)
    hub.filters.use(first, Selection(filter=compile_text("op:REMOVE")))
    await until(lambda: hub.filters.since("op:REMOVE") is not None)
    await in_store(orders.write, ("a", "REMOVE", order("new"), None))
    await until(lambda: len(hub.ring) == 1)
    hub.join(second)
    hub.filters.use(second, Selection(filter=compile_text("stream:orders new.status:paid")))
    await until(lambda: hub.filters.since("stream:orders new.status:paid"))
    # What was read before was not decided by it.
    assert hub.filters.since("stream:orders new.status:paid") == hub.ring.end
    await in_store(orders.write, ("a", "INSERT", None, order("paid")))
    await until(lambda: len(hub.ring) == 2)
    passed = [row.passed for row in hub.ring.after(feed.START, None)]
    assert passed == [{"op:REMOVE"}, {"stream:orders new.status:paid"}]
    hub.leave(second)
    await until(lambda: hub.filters.since("stream:orders new.status:paid") is None)


async def test_a_filter_of_another_stream_costs_this_one_nothing(hub: Hub, orders: Shop) -> None:
    viewer = Viewer()
    hub.join(viewer)
    hub.filters.use(viewer, Selection(filter=compile_text("stream:stock new.status:paid")))
    await until(lambda: hub.filters.since("stream:stock new.status:paid") is not None)
    await write(orders, 3)
    await until(lambda: len(hub.ring) == 3)
    assert not any(row.passed for row in hub.ring.after(feed.START, None))


async def test_far_behind_it_goes_on_at_the_newest_and_counts_the_rest(
    hub: Hub, orders: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "_FAR_ROWS", 300)
    begin = await in_store(feed.head)
    hub.join(Viewer())
    await until(lambda: hub.begun)
    real = hub.reader.read

    async def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(hub.reader, "read", away)
    await write(orders, 3_000)
    monkeypatch.setattr(hub.reader, "read", real)
    head = await in_store(feed.head)
    await until(lambda: hub.ring.end >= head)
    rows = hub.ring.after(begin, None)
    assert rows[-1].cursor.position == head.position
    (hole,) = hub.ring.holes_after(begin)
    assert hole.counts == {(orders.stream.pk, "MODIFY"): 3_000 - len(rows)}
    assert hub.ring.holds(begin) and not hub.ring.holds(Cursor(*hole.end)._replace(ordinal=0))
    assert hub.arrivals.of(None).by_operation in (None, {"MODIFY": 3_000})


async def test_viewers_hear_that_it_has_read_on(hub: Hub, orders: Shop) -> None:
    viewer = Viewer()
    hub.join(viewer)
    await until(lambda: hub.begun)
    before = viewer.kicks
    await write(orders, 1)
    await until(lambda: viewer.kicks > before)


async def test_noise_is_marked_and_follows_the_configuration(
    hub: Hub, orders: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known, "_FRESH_SECONDS", 0.0)
    hub.join(Viewer())
    await until(lambda: hub.begun)
    await write(orders, 1)
    await until(lambda: len(hub.ring) == 1)
    await in_store(ignore, orders, "status")
    await write(orders, 1)
    await until(lambda: len(hub.ring) == 2)
    assert [row.noise for row in hub.ring.after(feed.START, None)] == [False, True]
    assert hub.ignoring == {orders.stream.pk}


async def test_previews_of_chosen_columns_are_made_once_for_all(hub: Hub, orders: Shop) -> None:
    first, second = Viewer(), Viewer()
    columns = ("new.status", "old.status", "keys.pk", "new.none")
    hub.join(first)
    for viewer in (first, second):
        hub.filters.use(viewer, Selection(columns=columns))
    await until(lambda: hub.filters.since(columns) is not None)
    await in_store(orders.modify, "4711", order("new"), order("paid"))
    await until(lambda: len(hub.ring) == 1)
    (row,) = hub.ring.after(feed.START, None)
    assert {key: json.loads(bytes(cells)) for key, cells in row.cells.items()} == {
        columns: ["paid", "new", "4711", None]
    }


async def test_it_finds_gaps_that_come_while_somebody_looks(
    hub: Hub, orders: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "_GAPS_SECONDS", 0.0)
    await in_store(lose, orders)
    hub.join(Viewer())
    await until(lambda: hub.newest_gap is not None)
    await in_store(lose, orders)
    await until(lambda: hub.gaps)
    (gap,) = hub.gaps
    assert (gap.stream, gap.url) == ("orders", "/streams/orders")
    assert gap.text.startswith("Changes of orders before 20")
    assert "the source had deleted the records before they were read" in gap.text


async def test_it_stops_with_its_last_viewer(hub: Hub, orders: Shop) -> None:
    one, two = Viewer(), Viewer()
    hub.join(one)
    hub.join(two)
    assert hub.sockets_of(7) == 2
    hub.leave(one)
    assert hub._reading
    hub.leave(two)
    assert not hub._reading
