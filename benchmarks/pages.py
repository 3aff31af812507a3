"""How long does a page take on ten million stored changes?

    .venv/bin/python benchmarks/pages.py [--json] [--rows N] [--queries N]

Fills a stream as benchmarks/search.py does (13 GB of disk with 10,000,000 rows), starts one web
process, and asks it for each page as a logged-in browser does, over HTTP, one request at a time,
with another item, change or search each time. Prints p50 and p95 in milliseconds and the bytes of
each page, beside a baseline of the same run: the log-in page, which asks the database nothing.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from database import ROOT, fresh_database
from search import ROW_BYTES, SPARE_BYTES
from stored_orders import BATCH, Orders, fill

IMAGE_BYTES = 350
BASELINE = "log-in"

Question = Callable[[], str]


def paths(orders: Orders) -> dict[str, Question]:
    """Each page's name, and a function that gives an address of it."""
    from streams import item_key

    dice = random.Random(11)

    def item() -> str:
        key = {"order_id": {"S": orders.key(dice.randrange(orders.orders))}}
        return f"/items/orders/{item_key.token(item_key.canonical(key))}"

    def change() -> str:
        batch = dice.randrange(orders.number // BATCH) + 1
        return f"/changes/{batch}-{dice.randrange(BATCH)}"

    def moment() -> str:
        return quote(orders.time_of(dice.random()).isoformat())

    def customer() -> str:
        return quote(f'new.customer_id:"{orders.customer(dice.randrange(orders.customers))}"')

    return {
        "overview": lambda: "/",
        "stream": lambda: "/streams/orders",
        "live": lambda: "/live",
        "live with a filter": lambda: f"/live?q={customer()}",
        "change": change,
        "item": item,
        "item as of": lambda: f"{item()}?asof={moment()}",
        "item blame": lambda: f"{item()}/blame",
        "item field": lambda: f"{item()}?field=status",
        "search": lambda: f"/search?q={customer()}",
        "search by changed field": lambda: "/search?q=changed:address",
        "suggestions": lambda: f"/suggest?q={quote('new.st')}&at=6",
        "problems": lambda: "/problems",
        "system": lambda: "/system",
    }


@contextmanager
def web_process() -> Iterator[int]:
    """A uvicorn on the benchmark's database; its port."""
    from dashboard.launch.home import unused_port

    port = unused_port()
    environment = {**os.environ, "PORT": str(port)}
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0", "-i", "ext"]
    subprocess.run(collect, cwd=ROOT, env=environment, check=True)
    command = [sys.executable, "-m", "uvicorn", "dashboard.asgi:application", "--lifespan", "off"]
    command += ["--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        until = time.monotonic() + 60
        while not _answers(port):
            assert time.monotonic() < until and server.poll() is None, "no web process"
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    try:
        get(port, "/log-in", "")
    except OSError:
        return False
    return True


def all_well() -> None:
    """As on a running installation: without signs of life each page would first find out why."""
    from streams.models import Heartbeat, Poller

    later = datetime.now(UTC) + timedelta(hours=6)
    Poller.objects.create(number=1, owner="benchmark", expires_at=later)
    Heartbeat.objects.create(name="beat", seen_at=later)


def session() -> str:
    """The cookie of somebody who is logged in."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.create_superuser("benchmark"))
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


def get(port: int, path: str, cookie: str) -> tuple[int, int]:
    """Status and bytes of one page."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    size = len(answer.read())
    connection.close()
    return answer.status, size


def ask(port: int, question: Question, cookie: str, queries: int) -> dict[str, float]:
    milliseconds, largest = [], 0
    get(port, question(), cookie)  # templates are compiled by the first
    for _ in range(queries):
        path = question()
        begun = time.perf_counter()
        status, size = get(port, path, cookie)
        milliseconds.append((time.perf_counter() - begun) * 1_000)
        assert status == 200, f"{path}: {status}"
        largest = max(largest, size)
    cuts = statistics.quantiles(milliseconds, n=20)
    return {"p50_ms": cuts[9], "p95_ms": cuts[18], "bytes": largest}


def measure(rows: int, queries: int) -> dict[str, dict[str, float]]:
    from streams.testing.factories import make_shard, make_stream

    stream = make_stream("orders", key_schema=[["order_id", "S"]])
    orders = Orders(stream, rows, IMAGE_BYTES)
    fill(orders, make_shard(stream, newest_change_at=datetime.now(UTC)))
    all_well()
    cookie = session()
    with web_process() as port:
        figures = {BASELINE: ask(port, lambda: "/log-in", "", queries)}
        for name, question in paths(orders).items():
            figures[name] = ask(port, question, cookie, queries)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line for machines")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--queries", type=int, default=100, help="of each page")
    options = parser.parse_args()
    needed = options.rows * (2 * IMAGE_BYTES + ROW_BYTES) + SPARE_BYTES
    if shutil.disk_usage(ROOT).free < needed:
        parser.error(f"this needs {needed / 1e9:.0f} GB of disk: use fewer --rows")
    with fresh_database():
        figures = measure(options.rows, options.queries)
    if options.json:
        said: dict[str, Any] = {"rows": options.rows, "pages": figures}
        print(json.dumps(said))
        return
    print(f"{'page':<26} {'p50 ms':>8} {'p95 ms':>8} {'x log-in':>9} {'bytes':>9}")
    for name, figure in figures.items():
        ratio = figure["p50_ms"] / figures[BASELINE]["p50_ms"]
        row = f"{figure['p50_ms']:>8.1f} {figure['p95_ms']:>8.1f} {ratio:>9.1f}"
        print(f"{name:<26} {row} {figure['bytes']:>9,.0f}")


if __name__ == "__main__":
    main()
