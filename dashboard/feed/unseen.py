"""How many changes wait for a subscriber that is sent none: paused, hidden, or slow."""

from collections.abc import Callable

from dashboard.feed.hub import Hub
from dashboard.feed.plan import of_holes
from dashboard.feed.selection import Selection
from streams.queries.feed import Cursor


class Unseen:
    """Counts on from where it has counted, so that waiting for long costs no more each time."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.reset()

    def reset(self) -> None:
        """The subscriber has moved."""
        self._count = 0
        self._counted: Cursor | None = None
        self._place = object()

    async def after(
        self, cursor: Cursor, selection: Selection, in_ring: Callable[[Cursor], bool]
    ) -> int:
        """The changes after the cursor that would be shown; those nobody was asked about count."""
        ring, begin = self._hub.ring, self._counted or cursor
        end = ring.end
        if begin >= end:
            return self._count
        if in_ring(begin):
            number = len(selection.look(ring.after(begin, selection.ids)).rows)
            number += sum(of_holes(ring.holes_after(begin), selection).values())
        else:
            place = self._place
            number = sum((await self._hub.past.count(begin, end, selection.ids)).values())
            if place is not self._place:
                return self._count
        self._count, self._counted = self._count + number, end
        return self._count
