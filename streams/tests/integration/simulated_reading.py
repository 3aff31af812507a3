"""The engine on the simulated service: one real poller in this thread, the real discovery as beat
would start it, and what must come of it."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from streams.errors import SourceError
from streams.models import Stream
from streams.queries.rows import StoredChange
from streams.sources.registry import open_source
from streams.stages import discover as discovery
from streams.stages.add import add_stream
from streams.stages.poll import Poller
from streams.testing.simulated.poison import UNREADABLE
from streams.testing.simulated.server import serving
from streams.testing.simulated.service import Service
from streams.testing.simulated.shards import Record
from streams.testing.simulated.watch import Rates, Watch
from streams.testing.simulated.world import World
from streams.tests.integration.storing import stored_in

TABLE = "orders"
# How often the shards are listed here; beat does it every 15 seconds, and when a shard ended.
_LISTING_SECONDS = 0.5


class Engine:
    """Reads one stream of the service's table from its oldest record."""

    def __init__(self, service: Service, url: str) -> None:
        self.service, self.world = service, service.world
        options = {"table": TABLE, "region": self.world.region, "endpoint_url": url}
        self.stream = add_stream(TABLE, "dynamodb", options, "trim-horizon", "test")
        self._listed_at = time.monotonic()

    def run_until(self, done: Callable[[], Any], *, seconds: float = 20) -> None:
        """Poll until it is done; fails if that takes too long."""
        ends = time.monotonic() + seconds
        over = False

        def should_stop() -> bool:
            nonlocal over
            if time.monotonic() - self._listed_at > _LISTING_SECONDS:
                self.list_shards()
            over = bool(done())
            return over or time.monotonic() > ends

        assert Poller(should_stop, lambda _: self.list_shards()).run(), "all seats are taken"
        assert over, f"not done after {seconds:g} s: {self.state()}"

    def read_all(self, *, seconds: float = 20) -> None:
        """Poll until every readable record that was written is stored."""
        self.run_until(lambda: len(self.stored()) >= len(self.readable()), seconds=seconds)

    def list_shards(self) -> None:
        self._listed_at = time.monotonic()
        stream = Stream.objects.get(pk=self.stream.pk)
        source = open_source(stream.source, stream.options)
        try:
            discovery.discover(stream, source)
        except SourceError:
            pass  # it is a problem of the stream by now, and the next listing comes
        finally:
            source.close()

    def stored(self) -> list[StoredChange]:
        return stored_in(self.stream)

    def written(self) -> list[Record]:
        """Every record there ever was, in the order it was written."""
        truth = self.world.truth(TABLE).values()
        found = [r for shards in truth for records in shards.values() for r in records]
        return sorted(found, key=lambda record: record.sequence)

    def readable(self) -> list[Record]:
        return [record for record in self.written() if record.poison not in UNREADABLE]

    def assert_stored_equals_written(self) -> None:
        """Everything once, and each item's changes in the order they were written."""
        assert_same_in_order(self.stored(), self.readable())

    def state(self) -> str:
        shards = self.stream.shards.order_by("id").values_list(
            "name", "listed", "closed", "ended", "position", "changes"
        )
        problems = self.stream.problems.values_list("kind", "sentence", "count")
        return (
            f"{len(self.stored())} of {len(self.readable())} stored\nshards {list(shards)}\n"
            f"problems {list(problems)}\nstruck {self.service.faults.struck()}"
        )


def assert_same_in_order(stored: list[StoredChange], written: list[Record]) -> None:
    expected = sorted(record.sequence for record in written)
    assert sorted(int(row.sequence) for row in stored) == expected
    by_item: dict[Any, list[int]] = defaultdict(list)
    for row in stored:
        by_item[row.item].append(int(row.sequence))
    assert all(found == sorted(found) for found in by_item.values())


@contextmanager
def engine_on(world: World, rates: Rates | None = None) -> Iterator[Engine]:
    """An engine that reads the table `orders` of this world, over HTTP."""
    service = Service(world, watch=Watch(rates))
    with serving(service) as url:
        yield Engine(service, url)


def write(world: World, count: int, *, keys: int = 10, version: str = "") -> None:
    """So many writes, over so many items in turn."""
    for number in range(count):
        text = {"S": f"{version} {number}"}
        world.put(TABLE, {"pk": {"S": f"key-{number % keys}"}, "text": text})
