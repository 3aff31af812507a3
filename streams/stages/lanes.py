"""Storing beside reading: a few threads, each with a connection of its own, so that Postgres
works on one shard's changes while another's are read and parsed."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from time import monotonic

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from streams import flow
from streams.stages.publish import Publisher
from streams.stages.reading import Outcome, Reading
from streams.stages.store import Tail, joined

# Two keep Postgres busy: one copies its rows while the other commits.
_LANES = 2


@dataclass(frozen=True)
class Stored:
    """What came of storing outcomes of one reading; `tail()` raises what storing raised."""

    reading: Reading
    outcomes: Sequence[Outcome]
    result: "Future[Tail]"

    def tail(self) -> Tail:
        return self.result.result()


class Lanes:
    """`done` is called, in any thread, with what was stored or failed."""

    def __init__(self, publisher: Publisher, done: Callable[[Stored], None]) -> None:
        self._publisher, self._done = publisher, done
        self._connections: list[BaseDatabaseWrapper] = []
        self._threads = ThreadPoolExecutor(_LANES, "lane", initializer=self._begin)

    def store(self, reading: Reading, outcomes: Sequence[Outcome]) -> None:
        """Store the outcomes as one batch. At most one call for a reading may be under way."""
        result = self._threads.submit(self._store, reading, outcomes)
        result.add_done_callback(lambda result: self._done(Stored(reading, outcomes, result)))

    def stop(self) -> None:
        """Let what is being stored end; give back the connections."""
        self._threads.shutdown()
        for mine in self._connections:
            mine.close()

    def _begin(self) -> None:
        # A thread cannot close its connection when it ends, so `stop` does.
        connection.inc_thread_sharing()
        self._connections.append(connections[connection.alias])

    def _store(self, reading: Reading, outcomes: Sequence[Outcome]) -> Tail:
        batch = joined([outcome.batch for outcome in outcomes if outcome.batch])
        timed = replace(batch, read_age=monotonic() - outcomes[0].read_at)
        return flow.store_and_publish(reading.target, reading.tail, timed, self._publisher)
