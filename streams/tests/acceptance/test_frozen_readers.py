"""Six ways to freeze a reader. Each must be seen within a minute, be named in words an operator
understands, and mend itself, with everything stored, when its cause is gone."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

import psycopg
import pytest
import urllib3

from conftest import REGION
from dashboard.launch.home import Home
from dashboard.launch.valkey import EmbeddedValkey
from streams.testing.stack import ROOT, Stack

pytestmark = pytest.mark.acceptance

TABLE = "orders"
# What is promised: by then the state is no green one, and says why.
SEEN_SECONDS = 60
MENDED_SECONDS = 90


class Service:
    """The simulated stream service in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "streams.testing.simulated"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        self.do("create-table", table=TABLE, shards=4)

    def do(self, order: str, **given: Any) -> Any:
        body = json.dumps({"do": order, **given}).encode()
        answer = urllib3.request("POST", f"{self.url}/_control", body=body)
        return answer.json()["result"]

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


class Broker:
    """A Valkey of the test's own, because the launcher would start its own one again."""

    def __init__(self, folder: Path) -> None:
        home = Home(folder)
        home.open()
        self._valkey = EmbeddedValkey(home)
        self._valkey.prepare()
        self.url = self._valkey.url()
        self.start()

    def start(self) -> None:
        command = self._valkey.process().command
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


class Frozen:
    """A whole Deltawatch that reads the service's table, and what its status says."""

    def __init__(self, stack: Stack, service: Service, broker: Broker) -> None:
        self.stack, self.service, self.broker = stack, service, broker
        self._written = 0

    def add_stream(self) -> None:
        self.stack.manage(
            *("add_stream", TABLE, "--table", TABLE, "--region", REGION),
            *("--endpoint-url", self.service.url, "--start", "trim-horizon"),
        )

    def write(self) -> None:
        """Twenty changes to as many items, in all shards."""
        self.service.do("fill", table=TABLE, count=20, keys=20, first=self._written)
        self._written += 20

    def database(self) -> psycopg.Connection[Any]:
        services = json.loads((self.stack.home / "services.json").read_text())
        return psycopg.connect(services["database_url"], autocommit=True)

    def status(self) -> dict[str, Any]:
        """The stream's status, with the installation's own as `system`."""
        told = json.loads(self.stack.manage("status", "--json").stdout)
        return {**told["streams"][0], "system": told["system"]}

    def is_well(self) -> bool:
        found = self.status()
        return bool(
            found["level"] == found["system"]["level"] == "ok" and found["changes"] == self._written
        )

    def wait_until_well(self) -> None:
        self.stack.wait_for(self.is_well, seconds=MENDED_SECONDS, what="a healthy state")

    def wait_until(self, said: str, of: Callable[[dict[str, Any]], str]) -> dict[str, Any]:
        """The first status whose sentence has these words; fails after a minute."""
        last: dict[str, Any] = {}

        def says_so() -> bool:
            last.update(self.status())
            return said in of(last)

        try:
            self.stack.wait_for(says_so, seconds=SEEN_SECONDS, what=repr(said))
        except AssertionError as error:
            raise AssertionError(f"{error}\nthe last status: {last}") from error
        return last


@pytest.fixture(scope="module")
def frozen(
    make_stack: Callable[..., Stack], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Frozen]:
    broker = Broker(tmp_path_factory.mktemp("broker") / "home")
    service = Service()
    try:
        stack = make_stack(DELTAWATCH_LOG_LEVEL="WARNING", REDIS_URL=broker.url)
        stack.start()
        made = Frozen(stack, service, broker)
        made.add_stream()
        yield made
    finally:
        service.stop()
        broker.stop()


@contextmanager
def noted(frozen: Frozen, way: str) -> Iterator[Callable[[], None]]:
    """Well before, and well again after; the figures go to the test's output."""
    frozen.write()
    frozen.wait_until_well()
    begun = time.monotonic()
    seen: list[float] = []
    yield lambda: seen.append(time.monotonic() - begun)
    mended = time.monotonic()
    frozen.wait_until_well()
    back = time.monotonic() - mended
    sys.stdout.write(f"{way}: seen after {seen[0]:.1f} s, well {back:.1f} s after its end\n")


def sentence(status: dict[str, Any]) -> str:
    return str(status["sentence"])


def system_sentence(status: dict[str, Any]) -> str:
    return str(status["system"]["sentence"])


def test_a_stopped_worker(frozen: Frozen) -> None:
    with noted(frozen, "stopped worker") as seen:
        stopped = frozen.stack.processes("worker")
        for process in stopped:
            process.send_signal(SIGSTOP)
        try:
            frozen.write()
            found = frozen.wait_until("No worker is reading", sentence)
            assert found["state"] == "stalled"
            seen()
        finally:
            for process in stopped:
                process.send_signal(SIGCONT)


def test_a_socket_that_hangs(frozen: Frozen) -> None:
    with noted(frozen, "hung socket") as seen:
        frozen.service.do("fault", kind="slow", seconds=100_000)
        try:
            frozen.write()
            found = frozen.wait_until("does not answer (time-out)", sentence)
            assert found["level"] == "bad"
            assert frozen.service.url in found["sentence"]
            seen()
        finally:
            frozen.service.do("mend")


def test_a_dead_broker(frozen: Frozen) -> None:
    with noted(frozen, "dead broker") as seen:
        frozen.broker.stop()
        try:
            frozen.write()
            found = frozen.wait_until("Valkey or Redis does not answer", system_sentence)
            assert found["system"]["level"] == "bad"
            seen()
            # Storing does not need it, and green is true of what is read and stored.
            before = found["changes"]
            frozen.write()
            frozen.stack.wait_for(lambda: frozen.status()["changes"] >= before + 20, seconds=20)
            assert frozen.status()["level"] == "ok"
        finally:
            frozen.broker.start()


def test_leases_that_are_taken_away(frozen: Frozen) -> None:
    over = threading.Event()

    def take_them_all() -> None:
        with frozen.database() as database:
            while not over.wait(0.02):
                database.execute(
                    """UPDATE streams_shard SET lease_owner = 'thief',
                           lease_token = lease_token + 1,
                           lease_expires_at = clock_timestamp() + interval '2 s'
                       WHERE lease_owner <> 'thief'"""
                )

    with noted(frozen, "leases taken") as seen:
        thief = threading.Thread(target=take_them_all)
        thief.start()
        try:
            frozen.write()
            found = frozen.wait_until("is taken again and again by 'thief'", sentence)
            assert found["state"] == "stalled"
            seen()
        finally:
            over.set()
            thief.join()


def test_a_listing_that_always_fails(frozen: Frozen) -> None:
    with noted(frozen, "failing discovery") as seen:
        frozen.service.do("fault", kind="internal", operations=["DescribeStream"])
        try:
            first = frozen.service.do("shards", table=TABLE)
            (shards,) = first.values()
            frozen.service.do("roll-over", table=TABLE, shard=shards[-1]["id"])
            frozen.write()
            found = frozen.wait_until("cannot be listed, so new ones are not read", sentence)
            assert found["level"] == "bad"
            assert "DescribeStream" in found["sentence"]
            seen()
        finally:
            frozen.service.do("mend")


def test_a_postgres_that_refuses_writes(frozen: Frozen) -> None:
    with noted(frozen, "Postgres read-only") as seen, frozen.database() as database:
        try:
            make_read_only(database, True)
            frozen.write()
            found = frozen.wait_until("Postgres refuses writes", sentence)
            assert found["state"] == "stalled"
            assert "read-only transaction" in found["sentence"]
            seen()
        finally:
            make_read_only(database, False)
    assert "chain is whole" in frozen.stack.manage("verify").stdout


def make_read_only(database: psycopg.Connection[Any], on: bool) -> None:
    """For every session from now on; those there are end."""
    database.execute("SET default_transaction_read_only = off")
    name = database.info.dbname
    database.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {on}")
    database.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
