"""The hub's only way to the database: one thread, one connection, bounded pages."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple, ParamSpec, TypeVar

import msgspec
from django.db import connection
from django.db.utils import Error as DatabaseError

from dashboard.feed import cursors
from dashboard.feed.filters import Deciding, Passed
from dashboard.feed.ring import Row
from dashboard.feed.summary import summarise
from streams.queries import feed
from streams.queries.feed import Cursor, StoredChange
from streams.stages.publish import number_batches

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Streams = frozenset[int] | None

PAGE_ROWS = 500
NOTHING = Deciding({})
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
        return [
            _row(change, passed)
            for change, passed in zip(changes, deciding.passed(changes), strict=True)
        ]


def _close() -> None:
    """In the thread that opened it: `connection` names another one in each thread."""
    connection.close()


def _row(change: StoredChange, passed: Passed) -> Row:
    assert change.cursor is not None  # noqa: S101 - read by its place in the feed
    data = msgspec.Raw(msgspec.json.encode(summarise(change)))
    return Row(change.cursor, change.stream_id, change.operation, data, passed)
