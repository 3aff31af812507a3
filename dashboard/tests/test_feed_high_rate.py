"""2,000 changes a second through a real web server to real sockets: none lost, none repeated."""

import asyncio
import json
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from dashboard.tests.seeding import Shop, begin_feed, order
from streams.models import Shard
from streams.queries import feed
from streams.queries.feed import Cursor
from streams.stages.publish import Publisher
from streams.tests.integration.storing import alone, store_in

pytestmark = [pytest.mark.acceptance, pytest.mark.django_db(transaction=True)]

RATE, SECONDS, BATCH = 2_000, 6, 100


class Writer:
    """Stores changes at an even rate; every tenth is a REMOVE, every fourth is new."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.committed = shop, dict[int, float]()

    def run(self) -> None:
        publisher = Publisher()
        publisher.start()
        begun = time.monotonic()
        for number in range(0, RATE * SECONDS, BATCH):
            changes = [self._change(n) for n in range(number, number + BATCH)]
            time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
            store_in(Shard.objects.get(pk=self.shop.shard.pk), *changes)
            self.committed[number // BATCH] = time.time()
            publisher.stored()
        publisher.stop()

    def _change(self, n: int) -> Any:
        new = order("paid", f"{n % 1000}.00")
        if n % 10 == 0:
            return self.shop.change(f"{n}", "REMOVE", new, None)
        old = None if n % 4 == 0 else order("new", f"{n % 1000}.00")
        return self.shop.change(f"{n}", "MODIFY" if old else "INSERT", old, new)


class Viewer:
    """What one socket was told of."""

    def __init__(self, passes: Callable[[int], bool], **sub: Any) -> None:
        self.passes, self.sub = passes, sub
        self.rows: Counter[int] = Counter()
        self.waits: list[tuple[int, float]] = []
        self.counted = self.unasked = self.most = 0
        self.cursor, self.ready = Cursor(0, 0), asyncio.Event()

    async def run(self, socket: ClientConnection) -> None:
        await socket.send(json.dumps({"type": "sub", "epoch": 1, **self.sub}))
        with suppress(ConnectionClosed):
            async for text in socket:
                frame = json.loads(text)
                self._take(frame)
                if "n" in frame:
                    await socket.send(json.dumps({"type": "ack", "n": frame["n"]}))

    def _take(self, frame: dict[str, Any]) -> None:
        numbers = [int(row[6]) for row in frame.get("rows", [])]
        self.rows.update(numbers)
        self.waits += [(number, time.time()) for number in numbers]
        self.most = max(self.most, len(numbers))
        self.counted += frame.get("sampled", 0)
        if frame["type"] == "gap":
            self.counted += 0 if frame.get("unasked") else frame["count"]
            self.unasked += frame["count"] if frame.get("unasked") else 0
        if at := frame.get("to") or frame.get("cursor"):
            self.cursor = Cursor.parse(at)
        if frame["type"] == "stats" and frame["rate"] is not None:
            self.ready.set()

    def check(self) -> None:
        truth = {n for n in range(RATE * SECONDS) if self.passes(n)}
        assert set(self.rows) <= truth and not self.rows - Counter(truth)
        known = len(self.rows) + self.counted
        assert known <= len(truth) <= known + self.unasked


@pytest.fixture
def headers() -> Iterator[dict[str, str]]:
    client = Client()
    client.force_login(User.objects.create_user("bob"))
    name = settings.SESSION_COOKIE_NAME
    yield {"Cookie": f"{name}={client.cookies[name].value}"}


def test_everything_is_told_of_once(web_server: str, headers: dict[str, str]) -> None:
    begin_feed()
    writer = Writer(Shop())
    viewers = [
        Viewer(lambda n: True),
        Viewer(lambda n: True, rows_per_second=2_000),
        Viewer(lambda n: n % 10 == 0, filter="op:REMOVE"),
        Viewer(lambda n: n % 10 != 0 and n % 1000 == 7, filter="new.total:7"),
        Viewer(lambda n: n % 10 != 0 and n % 1000 > 500, filter="new.total>500", cols=["keys.pk"]),
    ]
    asyncio.run(watch(web_server, headers, viewers, writer))
    for viewer in viewers:
        viewer.check()
    assert all(viewer.most <= viewer.sub.get("rows_per_second", 500) / 4 for viewer in viewers)
    waits = [at - writer.committed[n // BATCH] for viewer in viewers for n, at in viewer.waits]
    p95 = statistics.quantiles(waits, n=20)[-1]
    sys.stdout.write(f"from commit to the row being read: p95 {p95:.2f} s\n")


async def watch(url: str, headers: dict[str, str], viewers: list[Viewer], writer: Writer) -> None:
    """All viewers, and one that never reads, while the changes are stored; to the feed's head."""
    address = f"ws{url.removeprefix('http')}/ws/feed"
    opened = partial(connect, address, additional_headers={**headers, "Origin": url}, max_size=None)
    deaf = await opened()
    await deaf.send('{"type":"sub","epoch":1}')
    deaf.transport.pause_reading()
    sockets = [await opened() for _ in viewers]
    tasks = [
        asyncio.create_task(viewer.run(socket))
        for viewer, socket in zip(viewers, sockets, strict=True)
    ]
    await asyncio.gather(*(viewer.ready.wait() for viewer in viewers))
    thread = threading.Thread(target=alone, args=(writer.run,))
    thread.start()
    await asyncio.to_thread(thread.join)
    head = await asyncio.to_thread(alone, feed.head)
    async with asyncio.timeout(20):
        while any(viewer.cursor < head for viewer in viewers):
            await asyncio.sleep(0.05)
    for socket in [*sockets, deaf]:
        socket.transport.abort()
    await asyncio.gather(*tasks)
