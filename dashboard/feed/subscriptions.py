"""One subscriber of the feed: where it stands, and what it is sent next.

It holds no changes, only a cursor: a browser that does not acknowledge costs nothing. Every change
after its cursor is sent once, in order, or counted by a gap.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from urllib.parse import urlencode

from django.db.utils import Error as DatabaseError
from django.urls import reverse

from dashboard.feed import protocol
from dashboard.feed.filters import Deciding
from dashboard.feed.hub import Hub
from dashboard.feed.plan import Plan, Skipped, batch
from dashboard.feed.protocol import BACKLOG_ROWS, BATCH_ROWS, CREDIT, LAG_ROWS
from dashboard.feed.ring import Row, operations
from dashboard.feed.summary import iso
from streams.queries.feed import Cursor
from streams.rules import Filter

_STATS_SECONDS = 1.0
_HIDDEN_STATS_SECONDS = 5.0
# A backlog that has left the ring is counted by the database; no need to do so every second.
_RECOUNT_SECONDS = 5.0


class Subscriber:
    def __init__(self, hub: Hub, user_id: int, send: Callable[[str], Awaitable[None]]) -> None:
        self.user_id = user_id
        self.epoch = 0
        self.subscribed = False
        self._hub = hub
        self._send = send
        self._streams: dict[str, int] | None = None
        self._filter: Filter | None = None
        self._own = Deciding({})
        self._cursor: Cursor | None = None  # None is "now", until the hub has begun
        self._paused = False
        self._visible = True
        self._sent = self._acked = self._hidden = 0
        self._kick = asyncio.Event()
        self._stats_at = self._counted_at = 0.0
        self._start_turn()

    # What the browser asks for ------------------------------------------------------------

    async def subscribe(
        self,
        epoch: int,
        streams: dict[str, int] | None,
        cursor: Cursor | None,
        filter_: Filter | None = None,
    ) -> None:
        self._streams, self._filter = streams, filter_
        self._own = Deciding({filter_.text: filter_} if filter_ else {})
        self._hub.filters.use(self, filter_)
        self._hidden = 0
        await self.resume(epoch, cursor)

    async def resume(self, epoch: int, cursor: Cursor | None) -> None:
        """Go on after a cursor, in a new epoch: what is still on the way belongs to the old."""
        self.epoch, self._cursor, self._paused = epoch, cursor, False
        self._sent = self._acked = 0
        self.subscribed = True
        self._start_turn()
        await self._send(protocol.encode(self._ready()))
        self._kick.set()

    def acknowledge(self, n: int) -> None:
        self._acked = max(self._acked, min(n, self._sent))
        if self._catching_up:
            self._kick.set()

    def pause(self) -> None:
        self._paused = True
        self._start_turn()

    def see(self, visible: bool) -> None:
        """A hidden page paints nothing and acknowledges nothing; it is sent counts only."""
        self._visible = visible
        self._start_turn()
        self._kick.set()

    # What it is sent ----------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            try:
                await self._stats()
                await self._step()
                await self._rest()
            except DatabaseError:  # the hub meets the same one, and says so
                await asyncio.sleep(_STATS_SECONDS)

    def _start_turn(self) -> None:
        """Whatever is being read for the old place is not to be sent any more."""
        self._turn = object()
        self._catching_up = True
        self._starved = False
        self._backlog: int | None = None
        self._unseen = 0

    def _ready(self) -> protocol.Ready:
        return {
            "type": "ready",
            "epoch": self.epoch,
            "columns": protocol.COLUMNS,
            "limits": {"rows": BATCH_ROWS, "tick": protocol.TICK_SECONDS, "backlog": BACKLOG_ROWS},
            "server_time": iso(datetime.now(UTC), "milliseconds"),
            "cursor": str(self._cursor or self._hub.ring.end),
        }

    async def _rest(self) -> None:
        """Until the next tick; while catching up, only until there is credit again."""
        if self._catching_up and self._may_send() and self._waiting():
            await asyncio.sleep(0)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(protocol.TICK_SECONDS):
                await self._kick.wait()
        self._kick.clear()

    def _may_send(self) -> bool:
        moving = self.subscribed and self._visible and not self._paused and self._hub.begun
        self._starved |= moving and self._sent - self._acked >= CREDIT
        return moving and self._sent - self._acked < CREDIT

    def _waiting(self) -> bool:
        return self._cursor is not None and self._cursor < self._hub.ring.end

    async def _step(self) -> None:
        if not self._may_send():
            return
        if self._cursor is None:
            self._cursor = self._hub.ring.end
        if not self._waiting():
            self._catching_up = self._starved = False
            return
        turn = self._turn
        if self._is_in_ring(self._cursor):
            plan = self._from_ring(self._cursor)
        else:
            plan = await self._from_store(self._cursor)
        if turn is self._turn:
            await self._deliver(self._cursor, plan)

    def _is_in_ring(self, cursor: Cursor) -> bool:
        """True if the ring has all that follows, decided by the filter."""
        since = self._hub.filters.since(self._filter.text) if self._filter else cursor
        return since is not None and cursor >= max(since, self._hub.ring.start)

    def _passing(self, rows: Sequence[Row]) -> Sequence[Row]:
        if self._filter is None:
            return rows
        text = self._filter.text
        return [row for row in rows if text in row.passed]

    def _from_ring(self, cursor: Cursor) -> Plan:
        ring = self._hub.ring
        there = ring.after(cursor, self._ids())
        rows = self._passing(there)
        if len(rows) <= (BACKLOG_ROWS if self._catching_up else LAG_ROWS):
            return batch(None, rows, ring.end, 0, there)
        left_out, rows = rows[:-BATCH_ROWS], rows[-BATCH_ROWS:]
        skipped = Skipped(left_out[-1].cursor, operations(left_out))
        return batch(skipped, rows, ring.end, 0, there)

    async def _from_store(self, cursor: Cursor) -> Plan:
        """For a place that has left the ring."""
        reader, streams = self._hub.reader, self._ids()
        backlog = self._backlog  # a new turn may begin while the store is asked
        if backlog is None:
            counts = await reader.count(cursor, self._hub.ring.end, streams)
            backlog = sum(counts.values())
        if backlog <= BACKLOG_ROWS:
            page = await reader.read(cursor, streams, BATCH_ROWS, self._own)
            behind = max(0, backlog - len(page.rows))
            return batch(None, self._passing(page.rows), page.end, behind, page.rows)
        page = await reader.newest(streams, BATCH_ROWS, self._own)
        # Retention may have taken counted changes, so that few or none are left to show.
        rows = [row for row in page.rows if row.cursor > cursor]
        start = max(page.start, cursor)
        counts = await reader.count(cursor, start, streams)
        skipped = Skipped(start, counts, unasked=self._filter is not None)
        return batch(skipped, self._passing(rows), page.end, 0, rows)

    async def _deliver(self, cursor: Cursor, plan: Plan) -> None:
        """Change the own state first: a request may come in while a frame waits for the socket."""
        frames = []
        if plan.skipped and sum(plan.skipped.operations.values()):
            frames.append(self._gap(cursor, plan.skipped))
            cursor = plan.skipped.upto
        if plan.rows:
            frames.append(self._batch(cursor, plan))
        self._hidden += plan.hidden
        self._backlog = plan.behind or None
        self._cursor = max(plan.upto, cursor)
        self._catching_up &= plan.behind > 0 or self._waiting()
        self._starved &= plan.behind > 0
        for frame in frames:
            await self._send(frame)

    def _gap(self, cursor: Cursor, skipped: Skipped) -> str:
        self._sent += 1
        reason: protocol.Reason = "rate"
        if self._catching_up or self._starved:
            reason = "backlog" if self._catching_up else "slow"
        message: protocol.Gap = {
            "type": "gap",
            "epoch": self.epoch,
            "n": self._sent,
            "count": sum(skipped.operations.values()),
            "operations": dict(skipped.operations),
            "reason": reason,
            "url": range_url(cursor, skipped.upto, self._streams or ()),
        }
        if skipped.unasked:
            message["unasked"] = True
        return protocol.encode(message, from_=str(cursor), to=str(skipped.upto))

    def _batch(self, cursor: Cursor, plan: Plan) -> str:
        self._sent += 1
        message: protocol.Batch = {
            "type": "batch",
            "epoch": self.epoch,
            "n": self._sent,
            "rows": [row.data for row in plan.rows],
            "behind": plan.behind,
        }
        return protocol.encode(message, from_=str(cursor), to=str(plan.upto))

    # The sign of life -----------------------------------------------------------------------

    async def _stats(self) -> None:
        now = monotonic()
        if now - self._stats_at < (_STATS_SECONDS if self._visible else _HIDDEN_STATS_SECONDS):
            return
        self._stats_at = now
        message: protocol.Stats = {
            "type": "stats",
            "epoch": self.epoch,
            "unseen": await self._count_unseen(now),
            "rate": self._hub.rate(self._ids()),
        }
        if self._filter and self._cursor:
            message["hidden"], message["cursor"] = self._hidden, str(self._cursor)
        if self._hub.late:
            message["late"] = self._hub.late
        await self._send(protocol.encode(message))

    async def _count_unseen(self, now: float) -> int:
        ring, cursor = self._hub.ring, self._cursor
        if cursor is None or not self._hub.begun or cursor >= ring.end:
            return 0
        if self._is_in_ring(cursor):
            return len(self._passing(ring.after(cursor, self._ids())))
        if now - self._counted_at >= _RECOUNT_SECONDS:
            self._counted_at = now
            counts = await self._hub.reader.count(cursor, ring.end, self._ids())
            self._unseen = sum(counts.values())
        return self._unseen

    def _ids(self) -> frozenset[int] | None:
        return None if self._streams is None else frozenset(self._streams.values())


def range_url(after: Cursor, upto: Cursor, streams: Sequence[str] | Mapping[str, int]) -> str:
    """The changes between two cursors as an ordinary page."""
    query = [("after", str(after)), ("upto", str(upto)), *(("stream", name) for name in streams)]
    return f"{reverse('live')}?{urlencode(query)}"
