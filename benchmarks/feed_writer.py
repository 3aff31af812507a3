"""The writer of benchmarks/feed.py: stores changes through the store stage and publishes them."""

import multiprocessing
import time
from multiprocessing.connection import Connection

from made_feed import BLOCK, STREAMS, change

_SPAWN = multiprocessing.get_context("spawn")


class Writer:
    """Stores changes at an even rate, from a number on, in a process of its own."""

    def __init__(self, shards: dict[str, int], first: int, rate: int) -> None:
        self.first = first
        self._pipe, theirs = _SPAWN.Pipe()
        arguments = (shards, first, rate, theirs)
        self._process = _SPAWN.Process(target=run_writer, args=arguments, daemon=True)
        self._process.start()

    def stop(self) -> tuple[int, dict[int, float], tuple[int, int]]:
        """The number after the last, when each block was committed, and the feed's head."""
        self._pipe.send("stop")
        last, committed, head = self._pipe.recv()
        self._process.join()
        return last, committed, head


def run_writer(shards: dict[str, int], first: int, rate: int, pipe: Connection) -> None:
    import django

    django.setup()
    from streams.flow import store_and_publish
    from streams.models import Shard
    from streams.queries import feed
    from streams.stages.publish import Publisher
    from streams.stages.store import ReadBatch, Tail, Target

    rows = {name: Shard.objects.select_related("stream").get(pk=pk) for name, pk in shards.items()}
    targets = {
        name: Target(r.stream, r.pk, r.generation, r.lease_token) for name, r in rows.items()
    }
    tails = {name: Tail(r.position, r.number, bytes(r.digest)) for name, r in rows.items()}
    publisher = Publisher()
    publisher.start()
    committed: dict[int, float] = {}
    block, begun = first // BLOCK, time.monotonic()
    while not pipe.poll(max(0.0, begun + len(committed) * BLOCK / rate - time.monotonic())):
        name, now = STREAMS[block % len(STREAMS)], time.time_ns() // 1_000
        numbers = range(block * BLOCK, (block + 1) * BLOCK)
        changes = [change(targets[name].stream.pk, n, now) for n in numbers]
        ends = changes[0].sequence, changes[-1].sequence
        batch = ReadBatch(changes, [], *ends, before_start=0, repeated=0, ended=False)
        tails[name] = store_and_publish(targets[name], tails[name], batch, publisher)
        committed[block] = time.time()
        block += 1
    publisher.stop()
    pipe.send((block * BLOCK, committed, tuple(feed.head())))
