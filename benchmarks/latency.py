"""How soon is a change stored once it can be read, and what does watching idle shards cost?

    .venv/bin/python benchmarks/latency.py [--json] [--shards N] [--writes N] [--seconds N]
                                           [--rounds N] [--paces S,S,…]

The simulated service, in a process of its own, has many open shards with a few random writes
each; one real poller, in another process, reads and stores them. Latency runs from the moment the
service has the record until the transaction that stored it has committed, both by this machine's
clock. Calls and violations of AWS's rates are counted by the service.

Prints the product's own pace first (the median of the rounds), then a table: the longest pause
between two reads of an idle shard against latency, the poller's CPU and the calls that are paid.
"""

import argparse
import contextlib
import json
import multiprocessing
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3
from database import ROOT, fresh_database

REGION = "eu-central-1"
TABLE = "orders"
# Until every shard has an iterator and the pace of an idle one.
WARM_UP_SECONDS = 6
# After the last write: what is stored later than this counts as missing.
GRACE_SECONDS = 5


class Service:
    """The simulated service in another process, and orders to it."""

    def __init__(self, shards: int) -> None:
        scenario = {"tables": [{"table": TABLE, "shards": shards}]}
        scenario["limits"] = {"rollover_seconds": 0}  # type: ignore[assignment]
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(scenario, file)
        command = [sys.executable, "-m", "streams.testing.simulated", "--scenario", file.name]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        Path(file.name).unlink()
        self._pool = urllib3.PoolManager()

    def do(self, order: str, **given: Any) -> Any:
        body = json.dumps({"do": order, **given}).encode()
        answer = self._pool.request("POST", f"{self.url}/_control", body=body)
        return answer.json()["result"]

    def readable_since(self) -> dict[int, float]:
        """When each record became readable, by its sequence."""
        shards = [s for stream in self.do("truth", table=TABLE).values() for s in stream.values()]
        return {int(record["sequence"]): record["at"] for shard in shards for record in shard}

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


@contextlib.contextmanager
def watched_table(shards: int) -> Iterator[Service]:
    from django.db import connection

    from streams.models import Stream
    from streams.stages.add import add_stream

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE streams_change, streams_batch CASCADE")
        cursor.execute("UPDATE streams_poller SET owner = '', expires_at = NULL")
    Stream.objects.all().delete()
    service = Service(shards)
    try:
        options = {"table": TABLE, "region": REGION, "endpoint_url": service.url}
        add_stream(TABLE, "dynamodb", options, "trim-horizon", "benchmark")
        connection.close()  # a forked process must not share it
        yield service
    finally:
        service.stop()


def run_poller(pace: float | None, seconds: float, measuring: Any, found: Any) -> None:
    """One poller in a process of its own; gives when each change was committed, and the CPU."""
    from streams import flow
    from streams.stages import reading
    from streams.stages.poll import Poller
    from streams.stages.store import ReadBatch, Tail, Target

    if pace is not None:
        reading.IDLE_SECONDS = pace
    stored: dict[int, float] = {}

    store = flow.store_and_publish

    def noting(target: Target, tail: Tail, batch: ReadBatch, publisher: Any) -> Tail:
        new = store(target, tail, batch, publisher)
        now = time.time()  # it has committed
        stored.update((int(change.sequence), now) for change in batch.changes)
        return new

    flow.store_and_publish = noting
    begun = time.monotonic()
    marks: list[tuple[float, float]] = []

    def should_stop() -> bool:
        now = time.monotonic() - begun
        if (not marks and now >= WARM_UP_SECONDS) or (len(marks) == 1 and measured(now)):
            marks.append((now, cpu_seconds()))
            measuring.set()
        return now >= WARM_UP_SECONDS + seconds + GRACE_SECONDS

    def measured(now: float) -> bool:
        return now >= WARM_UP_SECONDS + seconds

    Poller(should_stop, lambda _: None).run()
    (began, before), (ended, after) = marks
    found.put((stored, (after - before) / (ended - began)))


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def write(service: Service, per_second: float, seconds: float, dice: random.Random) -> None:
    """Writes at random moments, to random items: any shard may be next."""
    begun = time.monotonic()
    due = dice.expovariate(per_second)
    number = 0
    while due < seconds:
        time.sleep(max(0.0, begun + due - time.monotonic()))
        number += 1
        key = {"S": f"ORDER#{dice.randrange(1_000_000):08}"}
        service.do("write", table=TABLE, items=[{"pk": key, "version": {"N": str(number)}}])
        due += dice.expovariate(per_second)


def measure(options: argparse.Namespace, pace: float | None, seed: int) -> dict[str, float]:
    measuring = multiprocessing.Event()
    found: multiprocessing.Queue[tuple[dict[int, float], float]] = multiprocessing.Queue()
    with watched_table(options.shards) as service:
        arguments = (pace, options.seconds, measuring, found)
        poller = multiprocessing.Process(target=run_poller, args=arguments)
        poller.start()
        while not measuring.wait(1):
            assert poller.is_alive(), "the poller ended by itself: see its error above"
        calls, begun = service.do("calls"), time.monotonic()
        write(service, options.writes, options.seconds, random.Random(seed))
        seconds = time.monotonic() - begun
        made = {name: count - calls.get(name, 0) for name, count in service.do("calls").items()}
        stored, cores = found.get(timeout=60)
        poller.join()
        readable, violations = service.readable_since(), service.do("violations")
    missing = len(readable.keys() - stored.keys())
    assert not missing, f"{missing} of {len(readable)} records were not stored"
    waits = sorted(1000 * (stored[sequence] - at) for sequence, at in readable.items())
    return {
        "p50_ms": round(statistics.median(waits)),
        "p95_ms": round(statistics.quantiles(waits, n=20)[-1]),
        "max_ms": round(waits[-1]),
        "poller_cores": round(cores, 3),
        "calls_per_second": round(sum(made.values()) / seconds, 1),
        "calls_per_shard_and_second": round(made["GetRecords"] / seconds / options.shards, 2),
        "violations": len(violations),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line for machines")
    parser.add_argument("--shards", type=int, default=200)
    parser.add_argument("--writes", type=float, default=50, help="a second, over all shards")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is printed")
    parser.add_argument("--paces", default="0.25,0.5,1,2", help="pauses for the table, in seconds")
    options = parser.parse_args()
    with fresh_database():
        report(options)


def report(options: argparse.Namespace) -> None:
    from streams.stages import reading

    rounds = [measure(options, None, seed) for seed in range(options.rounds)]
    own = {name: statistics.median([each[name] for each in rounds]) for name in rounds[0]}
    own["violations"] = sum(each["violations"] for each in rounds)
    paces = [float(pace) for pace in options.paces.split(",") if pace]
    curve = [{"idle_pause_s": pace, **measure(options, pace, 99)} for pace in paces]
    if options.json:
        found = {"idle_pause_s": reading.IDLE_SECONDS, **own, "curve": curve}
        print(json.dumps({**found, "shards": options.shards, "writes_per_second": options.writes}))
        return
    names = ["idle_pause_s", *own]
    print("  ".join(f"{name:>12}" for name in names))
    for row in [{"idle_pause_s": reading.IDLE_SECONDS, **own}, *curve]:
        print("  ".join(f"{row[name]:>{max(12, len(name))}g}" for name in names))


if __name__ == "__main__":
    main()
