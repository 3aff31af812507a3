"""What clients do wrong: calls beyond the published rates, too many readers on a shard, a child
read before its parent. Too many calls are refused as AWS does it; all of it is written down.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from streams.testing.simulated.pages import Iterator
from streams.testing.simulated.refusals import Refused, limit_exceeded
from streams.testing.simulated.streams import Stream

# A reader that has not read for this long has gone.
_READER_SECONDS = 3.0
MOST_READERS = 2


@dataclass(frozen=True)
class Rates:
    """Calls a second: for a stream, for the account, for a shard.

    AWS publishes the first two for DynamoDB Streams. The third it publishes for Kinesis, whose
    machinery answers here too; a client that keeps to it is throttled by neither.
    """

    describe_stream: int = 10
    list_streams: int = 5
    get_records: int = 5


@dataclass
class Violation:
    """What a client did wrong, `count` times; `about` names the stream or shard."""

    kind: str
    about: str
    detail: str
    count: int = 1


@dataclass
class _Reader:
    first: float
    last: float


class Watch:
    """Times are real seconds: the rates are about the real load, whatever the clock shows."""

    def __init__(
        self,
        rates: Rates | None = None,
        *,
        enforce: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rates = rates or Rates()
        self.enforce = enforce
        self._monotonic = monotonic
        # All calls so far, by operation.
        self.calls: Counter[str] = Counter()
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._readers: dict[str, dict[int, _Reader]] = defaultdict(dict)
        self._ended: set[str] = set()
        self._violations: dict[tuple[str, str], Violation] = {}

    def violations(self) -> list[Violation]:
        return list(self._violations.values())

    def forget(self) -> None:
        """Begin anew, as for another client."""
        self.calls.clear()
        self._calls.clear()
        self._readers.clear()
        self._ended.clear()
        self._violations.clear()

    def called(self, operation: str, arn: str = "", shard: str = "") -> None:
        """Count a call; Refused if there were too many in the last second."""
        self.calls[operation] += 1
        if operation == "DescribeStream":
            self._count(operation, arn, self.rates.describe_stream)
        elif operation == "ListStreams":
            self._count(operation, "account", self.rates.list_streams)
        elif operation == "GetRecords":
            self._count(operation, shard, self.rates.get_records)

    def reading(self, iterator: Iterator, stream: Stream) -> None:
        """A page is about to be read; Refused if a third reader wants it."""
        self._check_parent(iterator, stream)
        now = self._monotonic()
        readers = self._readers[iterator.shard]
        for chain in [c for c, r in readers.items() if now - r.last > _READER_SECONDS]:
            del readers[chain]
        mine = readers.setdefault(iterator.chain, _Reader(now, now))
        mine.last = now
        # One that was not used since this one began was replaced by it, as an expired iterator is.
        beside = [r for r in readers.values() if r.last >= mine.first]
        if len(beside) > MOST_READERS:
            detail = f"{len(beside)} iterators are read from side by side"
            self._note("too-many-readers", iterator.shard, detail)
            # Who came first goes on; were all refused, nobody would ever read.
            if self.enforce and sum(r.first < mine.first for r in beside) >= MOST_READERS:
                raise _throttle()

    def ended(self, shard: str) -> None:
        """The end of a shard was delivered to a reader."""
        self._ended.add(shard)

    def _check_parent(self, iterator: Iterator, stream: Stream) -> None:
        shard = stream.tree.listed.get(iterator.shard)
        # Who begins with the newest records does not want the parent's.
        if shard is None or shard.parent is None or iterator.origin == "LATEST":
            return
        if shard.parent in stream.tree.listed and shard.parent not in self._ended:
            detail = f"its parent {shard.parent} was not read to its end"
            self._note("child-before-parent", shard.id, detail)

    def _count(self, operation: str, about: str, most: int) -> None:
        now = self._monotonic()
        calls = self._calls[f"{operation} {about}"]
        while calls and now - calls[0] >= 1.0:
            calls.popleft()
        calls.append(now)
        if len(calls) > most:
            detail = f"{len(calls)} calls of {operation} in a second, {most} are allowed"
            self._note("too-many-calls", f"{operation} {about}", detail)
            if self.enforce:
                calls.pop()  # what was refused was no load
                raise _throttle()

    def _note(self, kind: str, about: str, detail: str) -> None:
        known = self._violations.setdefault((kind, about), Violation(kind, about, detail, 0))
        known.count += 1
        known.detail = detail


def _throttle() -> Refused:
    return limit_exceeded("Rate exceeded: too many operations for a given subscriber.")
