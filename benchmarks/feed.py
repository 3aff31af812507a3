"""What do 200 viewers of the live feed cost, and is each told of everything exactly once?

    .venv/bin/python benchmarks/feed.py [--json] [--seconds N] [--warm-up N] [--viewers N]
                                        [--rate N]

One web process (uvicorn, as `manage.py up` starts it). Another process stores changes through the
store stage and publishes them, at an even rate, 50 in a batch. A third holds the viewers: real
WebSockets, each with another filter, each acknowledging every batch at once; one never reads.
Every tenth filter lets nearly everything through, so those viewers get samples; the others let up
to a tenth through.

All in one run: first one viewer (with such a wide filter), then all, then a plain asyncio server
that sends the same frames at the same moments to as many clients. Latency runs from the commit of
a change until its row is read from the socket. Missing and repeated are compared with the truth by
each filter: listed, sampled and counted changes together are everything, once each.
"""

import argparse
import json
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import feed_broadcast
import msgspec
import psutil
from database import ROOT, fresh_database
from feed_viewers import Login, Seen, run_viewers, truths
from feed_writer import Writer
from made_feed import BLOCK, STREAMS

_SPAWN = multiprocessing.get_context("spawn")
# Of one user.
_SOCKETS = 10
# Of the run with one viewer; what it costs is known soon.
_ONE_SECONDS = 15


class Viewers:
    """The viewers' process."""

    def __init__(self, count: int, login: Login) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        arguments = (count, login, theirs)
        self._process = _SPAWN.Process(target=run_viewers, args=arguments, daemon=True)
        self._process.start()
        assert self._pipe.poll(120) and self._pipe.recv() == "ready", "the viewers are not there"

    def finish(self, head: tuple[int, int]) -> Seen:
        """What they saw, once all have come to the feed's head."""
        self._pipe.send(head)
        seen: Seen = self._pipe.recv()
        self._process.join()
        return seen


class Web:
    """The web process, as the launcher starts it."""

    def __init__(self) -> None:
        from dashboard.launch.home import unused_port

        self.port = unused_port()
        command = [sys.executable, "-W", "ignore", "-m", "uvicorn", "dashboard.asgi:application"]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--lifespan", "off"]
        command += ["--ws", "websockets", "--ws-max-size", "65536", "--no-access-log"]
        command += ["--log-level", "warning"]
        self._process = subprocess.Popen(command, cwd=ROOT)
        self._seen = psutil.Process(self._process.pid)
        while not self._answers():
            time.sleep(0.1)

    def login(self, users: int) -> Login:
        from django.conf import settings
        from django.contrib.auth.models import User
        from django.test import Client

        cookies = []
        for number in range(users):
            client = Client()
            client.force_login(User.objects.get_or_create(username=f"viewer{number}")[0])
            name = settings.SESSION_COOKIE_NAME
            cookies.append(f"{name}={client.cookies[name].value}")
        origin = f"http://127.0.0.1:{self.port}"
        return Login(f"ws://127.0.0.1:{self.port}/ws/feed", origin, cookies)

    def cpu(self) -> float:
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """In MB."""
        return float(self._seen.memory_info().rss) / 1e6

    def _answers(self) -> bool:
        assert self._process.poll() is None, "the web process ended by itself"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5)
        except urllib.error.HTTPError:
            return True  # 503: there are no workers here
        except OSError:
            return False
        return True

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


class Run(msgspec.Struct):
    """One measurement with so many viewers."""

    cores: float
    memory_start: float
    memory_end: float
    latencies: list[float]
    missing: int
    repeated: int
    unasked: int
    listed: int
    sampled: int
    lag_max: float
    lag_p95: float
    frames: list[list[tuple[float, str]]]


def measure(web: Web, shards: dict[str, int], first: int, options: Any, viewers: int) -> Any:
    """The run, and the number to go on with."""
    seconds = options.seconds if viewers > 1 else min(options.seconds, _ONE_SECONDS)
    people = Viewers(viewers, web.login(-(-viewers // _SOCKETS)))
    writer = Writer(shards, first, options.rate)
    time.sleep(options.warm_up if viewers > 1 else 5)
    cpu, memory, begun = web.cpu(), web.memory(), time.time()
    time.sleep(seconds)
    cores, ended = (web.cpu() - cpu) / (time.time() - begun), time.time()
    memory_end = web.memory()
    last, committed, head = writer.stop()
    seen = people.finish(head)
    waits = [
        at - committed[number // BLOCK]
        for number, at in seen.came
        if begun <= committed[number // BLOCK] <= ended
    ]
    pairs = list(zip(seen.told, truths(viewers, first, last), strict=True))
    assert all(told.reads or not told.rows for told in seen.told)
    frames = [[f for f in some if begun <= f[0] <= ended] for some in seen.frames]
    lags = sorted(seen.lags)
    run = Run(
        cores=cores,
        memory_start=memory,
        memory_end=memory_end,
        latencies=sorted(waits),
        missing=sum(told.missing(truth) for told, truth in pairs),
        repeated=sum(told.repeated(truth) for told, truth in pairs),
        unasked=sum(told.unasked for told in seen.told),
        listed=sum(len(told.rows) for told in seen.told),
        sampled=sum(told.sampled for told in seen.told),
        lag_max=lags[-1],
        lag_p95=lags[int(len(lags) * 0.95)],
        frames=[some for some in frames if some],
    )
    return run, last


def broadcast(frames: list[list[tuple[float, str]]], seconds: float) -> float:
    """The cores that a plain server takes for the same frames."""
    from dashboard.launch.home import unused_port

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frames"
        path.write_bytes(msgspec.msgpack.encode(frames))
        ours, theirs = _SPAWN.Pipe()
        port = unused_port()
        arguments = (port, str(path), theirs)
        server = _SPAWN.Process(target=feed_broadcast.run_server, args=arguments, daemon=True)
        server.start()
        ours.recv()
        of_clients = (port, len(frames))
        clients = _SPAWN.Process(target=feed_broadcast.run_clients, args=of_clients, daemon=True)
        clients.start()
        cpu: float = ours.recv()
        clients.join()
        server.join()
    return cpu / seconds


@contextmanager
def watched_streams() -> Iterator[dict[str, int]]:
    """Four streams with a shard each; the shards' ids by the streams' names."""
    from django.db import connection

    from streams.testing.factories import make_shard, make_stream

    shards = {name: make_shard(make_stream(name), name, lease_token=1).pk for name in STREAMS}
    connection.close()
    yield shards


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line for machines")
    parser.add_argument("--seconds", type=int, default=60, help="of the run with all viewers")
    parser.add_argument("--warm-up", type=int, default=30, help="until the hub's ring is full")
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--rate", type=int, default=1_000, help="changes stored a second")
    options = parser.parse_args()
    with fresh_database(), watched_streams() as shards:
        web = Web()
        try:
            one, first = measure(web, shards, 0, options, 1)
            many, _ = measure(web, shards, first, options, options.viewers)
        finally:
            web.stop()
        bare = broadcast(many.frames, options.seconds)
    report(options, one, many, bare)


def p95(latencies: list[float]) -> float:
    return statistics.quantiles(latencies, n=20)[-1]


def report(options: Any, one: Run, many: Run, bare: float) -> None:
    found = {
        "p50_seconds": round(statistics.median(many.latencies), 3),
        "p95_seconds": round(p95(many.latencies), 3),
        "max_seconds": round(many.latencies[-1], 3),
        "cost_200_to_1": round(many.cores / one.cores, 2),
        "cores": round(many.cores, 3),
        "cores_one_viewer": round(one.cores, 3),
        "cores_bare_broadcast": round(bare, 3),
        "missing": many.missing + one.missing,
        "repeated": many.repeated + one.repeated,
        "unasked": many.unasked,
        "listed": many.listed,
        "sampled": many.sampled,
        "memory_start_mb": round(many.memory_start, 1),
        "memory_end_mb": round(many.memory_end, 1),
        "hub_lag_p95_seconds": many.lag_p95,
        "hub_lag_max_seconds": many.lag_max,
        "frames_per_second": round(sum(map(len, many.frames)) / options.seconds),
        "viewers": options.viewers,
        "changes_per_second": options.rate,
    }
    if options.json:
        print(json.dumps(found))
        return
    width = max(map(len, found))
    for name, value in found.items():
        print(f"{name:<{width}}  {value:>12,}")
    print(f"{'p95_seconds_one_viewer':<{width}}  {p95(one.latencies):>12.3f}")


if __name__ == "__main__":
    main()
