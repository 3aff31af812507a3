"""Load for the live page: changes that are really stored, and what the page makes of them."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from playwright.sync_api import CDPSession, Page

from dashboard.tests.seeding import Shop, order
from streams.stages.publish import number_batches
from streams.tests.integration.storing import store_in

_TICK_SECONDS = 0.25

# Counts what the page lists and what its markers count, without keeping it: everything is there
# exactly once if the places only grow and the sums are right. Long tasks are noted too.
_TALLY = """async () => {
    const url = performance.getEntriesByType('resource').map(entry => entry.name)
        .find(name => /\\/ring\\.[^/]*js$/.test(name));
    const { Ring } = await import(url);
    const tally = window.tally = {listed: 0, marked: 0, repeated: 0, long: []};
    const { push, pushBelowLast, replaceLast } = Ring.prototype;
    let last = [0, 0];
    let below = false;
    const see = (entry) => {
        if (entry.marker) { tally.marked += entry.marker.count; return; }
        const place = entry.cursor.split('.').map(Number);
        if (place[0] < last[0] || place[0] === last[0] && place[1] <= last[1]) tally.repeated += 1;
        last = place;
        tally.listed += 1;
    };
    Ring.prototype.push = function (entry) { if (!below) see(entry); push.call(this, entry); };
    Ring.prototype.pushBelowLast = function (entry) {
        see(entry);
        below = true;
        pushBelowLast.call(this, entry);
        below = false;
    };
    Ring.prototype.replaceLast = function (entry) {
        tally.marked += entry.marker.count - this.get(this.end - 1).marker.count;
        replaceLast.call(this, entry);
    };
    new PerformanceObserver((list) => {
        tally.long.push(...list.getEntries().map(entry => Math.round(entry.duration)));
    }).observe({type: 'longtask'});
}"""

# So that a test can cut the page's connections without standing in their way.
SOCKETS = """
    const Real = window.WebSocket;
    window.sockets = [];
    window.WebSocket = class extends Real {
        constructor(...given) { super(...given); window.sockets.push(this); }
    };
"""


def count(page: Page) -> None:
    page.evaluate(_TALLY)


def tally(page: Page) -> dict[str, Any]:
    """`listed` and `marked` changes, `repeated` ones, and `long` tasks in ms."""
    return dict(page.evaluate("window.tally"))


class Writer(threading.Thread):
    """Stores changes of two streams until it is stopped."""

    def __init__(self, shops: list[Shop], rate: int) -> None:
        super().__init__()
        self.shops, self.rate = shops, rate
        self.stored = 0
        self._end = threading.Event()

    def run(self) -> None:
        begun = time.monotonic()
        try:
            while not self._end.wait(_TICK_SECONDS):
                due = int((time.monotonic() - begun) * self.rate) - self.stored
                for shop in self.shops:
                    self._store(shop, due // len(self.shops))
        finally:
            connection.close()

    def _store(self, shop: Shop, number: int) -> None:
        changes = [
            shop.change(f"item-{self.stored + n}", "MODIFY", order("new"), order("paid", str(n)))
            for n in range(min(number, 1_000))
        ]
        if changes:
            store_in(shop.shard, *changes)
            self.stored += len(changes)
            number_batches()

    def stop(self) -> None:
        self._end.set()
        self.join()


@contextmanager
def writing(shops: list[Shop], rate: int) -> Iterator[Writer]:
    writer = Writer(shops, rate)
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


class Memory:
    """What the page holds."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session: CDPSession = page.context.new_cdp_session(page)

    def megabytes(self) -> float:
        """The heap, after everything that can go has gone."""
        self._session.send("HeapProfiler.collectGarbage")
        return float(self._session.send("Runtime.getHeapUsage")["usedSize"]) / 1e6

    def nodes(self) -> int:
        return int(self._page.evaluate("document.querySelectorAll('*').length"))
