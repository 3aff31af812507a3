"""Poll: hold leases on many shards, of all streams, and read each at its own pace.

One poller is one Celery task in one process. It reads with several requests in flight, stores in
its own thread, and ends after a bounded slice; what it held goes on in the next one.
"""

import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Semaphore

from django.db import transaction

from streams import flow
from streams.errors import IteratorExpired, LeaseLost, PositionTrimmed, ShardGone, SourceError
from streams.models import Stream
from streams.sources.base import PulledSource
from streams.sources.registry import open_source
from streams.stages import gap, lease
from streams.stages.discover import has_children
from streams.stages.lease import Leased
from streams.stages.publish import Publisher
from streams.stages.reading import Outcome, Reading
from streams.stages.report import report_error, resolve

log = logging.getLogger(__name__)

# Reads in flight per poller; a read waits for the network, so this is not a matter of cores.
_READERS = 32
# Of these, so many for shards whose last read failed.
_FAILING_READERS = 8
# The longest wait for an outcome, so that a stop is seen soon.
_GLANCE_SECONDS = 0.25
# Pages that may be in memory, read and not yet stored: about 3 MB each, raw and parsed.
_ROOM_PAGES = _READERS + 8


class Poller:
    """Reads until the slice is over, the seat is lost, or `should_stop` says so."""

    def __init__(self, should_stop: Callable[[], bool], discover: Callable[[int], None]) -> None:
        self._owner = f"{os.uname().nodename}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._should_stop = should_stop
        self._discover = discover
        self._readings: dict[int, Reading] = {}
        self._sources: dict[int, tuple[Stream, PulledSource]] = {}
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._room = Semaphore(_ROOM_PAGES)
        self._over = False
        self._publisher = Publisher()
        self._upkeep_at = 0.0

    def run(self) -> bool:
        """Poll; False if every seat was taken, so there was nothing to do."""
        if lease.take_seat(self._owner) is None:
            return False
        self._publisher.start()
        readers = ThreadPoolExecutor(_READERS, thread_name_prefix="reader")
        try:
            self._loop(readers)
            self._give_back()
        finally:
            self._over = True
            self._room.release(_READERS)  # wake those who wait for room
            readers.shutdown(wait=False, cancel_futures=True)
            self._publisher.stop()
            for _, source in self._sources.values():
                source.close()
        return True

    def _loop(self, readers: ThreadPoolExecutor) -> None:
        while not self._should_stop():
            now = time.monotonic()
            if now >= self._upkeep_at:
                if not lease.keep_seat(self._owner):
                    return
                self._keep_leases()
                self._upkeep_at = now + lease.UPKEEP_SECONDS
            for reading in self._readings.values():
                if not reading.in_flight and reading.due_at <= now:
                    self._submit(readers, reading)
            self._take_outcomes(self._wait_seconds())

    def _submit(self, readers: ThreadPoolExecutor, reading: Reading) -> None:
        if reading.failures and sum(r.in_flight for r in self._failing()) >= _FAILING_READERS:
            return  # hanging shards must not take every thread
        reading.in_flight = True
        future = readers.submit(self._read, reading)
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
        pages = reading.pages()
        last = False
        while not last:
            self._room.acquire()
            if self._over:
                return
            outcome = next(pages)
            last = outcome.last
            self._outcomes.put(outcome)

    def _wait_seconds(self) -> float:
        due = [r.due_at for r in self._readings.values() if not r.in_flight]
        soonest = min([*due, self._upkeep_at, time.monotonic() + _GLANCE_SECONDS])
        return max(0.001, soonest - time.monotonic())

    def _take_outcomes(self, seconds: float) -> None:
        """Handle what has been read: wait for the first, then take all that is there."""
        try:
            outcome = self._outcomes.get(timeout=seconds)
            while True:
                self._room.release()
                self._handle(outcome)
                outcome = self._outcomes.get_nowait()
        except Empty:
            return

    def _handle(self, outcome: Outcome) -> None:
        reading = outcome.reading
        reading.in_flight = not outcome.last
        if self._readings.get(reading.target.shard_id) is not reading:
            return  # given up meanwhile; whoever has the lease reads it again
        if outcome.error:
            self._handle_error(reading, outcome.error)
            return
        try:
            stored = flow.store_and_publish(outcome, self._publisher)
        except LeaseLost as error:
            log.info("%s", error)
            self._drop(reading)
            return
        if reading.failures or reading.read_at is None:  # it may have failed in an earlier slice
            resolve(stream=reading.target.stream, about=reading.name)
        reading.went_well(outcome)
        if stored and outcome.batch and outcome.batch.ended:
            self._drop(reading)
            self._upkeep_at = 0.0  # its children may be read now
            if not has_children(reading.target.shard_id):
                self._discover(reading.target.stream.pk)

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

    def _keep_leases(self) -> None:
        """Renew what is held, give up what is too much, take what is free."""
        kept = lease.renew([reading.held() for reading in self._readings.values()])
        for reading in [r for id_, r in self._readings.items() if id_ not in kept]:
            self._drop(reading)
        share = lease.fair_share()
        self._give_up(len(self._readings) - share)
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
        """Give back that many shards, those that are not being read and due the latest."""
        idle = sorted(
            (r for r in self._readings.values() if not r.in_flight), key=lambda r: -r.due_at
        )
        given = idle[: max(0, number)]
        lease.release([reading.held() for reading in given])
        for reading in given:
            self._drop(reading)

    def _drop(self, reading: Reading) -> None:
        reading.given_up = True
        del self._readings[reading.target.shard_id]

    def _give_back(self) -> None:
        """Take in what is on its way, then free every shard and the seat at once."""
        for reading in self._readings.values():
            reading.given_up = True
        until = time.monotonic() + 2
        while any(r.in_flight for r in self._readings.values()) and time.monotonic() < until:
            self._take_outcomes(_GLANCE_SECONDS)
        with transaction.atomic():
            lease.release([reading.held() for reading in self._readings.values()])
            lease.leave_seat(self._owner)
