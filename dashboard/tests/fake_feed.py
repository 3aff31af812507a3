"""A feed without a database, and a browser's side of the protocol, for the subscriber's tests."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import pytest

from dashboard.feed import protocol
from dashboard.feed.cursors import before
from dashboard.feed.filters import Deciding, Filters
from dashboard.feed.reader import Reading
from dashboard.feed.ring import Ring, Row
from dashboard.feed.subscriptions import Subscriber
from streams.queries.feed import START, Cursor

ORDERS, STOCK = 1, 2


def row(number: int, stream: int = ORDERS, data: str = "") -> Row:
    operation = "REMOVE" if number % 10 == 0 else "MODIFY"
    text = json.dumps([str(number), data])
    return Row(Cursor(number, 0), stream, operation, msgspec.Raw(text.encode()))


def decided(rows: Sequence[Row], deciding: Deciding | None) -> list[Row]:
    """The rows, with the filters that they pass: changes with odd numbers pass every filter."""
    texts = deciding.texts if deciding else frozenset[str]()
    return [r._replace(passed=texts if r.cursor.position % 2 else frozenset[str]()) for r in rows]


class FakeReader:
    """Holds a feed as the database would."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def _of(self, after: Cursor, streams: frozenset[int] | None) -> list[Row]:
        return [
            r for r in self.rows if r.cursor > after and (streams is None or r.stream in streams)
        ]

    async def read(
        self, after: Cursor, streams: Any, limit: int = 500, deciding: Deciding | None = None
    ) -> Reading:
        await asyncio.sleep(0)
        rows = self._of(after, streams)
        more = len(rows) > limit
        end = rows[limit - 1].cursor if more else self.rows[-1].cursor
        return Reading(decided(rows[:limit], deciding), after, end, more)

    async def newest(
        self, streams: Any, limit: int = 500, deciding: Deciding | None = None
    ) -> Reading:
        await asyncio.sleep(0)
        rows = decided(self._of(START, streams)[-limit:], deciding)
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
        self.ring, self.reader, self.filters = Ring(ring_size), FakeReader(), Filters()

    def rate(self, streams: object) -> float:
        return 0.0

    def write(self, count: int, **fields: Any) -> None:
        first = len(self.reader.rows) + 1
        rows = [row(number, **fields) for number in range(first, first + count)]
        self.reader.rows += rows
        start, deciding = self.ring.end, self.filters.deciding
        self.ring.append(decided(rows, deciding), rows[-1].cursor)
        self.filters.decided(deciding, start, anew=False)


class Browser:
    """The client's side: takes frames, checks their order, acknowledges if it is told to."""

    def __init__(self, hub: FakeHub, acks: bool = True) -> None:
        self.frames: list[dict[str, Any]] = []
        self.acks = acks
        self.seen: list[int] = []
        self.counted = 0
        self.gaps: list[dict[str, Any]] = []
        self.cursor = "0.0"
        self.subscriber = Subscriber(hub, 7, self.take)  # type: ignore[arg-type]
        self.task = asyncio.create_task(self.subscriber.run())

    async def take(self, text: str) -> None:
        frame = json.loads(text)
        self.frames.append(frame)
        if frame["epoch"] != self.subscriber.epoch:
            return
        if frame["type"] == "stats":
            self.cursor = frame.get("cursor", self.cursor)
        if frame["type"] == "gap":
            self.gaps.append(frame)
        if frame["type"] not in ("batch", "gap"):
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
