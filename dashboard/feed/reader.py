"""A way to the database: one thread, one connection, bounded pages.

The hub has one for the newest changes and one for its subscribers' older places, so that two
hundred browsers that come back at once do not hold up the feed.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, ParamSpec, TypeVar

from django.db import connection
from django.db.utils import Error as DatabaseError

from dashboard.feed import collection_gaps, cursors
from dashboard.feed.collection_gaps import CollectionGap
from dashboard.feed.filters import Deciding
from dashboard.feed.known import Known
from dashboard.feed.ring import Counts, Row
from dashboard.feed.rows import rows_of
from streams.queries import feed
from streams.queries.feed import Cursor, StoredChange
from streams.stages.publish import number_batches

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Streams = frozenset[int] | None

PAGE_ROWS = 500
NOTHING = Deciding()
# Images travel with their changes, up to 800 KB each; so a page of large ones has fewer rows.
_PAGE_BYTES = 8 * 1024 * 1024


class Reading(NamedTuple):
    """Rows, oldest first: all there are after `start` up to `end`."""

    rows: list[Row]
    start: Cursor
    end: Cursor
    more: bool


class Reader:
    """Reads for the hub and its subscribers; every method raises DatabaseError."""

    def __init__(self) -> None:
        self.known = Known()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._rows = PAGE_ROWS // 5

    async def number(self) -> None:
        """Give committed batches their place, so that the feed needs no worker to move on."""
        await self._run(number_batches)

    async def read(
        self,
        after: Cursor,
        streams: Streams,
        limit: int = PAGE_ROWS,
        deciding: Deciding = NOTHING,
    ) -> Reading:
        return await self._run(self._read, after, streams, min(limit, self._rows), deciding)

    async def newest(
        self, streams: Streams, limit: int = PAGE_ROWS, deciding: Deciding = NOTHING
    ) -> Reading:
        return await self._run(self._newest, streams, min(limit, self._rows), deciding)

    async def count(self, after: Cursor, upto: Cursor, streams: Streams) -> dict[str, int]:
        """Exact counts per operation, from the ledger."""
        return await self._run(feed.count, after, upto, streams=streams)

    async def count_each(self, after: Cursor, upto: Cursor) -> Counts:
        """The same of all streams, per stream and operation."""
        return await self._run(feed.count_each, after, upto, streams=None)

    async def times(
        self, after: Cursor, upto: Cursor, streams: Streams
    ) -> tuple[datetime, datetime] | None:
        """From when to when the changes between two cursors happened, from the ledger."""
        return await self._run(feed.times, after, upto, streams=streams)

    async def head(self) -> Cursor:
        return await self._run(feed.head)

    async def collection_gaps(self, after: int | None) -> list[CollectionGap]:
        """The gaps that were found after this one; the newest only, if None."""
        return await self._run(collection_gaps.after, after)

    def stop(self, *, wait: bool = False) -> None:
        with suppress(RuntimeError):  # it was stopped before
            self._thread.submit(_close)
        self._thread.shutdown(wait=wait)

    async def _run(
        self,
        call: Callable[Parameters, Result],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Result:
        def run() -> Result:
            try:
                return call(*args, **kwargs)
            except DatabaseError:
                connection.close()  # the next call starts with a new one
                raise

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def _read(self, after: Cursor, streams: Streams, limit: int, deciding: Deciding) -> Reading:
        page = feed.read(after, streams=streams, limit=limit)
        return Reading(self._encode(page.changes, deciding), after, page.cursor, page.more)

    def _newest(self, streams: Streams, limit: int, deciding: Deciding) -> Reading:
        page = feed.newest(streams=streams, limit=limit)
        rows = self._encode(page.changes, deciding)
        # Fewer than asked for means that there are no others.
        full = len(rows) == limit
        return Reading(
            rows, cursors.before(rows[0].cursor) if full else feed.START, page.cursor, full
        )

    def _encode(self, changes: list[StoredChange], deciding: Deciding) -> list[Row]:
        if changes:
            mean = sum(change.size for change in changes) // len(changes) + 1
            self._rows = max(10, min(PAGE_ROWS, _PAGE_BYTES // mean))
        return rows_of(changes, deciding, self.known)


def _close() -> None:
    """In the thread that opened it: `connection` names another one in each thread."""
    connection.close()
