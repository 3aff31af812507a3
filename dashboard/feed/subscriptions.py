"""One subscriber of the feed: where it stands, and what it is sent next.

It holds no changes, only a cursor and counters: a browser that does not acknowledge costs nothing.
Every change after its cursor is sent once, in order, or counted once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

from django.db.utils import Error as DatabaseError

from dashboard.feed import frames, plan, protocol
from dashboard.feed.filters import Deciding
from dashboard.feed.frames import Place
from dashboard.feed.hub import Hub
from dashboard.feed.links import range_url
from dashboard.feed.plan import Limits, Plan, Skipped
from dashboard.feed.protocol import BACKLOG_ROWS, CREDIT, TICKS_A_SECOND
from dashboard.feed.ring import Row, operations
from dashboard.feed.selection import LeftOut, Selection
from dashboard.feed.unseen import Unseen
from streams.queries.feed import Cursor

__all__ = ["Subscriber", "range_url"]

_STATS_SECONDS = 1.0
_HIDDEN_STATS_SECONDS = 5.0


class Subscriber:
    def __init__(self, hub: Hub, user_id: int, send: Callable[[str], Awaitable[None]]) -> None:
        self.user_id = user_id
        self.epoch = 0
        self.subscribed = False
        self._hub = hub
        self._send = send
        self._selection = Selection()
        self._own = Deciding()
        self._cursor: Cursor | None = None  # None is "now", until the hub has begun
        self._paused = False
        self._visible = True
        self._sent = self._acked = 0
        self._left_out = LeftOut()
        self._gap_seen: int | None = None
        self._cap = self._selection.rows_per_second
        self._unseen = Unseen(hub)
        self._kick = asyncio.Event()
        self._stats_at = self._stepped_at = 0.0
        self._start_turn()

    # What the browser asks for ------------------------------------------------------------

    async def subscribe(self, epoch: int, selection: Selection, cursor: Cursor | None) -> None:
        self._selection = selection
        self._own = Deciding.of([selection])
        self._hub.filters.use(self, selection)
        await self.resume(epoch, cursor)

    async def resume(self, epoch: int, cursor: Cursor | None, *, skip: bool = False) -> None:
        """Go on after a cursor, in a new epoch: what is still on the way belongs to the old."""
        self.epoch, self._cursor, self._paused = epoch, cursor, False
        self._sent = self._acked = 0
        self._left_out = LeftOut()
        self.subscribed = True
        self._start_turn(skip=skip)
        self._cap = self._hub.guard.cap(self._selection.rows_per_second)
        await self._send(frames.ready(epoch, cursor or self._hub.ring.end, self._cap))
        self._kick.set()

    def acknowledge(self, n: int) -> None:
        self._acked = max(self._acked, min(n, self._sent))
        if self._waiting():
            self._kick.set()

    def pause(self) -> None:
        self._paused = True
        self._start_turn()

    def see(self, visible: bool) -> None:
        """A hidden page paints nothing and acknowledges nothing; it is sent counts only."""
        self._visible = visible
        self._start_turn()
        self._kick.set()

    def advanced(self) -> None:
        """The hub has read on."""
        if self._may_send():
            self._kick.set()

    # What it is sent ----------------------------------------------------------------------

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            try:
                await self._step()
                await self._stats()
                await self._rest()
            except DatabaseError:  # the hub meets the same one, and says so
                await asyncio.sleep(_STATS_SECONDS)

    def _start_turn(self, *, skip: bool = False) -> None:
        """Whatever is being read for the old place is not to be sent any more."""
        self._turn = object()
        self._begins = self._catching_up = True
        self._skip = skip
        self._choosing = self._starved = self._over = False
        self._backlog: int | None = None
        self._unseen.reset()

    async def _rest(self) -> None:
        """Until there is something to do: at most once a tick, but for a backlog."""
        if self._catching_up and self._may_send() and self._waiting():
            await asyncio.sleep(0)
            return
        pause = protocol.TICK_SECONDS
        if not (self._may_send() and self._waiting()):
            pause = max(0.0, self._stats_at + self._between_stats() - monotonic())
        with suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._kick.wait()
        self._kick.clear()
        if not self._catching_up:
            early = self._stepped_at + protocol.TICK_SECONDS * 0.8 - monotonic()
            await asyncio.sleep(max(0.0, early))

    def _may_send(self) -> bool:
        moving = self.subscribed and self._visible and not self._paused and self._hub.begun
        credit = self._sent - self._acked < CREDIT
        self._starved |= moving and not credit
        return moving and credit and not self._choosing

    def _waiting(self) -> bool:
        return self._cursor is not None and self._cursor < self._hub.ring.end

    async def _step(self) -> None:
        if not self._may_send():
            return
        if self._cursor is None:
            self._cursor = self._hub.ring.end
        await self._tell_collection_gaps(self._cursor)
        if not self._may_send():
            return
        if not self._waiting():
            self._begins = self._catching_up = self._starved = self._over = False
            return
        turn, cursor, ring = self._turn, self._cursor, self._hub.ring
        # A backlog that is sent in order may be whole in the store only.
        in_order = self._catching_up and not (self._begins and self._skip)
        fills = in_order and plan.fits_backlog_with_holes(ring, cursor, self._selection)
        if self._is_in_ring(cursor) and not fills:
            next_ = self._from_ring(cursor)
        else:
            next_ = await self._from_store(cursor)
        if turn is not self._turn:
            return
        if isinstance(next_, Plan):
            await self._deliver(cursor, next_)
        else:
            await self._ask(cursor, next_)

    def _is_in_ring(self, cursor: Cursor) -> bool:
        """True if the ring has all that follows, asked what this viewer asks."""
        selection, hub = self._selection, self._hub
        since = hub.filters.since(selection.text) if selection.filter else hub.ring.start
        if selection.columns and since is not None:
            shown = hub.filters.since(selection.columns)
            since = None if shown is None else max(since, shown, hub.ring.cells_since)
        return since is not None and cursor >= since and hub.ring.holds(cursor)

    def _from_ring(self, cursor: Cursor) -> Plan | Skipped:
        """What comes next; or the backlog, if the browser is to be asked."""
        ring, selection, limits = self._hub.ring, self._selection, Limits.of(self._cap)
        there = ring.after(cursor, selection.ids)
        if ring.holes_after(cursor):
            return self._over_holes(cursor, there)
        looked = selection.look(there)
        if self._begins and self._skip:
            return plan.newest(looked, selection, ring.end, limits)
        if self._begins and len(looked.rows) > BACKLOG_ROWS:
            return Skipped(ring.end, operations(looked.rows))
        # A burst may take a second to be sent, in order; above the rate the newest count more.
        most = limits.rows if self._over else limits.rows * TICKS_A_SECOND
        if len(looked.rows) <= (BACKLOG_ROWS if self._catching_up else most):
            self._over = False
            next_ = plan.in_order(looked, selection, ring.end, limits)
            return next_ if self._catching_up else next_._replace(behind=0)
        self._catching_up, self._over = False, True
        return plan.sampled(looked, ring.end, limits)

    def _over_holes(self, cursor: Cursor, there: list[Row]) -> Plan | Skipped:
        """More was written than the hub could read: part of it is only counted."""
        ring, selection, limits = self._hub.ring, self._selection, Limits.of(self._cap)
        holes = ring.holes_after(cursor)
        counted = plan.of_holes(holes, selection)
        unasked = selection.asks(self._hub.ignoring)
        behind = Skipped(ring.end, plan.added(counted, operations(there)), unasked)
        if self._begins and sum(behind.operations.values()) > BACKLOG_ROWS and not self._skip:
            return behind
        self._catching_up, self._over = False, True
        if not unasked:
            return plan.sampled(selection.look(there), ring.end, limits, sum(counted.values()))
        upto = holes[-1].end
        before = [row for row in there if row.cursor <= upto]
        skipped = Skipped(upto, plan.added(counted, operations(before)), unasked=True)
        after = plan.sampled(selection.look(there[len(before) :]), ring.end, limits)
        return after._replace(skipped=skipped)

    async def _from_store(self, cursor: Cursor) -> Plan | Skipped:
        """For a place that has left the ring."""
        past, selection, limits = self._hub.past, self._selection, Limits.of(self._cap)
        end, backlog = self._hub.ring.end, self._backlog
        begins = self._begins  # a new turn may begin while the store is asked
        skip = begins and self._skip
        unasked = selection.asks(self._hub.ignoring)
        if backlog is None:
            counts = await past.count(cursor, end, selection.ids)
            backlog = sum(counts.values())
            if begins and backlog > BACKLOG_ROWS and not skip:
                return Skipped(end, counts, unasked)
        most = BACKLOG_ROWS if self._catching_up else limits.rows * TICKS_A_SECOND
        if backlog <= most and not skip:
            page = await past.read(cursor, selection.ids, limits.rows, self._own)
            behind = max(0, backlog - len(page.rows))
            return plan.in_order(selection.look(page.rows), selection, page.end, limits, behind)
        page = await past.newest(selection.ids, limits.rows, self._own)
        # Retention may have taken counted changes, so that few or none are left to show.
        rows = [row for row in page.rows if row.cursor > cursor]
        start = max(page.start, cursor)
        counts = await past.count(cursor, start, selection.ids)
        next_ = plan.in_order(selection.look(rows), selection, page.end, limits)
        return next_._replace(skipped=Skipped(start, counts, unasked))

    async def _ask(self, cursor: Cursor, waiting: Skipped) -> None:
        turn = self._turn
        times = await self._hub.past.times(cursor, waiting.upto, self._selection.ids)
        if turn is self._turn:
            self._begins, self._choosing = False, True
            await self._send(frames.choice(self.epoch, cursor, waiting, times, self._selection))

    async def _deliver(self, cursor: Cursor, next_: Plan) -> None:
        """Change the own state first: a request may come in while a frame waits for the socket."""
        made, skipped = [], next_.skipped
        if skipped and sum(skipped.operations.values()):
            self._left_out = self._left_out.and_(skipped.left_out)
            place = self._place(cursor)
            made.append(frames.gap(place, skipped, self._reason(), self._selection, self._left_out))
            cursor = skipped.upto
        self._left_out = self._left_out.and_(next_.left_out)
        if next_.rows or next_.sampled:
            place = self._place(cursor)
            made.append(frames.batch(place, next_, self._selection.columns, self._left_out))
        self._begins = False
        self._backlog = next_.behind or None
        self._cursor = max(next_.upto, cursor)
        self._catching_up &= next_.behind > 0 or self._waiting()
        self._starved &= next_.behind > 0
        self._stepped_at = monotonic()
        self._unseen.reset()
        for frame in made:
            await self._send(frame)

    def _place(self, cursor: Cursor) -> Place:
        self._sent += 1
        return Place(self.epoch, self._sent, cursor)

    def _reason(self) -> protocol.Reason:
        if self._catching_up:
            return "backlog"
        return "slow" if self._starved else "rate"

    async def _tell_collection_gaps(self, cursor: Cursor) -> None:
        seen, self._gap_seen = self._gap_seen, self._hub.newest_gap
        if seen is None or seen == self._gap_seen:
            return
        for gap in list(self._hub.gaps):
            if gap.id > seen and self._selection.has(gap.stream_id):
                await self._send(frames.collection_gap(self._place(cursor), gap))

    # The sign of life -----------------------------------------------------------------------

    def _between_stats(self) -> float:
        return _STATS_SECONDS if self._visible else _HIDDEN_STATS_SECONDS

    async def _stats(self) -> None:
        now = monotonic()
        if now - self._stats_at < self._between_stats():
            return
        self._stats_at = now
        cap = self._hub.guard.cap(self._selection.rows_per_second)
        if self.subscribed and cap != self._cap:
            self._cap = cap
            await self._send(frames.capped(self._selection.rows_per_second, cap))
        unseen = 0
        if self._cursor and self._hub.begun:
            unseen = await self._unseen.after(self._cursor, self._selection, self._is_in_ring)
        facts = self._selection, self._cursor, unseen, self._left_out
        await self._send(frames.stats(self.epoch, self._hub, *facts))
