"""Poll: hold leases on many shards, of all streams, and read each at its own pace.

One poller is one Celery task in one process. It reads with several requests in flight, stores in
its own thread, and ends after a bounded slice; what it held goes on in the next one.
"""

import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue

from django.db import transaction

from streams.errors import (
    IteratorExpired,
    LeaseLost,
    PositionTrimmed,
    ShardGone,
    SourceError,
    Throttled,
)
from streams.memory import give_back_pages
from streams.models import Stream
from streams.sources.base import PulledSource
from streams.sources.registry import open_source
from streams.stages import gap, lease, readers
from streams.stages.discover import has_children
from streams.stages.lanes import Lanes, Stored
from streams.stages.lease import Leased
from streams.stages.publish import Publisher
from streams.stages.reading import Outcome, Reading, Room
from streams.stages.report import report_error, resolve

log = logging.getLogger(__name__)

# Reads in flight per poller; a read waits for the network, so this is not a matter of cores.
_READERS = 32
# Of these, so many for shards whose last read failed.
_FAILING_READERS = 8
# The longest wait for an outcome, so that a stop is seen soon.
_GLANCE_SECONDS = 0.25
# Pages that may be in memory, read and not yet stored: about 3 MB each, raw and parsed.
_ROOM_PAGES = 16


class Poller:
    """Reads until the slice is over, the seat is lost, or `should_stop` says so."""

    def __init__(self, should_stop: Callable[[], bool], discover: Callable[[int], None]) -> None:
        self._owner = f"{os.uname().nodename}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._should_stop = should_stop
        self._discover = discover
        self._readings: dict[int, Reading] = {}
        self._sources: dict[int, tuple[Stream, PulledSource]] = {}
        self._outcomes: SimpleQueue[Outcome | Stored] = SimpleQueue()
        self._room = Room(_ROOM_PAGES)
        self._publisher = Publisher()
        self._lanes = Lanes(self._publisher, self._outcomes.put)
        self._upkeep_at = 0.0

    def run(self) -> bool:
        """Poll; False if every seat was taken, so there was nothing to do."""
        if lease.take_seat(self._owner) is None:
            return False
        give_back_pages()
        self._publisher.start()
        threads = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")
        try:
            self._loop(threads)
            self._give_back()
        finally:
            self._room.close(_READERS)
            threads.shutdown(wait=False, cancel_futures=True)
            self._lanes.stop()
            self._publisher.stop()
            for _, source in self._sources.values():
                source.close()
        return True

    def _loop(self, threads: ThreadPoolExecutor) -> None:
        while not self._should_stop():
            now = time.monotonic()
            if now >= self._upkeep_at:
                if not lease.keep_seat(self._owner):
                    return
                self._keep_leases()
                self._upkeep_at = now + lease.UPKEEP_SECONDS
            for reading in self._readings.values():
                if not reading.busy and reading.due_at <= now:
                    self._submit(threads, reading)
            self._take_outcomes(self._wait_seconds())

    def _submit(self, threads: ThreadPoolExecutor, reading: Reading) -> None:
        if reading.failures and sum(r.in_flight for r in self._failing()) >= _FAILING_READERS:
            return  # hanging shards must not take every thread
        reading.in_flight = True
        future = threads.submit(self._read, reading)
        future.add_done_callback(lambda done: self._note_crash(reading, done))

    def _failing(self) -> Iterator[Reading]:
        return (reading for reading in self._readings.values() if reading.failures)

    def _note_crash(self, reading: Reading, future: "Future[None]") -> None:
        """A mistake in our own code must not freeze a shard silently: it is an outcome, too."""
        if not future.cancelled() and (crash := future.exception()):
            log.error("The reader of shard %s crashed", reading.name, exc_info=crash)
            error = SourceError(f"Reading crashed: {crash!r}", "Report this.", kind="crash")
            self._outcomes.put(Outcome(reading, last=True, error=error))

    def _read(self, reading: Reading) -> None:
        """Run in a reader thread: pass on outcome after outcome, in order."""
        for outcome in reading.pages(self._room):
            self._outcomes.put(outcome)

    def _wait_seconds(self) -> float:
        due = [r.due_at for r in self._readings.values() if not r.busy]
        soonest = min([*due, self._upkeep_at, time.monotonic() + _GLANCE_SECONDS])
        return max(0.001, soonest - time.monotonic())

    def _take_outcomes(self, seconds: float) -> None:
        """Handle what was read and stored: wait for the first, then take all that is there."""
        try:
            come = self._outcomes.get(timeout=seconds)
            while True:
                if isinstance(come, Stored):
                    self._note_stored(come)
                else:
                    come.reading.in_flight = not come.last
                    come.reading.waiting.append(come)
                self._advance(come.reading)
                if not come.reading.busy:
                    self._rest(come.reading)
                come = self._outcomes.get_nowait()
        except Empty:
            return

    def _advance(self, reading: Reading) -> None:
        """Handle what waits, in order, until there is something to store."""
        while reading.waiting and not reading.storing:
            if not self._has(reading):
                reading.waiting.clear()
            elif error := reading.waiting[0].error:
                reading.waiting.popleft()
                self._handle_error(reading, error)
            else:
                self._store(reading, reading.take_together())

    def _store(self, reading: Reading, outcomes: Sequence[Outcome]) -> None:
        self._note_loss(reading, outcomes[0])
        if any(o.batch and o.batch.moves(reading.tail.position) for o in outcomes):
            reading.storing = True
            self._lanes.store(reading, outcomes)
        else:
            self._note_read(reading, outcomes[-1])

    def _note_stored(self, stored: Stored) -> None:
        reading = stored.reading
        reading.storing = False
        self._room.give(reading, sum(outcome.records > 0 for outcome in stored.outcomes))
        try:
            reading.tail = stored.tail()
        except LeaseLost as error:
            log.info("%s", error)
            if self._has(reading):
                self._drop(reading)
            return
        outcome = stored.outcomes[-1]
        if not self._has(reading):
            return
        self._note_read(reading, outcome)
        if outcome.batch and outcome.batch.ended:
            self._drop(reading)
            self._upkeep_at = 0.0  # its children may be read now
            if not has_children(reading.target.shard_id):
                self._discover(reading.target.stream.pk)

    def _note_loss(self, reading: Reading, outcome: Outcome) -> None:
        """Before anything after it is stored: what a read shows to be gone, or may be gone."""
        if reading.trimmed and outcome.batch:
            first = outcome.batch.first_sequence
            gap.end_trimmed(reading.target, reading.tail.position, first)
        elif reading.read_at is None and not reading.tail.position:
            gap.record_begun_late(reading.target)

    def _note_read(self, reading: Reading, outcome: Outcome) -> None:
        if reading.failures or reading.read_at is None:  # it may have failed in an earlier slice
            resolve(stream=reading.target.stream, about=reading.name)
        reading.went_well(outcome)

    def _has(self, reading: Reading) -> bool:
        """False if it was given up meanwhile; whoever has the lease reads it again."""
        return self._readings.get(reading.target.shard_id) is reading

    def _handle_error(self, reading: Reading, error: SourceError) -> None:
        stream = reading.target.stream
        log.warning("%s, shard %s: %s", stream, reading.name, error.sentence)
        if isinstance(error, PositionTrimmed) and not reading.trimmed:
            gap.record_trimmed(reading.target, reading.tail.position)
        if not isinstance(error, IteratorExpired) or reading.failures:
            report_error(error, stream=stream, about=reading.name)
        if isinstance(error, ShardGone):
            self._discover(stream.pk)
        reading.went_wrong(error)
        if isinstance(error, Throttled):
            readers.note_throttled(reading)

    def _keep_leases(self) -> None:
        """Renew what is held, give up what is too much, take what is free."""
        kept = lease.renew([reading.held() for reading in self._readings.values()])
        for reading in [r for id_, r in self._readings.items() if id_ not in kept]:
            self._drop(reading)
        share = lease.fair_share()
        self._give_up(max(0, len(self._readings) - share))
        for leased in lease.acquire(self._owner, share - len(self._readings)):
            self._begin(leased)

    def _begin(self, leased: Leased) -> None:
        try:
            stream, source = self._source_of(leased.stream_id)
        except SourceError as error:
            stream = Stream.objects.get(pk=leased.stream_id)
            report_error(error, stream=stream)
            return  # the lease runs out by itself, and the next poller tries again
        self._readings[leased.shard_id] = Reading.of(leased, stream, source)

    def _source_of(self, stream_id: int) -> tuple[Stream, PulledSource]:
        if stream_id not in self._sources:
            stream = Stream.objects.get(pk=stream_id)
            self._sources[stream_id] = stream, open_source(stream.source, stream.options)
        return self._sources[stream_id]

    def _give_up(self, number: int) -> None:
        """Give back that many shards, first those that are not being read; the others as soon
        as what was read of them is stored."""
        given = sorted(self._readings.values(), key=lambda r: (r.busy, -r.due_at))[:number]
        for reading in given:
            reading.given_up = True
        idle = [reading for reading in given if not reading.busy]
        lease.release([reading.held() for reading in idle])
        for reading in idle:
            self._drop(reading)

    def _rest(self, reading: Reading) -> None:
        """All that was read of it is stored. A shard that was to be given up is given back now."""
        self._room.give(reading, 0)
        if reading.given_up and self._has(reading):
            lease.release([reading.held()])
            self._drop(reading)

    def _drop(self, reading: Reading) -> None:
        reading.given_up = True
        del self._readings[reading.target.shard_id]

    def _give_back(self) -> None:
        """Take in what is on its way, then free every shard and the seat at once."""
        for reading in self._readings.values():
            reading.given_up = True
        until = time.monotonic() + 2
        while any(r.busy for r in self._readings.values()) and time.monotonic() < until:
            self._take_outcomes(_GLANCE_SECONDS)
        with transaction.atomic():
            lease.release([reading.held() for reading in self._readings.values()])
            lease.leave_seat(self._owner)
