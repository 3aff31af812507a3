"""One leased shard being read: its place, its pace, and what one read of it gives.

The poller hands a reading to a reader thread and gets outcomes back, in order.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

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

# AWS Lambda asks each shard four times a second.
BUSY_SECONDS = 0.25
IDLE_SECONDS = 1.0
_SLOWER = 1.5
# Errors: from the first pause, doubling to the last.
_FIRST_PAUSE, _LAST_PAUSE = 0.5, 10.0
# DynamoDB's iterators live 15 minutes.
_ITERATOR_SECONDS = 14 * 60
_CLOCKS_APART = timedelta(minutes=15)
# Full pages in a row before another shard may have the reader thread.
_MOST_PAGES = 8


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
    failures: int = 0
    read_at: float | None = None
    caught_up_at: float | None = None
    in_flight: bool = False
    trimmed: bool = False
    given_up: bool = False

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
        )

    def pages(self) -> Iterator["Outcome"]:
        """Read page after page while pages come full; an error is an outcome too, the last one.

        The next page is read while the poller stores this one, which is what makes one busy shard
        fast. Runs in a reader thread.
        """
        iterator, position = self.iterator, self.tail.position
        if time.monotonic() - self.iterator_at > _ITERATOR_SECONDS:
            iterator = ""
        for number in range(_MOST_PAGES):
            try:
                iterator = iterator or self._new_iterator()
                page = self.source.read(iterator)
            except SourceError as error:
                yield Outcome(self, last=True, error=error)
                return
            outcome = self._outcome(page, position, final=number == _MOST_PAGES - 1)
            yield outcome
            if outcome.last or page.iterator is None:
                return
            iterator, position = page.iterator, outcome.position

    def went_well(self, outcome: "Outcome") -> None:
        """Take over the place to read on from, and set the pace."""
        assert outcome.page  # noqa: S101 - only a successful outcome comes here
        self.failures = 0
        self.trimmed = False
        self.iterator, self.iterator_at = outcome.page.iterator or "", outcome.read_at
        self.read_at = outcome.read_at
        if outcome.current:
            self.caught_up_at = outcome.read_at
        if outcome.page.full:
            self.pace = self.floor
        elif outcome.page.records:
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
            self.floor = BUSY_SECONDS  # this service counts calls: keep within its rate
        else:
            self.iterator = ""
        if isinstance(error, PositionTrimmed):
            self.trimmed = True
        self.due_at = time.monotonic() + pause

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

    def _outcome(self, page: Page, position: str, *, final: bool) -> "Outcome":
        read_at = time.monotonic()
        stream = self.target.stream
        batch = parse_page(self.source, stream.pk, page, position, _cutoff(stream))
        return Outcome(
            self,
            last=final or not page.full or page.iterator is None or self.given_up or self.floor > 0,
            page=page,
            batch=batch,
            current=is_current(batch.changes, page, datetime.now(UTC)),
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
    read_at: float = 0.0
    error: SourceError | None = None

    @property
    def position(self) -> str:
        """The sequence this page ends at."""
        return self.batch.last_sequence if self.batch else ""
