"""A feed without a database, and a browser's side of the protocol, for the subscriber's tests."""

import asyncio
import json
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dashboard.feed import protocol
from dashboard.feed.arrivals import Arrivals
from dashboard.feed.collection_gaps import CollectionGap
from dashboard.feed.columns import Columns
from dashboard.feed.cursors import before
from dashboard.feed.filters import Deciding, Filters
from dashboard.feed.guard import Guard
from dashboard.feed.reader import Reading
from dashboard.feed.ring import Ring, Row
from dashboard.feed.subscriptions import Subscriber
from streams.queries.feed import START, Cursor

ORDERS, STOCK = 1, 2


def row(number: int, stream: int = ORDERS, data: str = "", noisy: bool = False) -> Row:
    """Every tenth is a REMOVE; if `noisy`, every third of the others is noise."""
    operation = "REMOVE" if number % 10 == 0 else "MODIFY"
    text = json.dumps([str(number), data])
    noise = noisy and number % 3 == 0 and operation == "MODIFY"
    return Row(
        Cursor(number, 0), stream, operation, msgspec.Raw(text.encode()), noise=noise, cells={}
    )


def decided(rows: Sequence[Row], deciding: Deciding | None) -> list[Row]:
    """The rows, with the filters that they pass: changes with odd numbers pass every filter."""
    texts = deciding.texts if deciding else frozenset[str]()
    columns = deciding.columns if deciding else frozenset[Columns]()
    return [
        r._replace(
            passed=texts if r.cursor.position % 2 else frozenset[str](),
            cells={some: msgspec.Raw(msgspec.json.encode(some)) for some in columns},
        )
        for r in rows
    ]


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

    async def times(self, *_: object) -> tuple[datetime, datetime]:
        return datetime(2026, 11, 21, 10, tzinfo=UTC), datetime(2026, 11, 21, 11, tzinfo=UTC)


class FakeHub:
    begun, late, lag = True, "", 0.0
    names: Mapping[int, str] = {ORDERS: "orders", STOCK: "stock"}

    def __init__(self, ring_size: int = 20_000, noisy: bool = False) -> None:
        self.ring, self.past, self.filters = Ring(ring_size), FakeReader(), Filters()
        self.arrivals, self.guard = Arrivals(), Guard()
        self.arrivals.begin()
        self.ignoring = frozenset([ORDERS, STOCK] if noisy else [])
        self.gaps: deque[CollectionGap] = deque()
        self.newest_gap = 0
        self.viewers: list[Subscriber] = []
        self._noisy = noisy

    @property
    def rows(self) -> list[Row]:
        """All there are in the store."""
        return self.past.rows

    def write(self, count: int, **fields: Any) -> None:
        """Changes that are stored and read."""
        rows, start, deciding = self._store(count, fields), self.ring.end, self.filters.deciding
        self.ring.append(decided(rows, deciding), rows[-1].cursor)
        self._read(start, deciding)

    def leave_out(self, count: int, **fields: Any) -> None:
        """Changes that are stored, and only counted by the hub."""
        rows, start, deciding = self._store(count, fields), self.ring.end, self.filters.deciding
        self.ring.leave_out(Counter((r.stream, r.operation) for r in rows), rows[-1].cursor)
        self._read(start, deciding)

    def lose(self, text: str, stream: int = ORDERS) -> None:
        """A collection gap."""
        self.newest_gap += 1
        self.gaps.append(CollectionGap(self.newest_gap, stream, self.names[stream], text))

    def _store(self, count: int, fields: dict[str, Any]) -> list[Row]:
        first = len(self.rows) + 1
        rows = [row(n, noisy=self._noisy, **fields) for n in range(first, first + count)]
        self.past.rows += rows
        return rows

    def _read(self, start: Cursor, deciding: Deciding) -> None:
        self.filters.decided(deciding, start, anew=False)
        for viewer in self.viewers:
            viewer.advanced()


class Browser:
    """The client's side: takes frames, checks their order, acknowledges if it is told to."""

    def __init__(self, hub: FakeHub, acks: bool = True) -> None:
        self.frames: list[dict[str, Any]] = []
        self.acks = acks
        self.seen: list[int] = []
        # Changes that were counted: by gaps, as sampled, and in each epoch as hidden and noise.
        self.in_gaps = self.sampled = 0
        self._left_out: dict[int, tuple[int, int]] = {}
        self.gaps: list[dict[str, Any]] = []
        self.choice: dict[str, Any] | None = None
        self.cursor = "0.0"
        self.subscriber = Subscriber(hub, 7, self.take)  # type: ignore[arg-type]
        hub.viewers.append(self.subscriber)
        self.task = asyncio.create_task(self.subscriber.run())

    @property
    def counted(self) -> int:
        return self.in_gaps + self.sampled

    @property
    def hidden(self) -> int:
        return sum(hidden for hidden, _ in self._left_out.values())

    @property
    def noise(self) -> int:
        return sum(noise for _, noise in self._left_out.values())

    async def take(self, text: str) -> None:
        frame = json.loads(text)
        self.frames.append(frame)
        if frame.get("epoch") != self.subscriber.epoch:
            return
        if frame["type"] == "stats" and "cursor" in frame:
            self.cursor = frame["cursor"]
            self._left_out[frame["epoch"]] = frame["hidden"], frame["noise"]
        if frame["type"] == "choice":
            self.choice = frame
        if frame["type"] == "gap":
            self.gaps.append(frame)
        if frame["type"] not in ("batch", "gap"):
            return
        self.cursor = frame["to"]
        if "hidden" in frame or "noise" in frame:
            self._left_out[frame["epoch"]] = frame.get("hidden", 0), frame.get("noise", 0)
        self.seen += [int(row[0]) for row in frame.get("rows", [])]
        self.in_gaps += frame.get("count") or 0
        self.sampled += frame.get("sampled", 0)
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
