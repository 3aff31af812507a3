"""The feed hub: one reader per web process, which runs only while somebody watches.

Woken through the channel layer, or by its timer, it reads new changes once by cursor, encodes
each once, and keeps the newest in a ring; each subscriber takes its own part from there
(subscriptions.py), so a slow one costs the others nothing.
"""

import asyncio
import logging
from collections import Counter, deque
from contextlib import suppress
from time import monotonic
from typing import Protocol

from channels.layers import get_channel_layer
from django.db.utils import Error as DatabaseError
from redis.exceptions import RedisError

from dashboard.feed.filters import Deciding, Filters
from dashboard.feed.protocol import BACKLOG_ROWS, TICK_SECONDS
from dashboard.feed.reader import Reader, Reading
from dashboard.feed.ring import Ring
from streams.topics import FEED_GROUP

log = logging.getLogger(__name__)

# Without a wake-up; it also bounds how late a lost wake-up can make the feed.
TIMER_SECONDS = 1.0
# Pages a tick: at most 4,000 rows a second, far above what a viewer is sent, so that encoding
# never takes more than a part of one core, however much is written.
_PAGES = 2
_RATE_SECONDS = 10.0
_LATE_SECONDS = 5.0
_LONGEST_PAUSE = 5.0


class Viewer(Protocol):
    """Whoever keeps the hub running."""

    user_id: int

    def __hash__(self) -> int: ...


class Hub:
    def __init__(self) -> None:
        self.ring = Ring()
        self.reader = Reader()
        self.filters = Filters()
        self.viewers: set[Viewer] = set()
        self.begun = False
        self._reading: asyncio.Task[None] | None = None
        # Stays for the process's life: the layer offers no clean way to end a listener, and a
        # wake-up without viewers costs nothing.
        self._listening: asyncio.Task[None] | None = None
        # When, and how many of each stream; None stands for rows that were counted, not read.
        self._arrivals: deque[tuple[float, Counter[int | None]]] = deque()
        self._read_at = self._begun_at = monotonic()

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

    def rate(self, streams: frozenset[int] | None) -> float | None:
        """Changes a second of these streams; None if it is not known."""
        now = monotonic()
        watched = min(_RATE_SECONDS, now - self._begun_at)
        if not self.begun or watched < 1:
            return None
        while self._arrivals and self._arrivals[0][0] < now - _RATE_SECONDS:
            self._arrivals.popleft()
        counts = sum((counted for _, counted in self._arrivals), Counter[int | None]())
        if streams is None:
            return counts.total() / watched
        if counts[None]:
            return None
        return sum(counts[stream] for stream in streams) / watched

    def _start(self) -> None:
        self.ring, self.reader, self.begun = Ring(), Reader(), False
        self._arrivals.clear()
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

    async def _read(self) -> None:
        """Keep the ring at the head; through failures of the database, with growing pauses."""
        failures, woken = 0, False
        while True:
            started = monotonic()
            try:
                await self._advance(number=not woken)
                failures, self._read_at = 0, monotonic()
            except DatabaseError as error:
                failures += 1
                log.warning("The feed was not read: %s", str(error).partition("\n")[0])
                await asyncio.sleep(min(TICK_SECONDS * 2**failures, _LONGEST_PAUSE))
                continue
            # Wake-ups come per batch; reading once a tick serves them all.
            await asyncio.sleep(max(0.0, started + TICK_SECONDS - monotonic()))
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
            await self._restart()
            self.begun, self._begun_at = True, monotonic()
        for _ in range(_PAGES):
            start, deciding = self.ring.end, self.filters.deciding
            page = await self.reader.read(start, None, deciding=deciding)
            self.ring.append(page.rows, page.end)
            self.filters.decided(deciding, start, anew=False)
            self._arrived(Counter(row.stream for row in page.rows))
            if not page.more:
                return
        self._wake.set()  # more is waiting
        await self._skip_if_far_behind()

    async def _skip_if_far_behind(self) -> None:
        """More is written than is read: go on at the newest. What is left out stays in the store,
        and each subscriber is told how many of its changes that were."""
        deciding = self.filters.deciding
        newest = await self.reader.newest(None, deciding=deciding)
        counts = await self.reader.count(self.ring.end, newest.start, None)
        if sum(counts.values()) > BACKLOG_ROWS:
            self._arrived(Counter({None: sum(counts.values())}))
            self._arrived(Counter(row.stream for row in newest.rows))
            self._begin_with(newest, deciding)

    async def _restart(self) -> None:
        deciding = self.filters.deciding
        self._begin_with(await self.reader.newest(None, deciding=deciding), deciding)

    def _begin_with(self, newest: Reading, deciding: Deciding) -> None:
        self.ring.restart(newest.rows, newest.start, newest.end)
        self.filters.decided(deciding, newest.start, anew=True)

    def _arrived(self, counts: "Counter[int | None]") -> None:
        if counts:
            self._arrivals.append((monotonic(), counts))


hub = Hub()
