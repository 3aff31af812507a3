"""The feed hub: one reader per web process, which runs only while somebody watches.

Woken through the channel layer, or by its timer, it reads new changes once by cursor, encodes
each once, and keeps the newest in a ring; each subscriber takes its own part from there
(subscriptions.py), so a slow one costs the others nothing. When more is written than it can read,
it reads the newest and counts the others from the ledger.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import Protocol

from channels.layers import get_channel_layer
from django.db.utils import Error as DatabaseError
from redis.exceptions import RedisError

from dashboard.feed.arrivals import Arrivals
from dashboard.feed.collection_gaps import CollectionGap
from dashboard.feed.filters import Filters
from dashboard.feed.guard import Guard
from dashboard.feed.protocol import TICK_SECONDS
from dashboard.feed.reader import Reader, Reading
from dashboard.feed.ring import Ring
from streams.topics import FEED_GROUP

log = logging.getLogger(__name__)

# Without a wake-up; it also bounds how late a lost wake-up can make the feed.
TIMER_SECONDS = 1.0
# Pages a tick: at most 4,000 rows a second, far above what a viewer is sent, so that encoding
# never takes more than a part of one core, however much is written.
_PAGES = 2
# Further behind than half a second of reading, it goes on at the newest.
_FAR_ROWS = 2_000
_GAPS_SECONDS = 3.0
# Collection gaps that are kept for viewers who pause.
_GAPS = 100
_LATE_SECONDS = 5.0
_LONGEST_PAUSE = 5.0


class Viewer(Protocol):
    """Whoever keeps the hub running."""

    user_id: int

    def __hash__(self) -> int: ...

    def advanced(self) -> None:
        """New changes were read."""


class Hub:
    def __init__(self) -> None:
        self.ring = Ring()
        self.reader, self.past = Reader(), Reader()
        self.filters = Filters()
        self.guard = Guard()
        self.arrivals = Arrivals()
        self.viewers: set[Viewer] = set()
        self.begun = False
        # How late the last tick ended.
        self.lag = 0.0
        self.gaps: deque[CollectionGap] = deque(maxlen=_GAPS)
        self.newest_gap: int | None = None
        self._gaps_at = 0.0
        self._reading: asyncio.Task[None] | None = None
        # Stays for the process's life: the layer offers no clean way to end a listener, and a
        # wake-up without viewers costs nothing.
        self._listening: asyncio.Task[None] | None = None
        self._read_at = monotonic()

    def join(self, viewer: Viewer) -> None:
        self.viewers.add(viewer)
        if self._reading is None:
            self._start()

    def leave(self, viewer: Viewer) -> None:
        self.viewers.discard(viewer)
        self.filters.use(viewer, None)
        if not self.viewers:
            self._stop()

    def sockets_of(self, user_id: int) -> int:
        return sum(viewer.user_id == user_id for viewer in self.viewers)

    @property
    def late(self) -> str:
        """Why the feed stands still, in a sentence; "" while it does not."""
        seconds = monotonic() - self._read_at
        if seconds < _LATE_SECONDS:
            return ""
        return f"The store has not answered for {seconds:.0f} s; changes will follow."

    @property
    def ignoring(self) -> frozenset[int]:
        """The streams that have ignored fields, so that some of their changes are noise."""
        return self.reader.known.ignoring

    @property
    def names(self) -> Mapping[int, str]:
        return self.reader.known.names

    def _start(self) -> None:
        self.ring, self.reader, self.past = Ring(), Reader(), Reader()
        self.guard, self.arrivals = Guard(), Arrivals()
        self.begun, self.lag = False, 0.0
        self.gaps.clear()
        self.newest_gap, self._gaps_at = None, 0.0
        self._read_at = monotonic()
        self._wake = asyncio.Event()
        self._reading = asyncio.create_task(self._read())
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())

    def _stop(self) -> None:
        if self._reading:
            self._reading.cancel()
            self._reading = None
            self.reader.stop()
            self.past.stop()

    async def _read(self) -> None:
        """Keep the ring at the head; through failures of the database, with growing pauses."""
        failures, woken = 0, False
        while True:
            started = monotonic()
            try:
                before = self.ring.end
                await self._advance(number=not woken)
                await self._find_gaps()
                failures, self._read_at = 0, monotonic()
            except DatabaseError as error:
                failures += 1
                log.warning("The feed was not read: %s", str(error).partition("\n")[0])
                await asyncio.sleep(min(TICK_SECONDS * 2**failures, _LONGEST_PAUSE))
                continue
            if self.ring.end > before:
                for viewer in self.viewers:
                    viewer.advanced()
            # Wake-ups come per batch; reading once a tick serves them all.
            await asyncio.sleep(max(0.0, started + TICK_SECONDS - monotonic()))
            self.lag = max(0.0, monotonic() - started - TICK_SECONDS)
            self.guard.tick(self.lag)
            woken = await self._woken()

    async def _woken(self) -> bool:
        """True for a wake-up, False for the timer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(TIMER_SECONDS):
                await self._wake.wait()
        woken = self._wake.is_set()
        self._wake.clear()
        return woken

    async def _listen(self) -> None:
        """Turn the layer's messages into wake-ups. Without Redis the timer goes on alone."""
        layer = get_channel_layer()
        while True:
            try:
                channel = await layer.new_channel()
                await layer.group_add(FEED_GROUP, channel)
                while True:
                    message = await layer.receive(channel)
                    if message["position"] > self.ring.end.position:
                        self._wake.set()
            except (RedisError, OSError) as error:
                log.info("No wake-ups for the feed (%s); its timer will do.", type(error).__name__)
                await asyncio.sleep(_LONGEST_PAUSE)

    async def _advance(self, *, number: bool) -> None:
        if number:
            await self.reader.number()
        if not self.begun:
            await self._begin()
        for _ in range(_PAGES):
            start, deciding = self.ring.end, self.filters.deciding
            page = await self.reader.read(start, None, deciding=deciding)
            self.filters.decided(deciding, start, anew=False)
            self._append(page)
            if not page.more:
                return
        self._wake.set()  # more is waiting
        await self._leave_out_if_far_behind()

    async def _begin(self) -> None:
        deciding = self.filters.deciding
        newest = await self.reader.newest(None, deciding=deciding)
        self.ring.restart(newest.rows, newest.start, newest.end)
        self.filters.decided(deciding, newest.start, anew=True)
        self.begun = True
        self.arrivals.begin()

    async def _leave_out_if_far_behind(self) -> None:
        """More is written than is read: count what there is from the ledger, and go on at the
        newest. Whose filters were not asked about the others is told so."""
        end = self.ring.end
        waiting = await self.reader.count_each(end, await self.reader.head())
        if sum(waiting.values()) <= _FAR_ROWS:
            return
        deciding = self.filters.deciding
        newest = await self.reader.newest(None, deciding=deciding)
        if newest.start <= end:
            return  # retention took what was waiting
        counts = await self.reader.count_each(end, newest.start)
        self.ring.leave_out(counts, newest.start)
        self.arrivals.add(counts)
        self.filters.decided(deciding, newest.start, anew=False)
        self._append(newest)

    def _append(self, page: Reading) -> None:
        self.ring.append(page.rows, page.end)
        self.arrivals.add(Counter((row.stream, row.operation) for row in page.rows))

    async def _find_gaps(self) -> None:
        """Now and then, ask for changes that were never read from the source."""
        if monotonic() - self._gaps_at < _GAPS_SECONDS:
            return
        found = await self.reader.collection_gaps(self.newest_gap)
        self._gaps_at = monotonic()
        if self.newest_gap is not None:
            self.gaps.extend(found)
        self.newest_gap = max((gap.id for gap in found), default=self.newest_gap or 0)


hub = Hub()
