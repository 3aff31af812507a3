"""One leased shard being read: its place, its pace, and what one read of it gives.

The poller hands a reading to a reader thread and gets outcomes back, in order.
"""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Lock, Semaphore

from streams.errors import (
    IteratorExpired,
    PositionTrimmed,
    SourceError,
    Throttled,
)
from streams.models import Stream
from streams.sources.base import Origin, Page, PulledSource
from streams.stages.lease import Held, Leased
from streams.stages.parse import is_current, parse_page
from streams.stages.store import ReadBatch, Tail, Target

# AWS Lambda asks each shard four times a second, busy or not. Each call costs its user money, so an
# idle shard is asked twice: benchmarks/latency.py has the curve of latency against calls and CPU.
BUSY_SECONDS = 0.25
IDLE_SECONDS = 0.5
_SLOWER = 1.5
# Errors: from the first pause, doubling to the last.
_FIRST_PAUSE, _LAST_PAUSE = 0.5, 10.0
# DynamoDB's iterators live 15 minutes.
_ITERATOR_SECONDS = 14 * 60
_CLOCKS_APART = timedelta(minutes=15)
# Of so many last reads this share throttled, and so many at least, while we keep to our pace: then
# the shard has too many readers.
_LAST_READS, _CROWDED_SHARE, _CROWDED_READS = 20, 0.25, 3
# DynamoDB gives empty pages in the middle of a shard, too; so many in a row are taken for its tip.
_QUIET_READS = 3
# Threads that parse at the same time only fight for the interpreter's lock.
_parsing = Lock()
# Full pages in a row before another shard may have the reader thread.
_MOST_PAGES = 8
# Pages that were read in a row may be stored as one batch: fewer commits for a backlog.
_TOGETHER = 4


@dataclass
class Reading:
    """A leased shard. Times are of the monotonic clock.

    The poller's thread owns every field; a reader thread only runs `pages`, which reads ahead of
    what is stored and keeps its own place. So `iterator` never points beyond the position: it may
    be handed to another poller at any time.
    """

    target: Target
    source: PulledSource
    arn: str
    name: str
    tail: Tail
    iterator: str
    iterator_at: float
    due_at: float = 0.0
    pace: float = BUSY_SECONDS
    # The least pause between two reads; zero until the service has throttled us.
    floor: float = 0.0
    # A full page is to be expected: the last one was, or nobody has read here lately.
    full: bool = True
    # Reads in a row that found nothing.
    quiet: int = 0
    failures: int = 0
    read_at: float | None = None
    caught_up_at: float | None = None
    in_flight: bool = False
    # Outcomes that are not handled yet, in order; and whether some are being stored.
    waiting: deque["Outcome"] = field(default_factory=deque)
    storing: bool = False
    trimmed: bool = False
    given_up: bool = False
    # When it was read at our own pace, and whether that was throttled; the last ones.
    paced: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=_LAST_READS))
    # Places in the room: taken by the reader thread, given back by the poller's.
    taken: int = 0
    given: int = 0

    @classmethod
    def of(cls, leased: Leased, stream: Stream, source: PulledSource) -> "Reading":
        now = time.monotonic()
        fresh = leased.iterator_age is not None and leased.iterator_age < _ITERATOR_SECONDS
        return cls(
            target=Target(stream, leased.shard_id, leased.generation, leased.token),
            source=source,
            arn=leased.arn,
            name=leased.name,
            tail=Tail(leased.position, leased.number, leased.digest),
            iterator=leased.iterator if fresh else "",
            iterator_at=now - (leased.iterator_age or 0.0),
            full=not fresh,
        )

    @property
    def busy(self) -> bool:
        """True while it is read or what was read waits to be stored."""
        return self.in_flight or self.storing or bool(self.waiting)

    def pages(self, room: "Room") -> Iterator["Outcome"]:
        """Read page after page while pages come full; an error is an outcome too, the last one.

        The next page is read while this one is stored, which is what makes one busy shard fast.
        Runs in a reader thread.
        """
        iterator, position = self.iterator, self.tail.position
        full = self.full and not self.failures  # a hanging shard must not keep a place meanwhile
        if time.monotonic() - self.iterator_at > _ITERATOR_SECONDS:
            iterator = ""
        for number in range(_MOST_PAGES):
            # Where a full page is to be expected, not even its bytes may come before there is room.
            if full and not room.take(self):
                return
            asked_at = time.monotonic()
            try:
                iterator = iterator or self._new_iterator()
                page = self.source.read(iterator)
            except SourceError as error:
                yield Outcome(self, last=True, error=error)
                return
            if page.records and not full and not room.take(self):
                return
            final = number == _MOST_PAGES - 1
            with _parsing:
                outcome = self._outcome(page, position, asked_at, final=final)
            yield outcome
            if outcome.last:
                return
            iterator, position, full = page.iterator or "", outcome.position, page.full

    def take_together(self) -> list["Outcome"]:
        """The waiting pages, without an error among them, that go into one batch."""
        taken = [self.waiting.popleft()]
        while self.waiting and not self.waiting[0].error and len(taken) < _TOGETHER:
            taken.append(self.waiting.popleft())
        return taken

    def went_well(self, outcome: "Outcome") -> None:
        """Take over the place to read on from, and set the pace."""
        assert outcome.page  # noqa: S101 - only a successful outcome comes here
        self.failures = 0
        self.trimmed = False
        self.iterator, self.iterator_at = outcome.page.iterator or "", outcome.read_at
        self.read_at = outcome.read_at
        if self.floor:
            self.paced.append((outcome.read_at, False))
        self.quiet = 0 if outcome.records else self.quiet + 1
        if outcome.current and (outcome.records or self.quiet >= _QUIET_READS):
            self.caught_up_at = outcome.asked_at
        self.full = outcome.page.full
        if self.full:
            self.pace = self.floor
        elif outcome.records:
            self.pace = BUSY_SECONDS
        else:
            self.pace = min(IDLE_SECONDS, max(BUSY_SECONDS, self.pace) * _SLOWER)
        self.due_at = time.monotonic() + self.pace

    def went_wrong(self, error: SourceError) -> None:
        """Choose the place to try again from, and when."""
        self.failures += 1
        pause = min(_LAST_PAUSE, _FIRST_PAUSE * 2 ** min(self.failures - 1, 10))
        if isinstance(error, IteratorExpired) and self.failures == 1:
            pause = 0.0
        if isinstance(error, Throttled):
            if self.floor:
                self.paced.append((time.monotonic(), True))
            self.floor = BUSY_SECONDS  # this service counts calls: keep within its rate
        else:
            self.iterator = ""
        if isinstance(error, PositionTrimmed):
            self.trimmed = True
        self.due_at = time.monotonic() + pause

    @property
    def throttled_share(self) -> float:
        """Of the last reads at our own pace; before there are any, the one throttled read."""
        return sum(throttled for _, throttled in self.paced) / len(self.paced) if self.paced else 1

    @property
    def crowded(self) -> bool:
        """True if it is throttled again and again although we keep to our pace."""
        throttled = sum(throttled for _, throttled in self.paced)
        return throttled >= _CROWDED_READS and self.throttled_share >= _CROWDED_SHARE

    @property
    def reads_per_second(self) -> float:
        """How often it was asked lately, over the last reads at our own pace."""
        if len(self.paced) < 2:
            return 0.0
        return (len(self.paced) - 1) / max(0.001, self.paced[-1][0] - self.paced[0][0])

    def held(self) -> Held:
        now = time.monotonic()
        return Held(
            shard_id=self.target.shard_id,
            token=self.target.token,
            read_age=None if self.read_at is None else now - self.read_at,
            caught_up_age=None if self.caught_up_at is None else now - self.caught_up_at,
            iterator=self.iterator,
            iterator_age=now - self.iterator_at if self.iterator else None,
        )

    def _outcome(self, page: Page, position: str, asked_at: float, *, final: bool) -> "Outcome":
        read_at = time.monotonic()
        stream = self.target.stream
        batch = parse_page(self.source, stream.pk, page, position, _cutoff(stream), stream.indexed)
        return Outcome(
            self,
            last=final or not page.full or page.iterator is None or self.given_up or self.floor > 0,
            page=replace(page, records=()),  # they are in the batch, and need not be here too
            batch=batch,
            current=is_current(batch.changes, page, datetime.now(UTC)),
            asked_at=asked_at,
            read_at=read_at,
        )

    def _new_iterator(self) -> str:
        """From the position, or from the oldest record if there is none yet or it was trimmed.

        Without a position even a stream that starts "from now on" begins at the oldest record:
        what happened before its start is left out by time, so nothing after it can be missed.
        """
        start = self.tail.position if self.tail.position and not self.trimmed else Origin.OLDEST
        return self.source.iterator(self.arn, self.name, start)


def _cutoff(stream: Stream) -> datetime | None:
    """The moment before which changes are not stored.

    "From now on" was noted by this installation's clock, and the changes carry the source's. AWS
    refuses signatures of clocks that are more than 15 minutes wrong, so that much is allowed for:
    a few older changes too many are better than one too few.
    """
    if stream.start_at and stream.start == Stream.Start.LATEST:
        return stream.start_at - _CLOCKS_APART
    return stream.start_at


@dataclass(frozen=True)
class Outcome:
    """What a read gave: a page and its batch, or an error. `last` ends the row of pages that are
    read ahead."""

    reading: Reading
    last: bool
    page: Page | None = None
    batch: ReadBatch | None = None
    current: bool = False
    # When the page was asked for, and when it had come: what happened between may be missing.
    asked_at: float = 0.0
    read_at: float = 0.0
    error: SourceError | None = None

    @property
    def records(self) -> int:
        return self.batch.records if self.batch else 0

    @property
    def position(self) -> str:
        """The sequence this page ends at."""
        return self.batch.last_sequence if self.batch else ""


class Room:
    """How many pages may be in memory, from before they are read until they are stored."""

    def __init__(self, pages: int) -> None:
        self._places = Semaphore(pages)
        self._closed = False

    def take(self, reading: Reading) -> bool:
        """Wait for a place; False if the slice is over."""
        self._places.acquire()
        reading.taken += 1
        return not self._closed

    def give(self, reading: Reading, pages: int) -> None:
        """These pages are stored; a reading that is over has none left."""
        number = pages if reading.busy else reading.taken - reading.given
        reading.given += number
        if number:
            self._places.release(number)

    def close(self, waiting: int) -> None:
        """Let up to so many go that wait."""
        self._closed = True
        self._places.release(waiting)
