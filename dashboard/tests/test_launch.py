"""`manage.py up` for real: whole processes on a state folder and a port of their own."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from conftest import wait_for
from dashboard.env import BASE_DIR
from dashboard.launch.herald import unready_checks
from dashboard.launch.home import Home, unused_port

pytestmark = pytest.mark.acceptance

MANAGE = [sys.executable, str(BASE_DIR / "manage.py")]
SERVICES = ("DATABASE_URL", "REDIS_URL")  # of the test run: the launcher must start its own


class Running:
    """A launcher in a process of its own; its output goes to a file beside the state folder."""

    def __init__(self, path: Path, *options: str, port: int | None = None) -> None:
        self.home = Home(path)
        self.port = port or unused_port()
        self.environment = {name: v for name, v in os.environ.items() if name not in SERVICES}
        self.environment |= {"DELTAWATCH_HOME": str(path), "PORT": str(self.port)}
        self.environment["DELTAWATCH_WORKER_PROCESSES"] = "2"
        self._output = path.with_suffix(".output")
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [*MANAGE, "up", *options], env=self.environment, stdout=output, stderr=output
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def ready(self) -> "Running":
        wait_for(self._ready_or_dead, seconds=180, what="Deltawatch to be ready")
        return self

    def _ready_or_dead(self) -> bool:
        assert self.process.poll() is None, self.output
        return "Deltawatch is ready" in self.output

    def stop(self, number: int = signal.SIGINT) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def command(self, *words: str) -> str:
        """A management command typed in another shell: it knows the state folder, no more."""
        done = subprocess.run(
            [*MANAGE, *words], env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for this state folder, by its words, environment or place."""
        return [each for each in psutil.process_iter() if self._is_ours(each)]

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            traces = [*process.cmdline(), process.environ().get("DELTAWATCH_HOME", "")]
            traces.append(process.cwd())
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False
        return any(str(self.home.path) in trace for trace in traces)

    def number_of(self, name: str) -> int:
        """The command's own number: its leash wrote both of theirs into the lock."""
        return int((self.home.run / f"{name}.lock").read_text().split()[1])


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Running]]:
    started: list[Running] = []
    # Not pytest's folder, which every other run of pytest closes to PostgreSQL's user again.
    folder = Path(tempfile.mkdtemp(prefix="deltawatch-"))

    def start(*options: str, path: Path | None = None, port: int | None = None) -> Running:
        path = path or folder / f"state-{len(started)}"
        started.append(Running(path, *options, port=port))
        return started[-1]

    yield start
    for running in started:
        running.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def demo(start: Callable[..., Running]) -> Running:
    return start("--demo").ready()


def streams(running: Running) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(running.command("status", "--json"))["streams"]
    return found


def stored_changes(running: Running) -> int:
    return sum(stream["changes"] for stream in streams(running))


def test_it_says_where_it_is_and_how_to_log_in(demo: Running) -> None:
    name, password = (demo.home.path / "admin.txt").read_text().split()
    assert f"http://127.0.0.1:{demo.port}/" in demo.output
    assert f"Log in as {name} with the password {password}" in demo.output


def test_a_stranger_is_sent_to_the_log_in(demo: Running) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", demo.port, timeout=10)) as page:
        page.request("GET", "/")
        answer = page.getresponse()
        assert answer.status == http.HTTPStatus.FOUND
        assert (answer.getheader("Location") or "").startswith("/log-in")


def test_the_demo_stores_changes_of_all_four_tables(demo: Running) -> None:
    tables = {"orders", "customers", "sessions", "stock"}
    wait_for(
        lambda: {each["name"] for each in streams(demo) if each["changes"]} == tables, seconds=30
    )


def test_everything_listens_on_this_machine_only(demo: Running) -> None:
    addresses = {
        connection.laddr.ip
        for process in demo.processes()
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def test_no_password_is_on_a_command_line_or_in_a_log(demo: Running) -> None:
    services = json.loads((demo.home.path / "services.json").read_text())
    secrets = [
        (demo.home.path / "postgres" / "password").read_text().strip(),
        (demo.home.path / "valkey" / "password").read_text().strip(),
    ]
    assert secrets[0] in services["database_url"]
    lines = [" ".join(process.cmdline()) for process in demo.processes()]
    logs = [path.read_text(errors="replace") for path in demo.home.log.iterdir()]
    everything = "\n".join([*lines, *logs, demo.output])
    assert not [secret for secret in secrets if secret in everything]


def test_secrets_are_readable_by_their_owner_alone(demo: Running) -> None:
    home = demo.home.path
    for name in ("admin.txt", "services.json", "secret_key", "postgres/password"):
        assert (home / name).stat().st_mode & 0o077 == 0, name
    assert (home / "valkey").stat().st_mode & 0o077 == 0


def test_a_second_launcher_on_the_same_folder_is_turned_away(
    demo: Running, start: Callable[..., Running], tmp_path: Path
) -> None:
    # By another path to the same folder, so that its output does not mix with the first one's.
    (tmp_path / "state").symlink_to(demo.home.path)
    second = start("--demo", path=tmp_path / "state")
    assert second.process.wait(timeout=30) == 1
    assert f"already runs on {demo.home.path} (process {demo.process.pid})" in second.output
    assert "Traceback" not in second.output


def test_a_port_in_use_is_one_sentence(demo: Running, start: Callable[..., Running]) -> None:
    second = start(port=demo.port)
    assert second.process.wait(timeout=30) == 1
    assert second.output.strip() == (
        f"Port {demo.port} is in use by another program. Choose another: PORT=8001 make up"
    )


@pytest.mark.parametrize("name", ["postgres", "valkey", "dynamodb", "web", "worker", "beat"])
def test_it_survives_the_crash_of(demo: Running, name: str) -> None:
    victim = demo.number_of(name)
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: demo.number_of(name) != victim, what=f"{name} to be started again")
    wait_for(lambda: not unready_checks(demo.port), seconds=180, what="/healthz to say ready")
    assert f"{name} was ended by SIGKILL; starting it again in" in demo.output
    assert demo.process.poll() is None


def test_two_copies_run_side_by_side(demo: Running, start: Callable[..., Running]) -> None:
    """The second one without the demo, so this is also the start for real work."""
    second = start().ready()
    assert stored_changes(second) == 0
    assert stored_changes(demo) > 0
    assert second.stop(signal.SIGTERM) == 0
    assert second.processes() == []
    # Beat, killed in the test before, counts as running until its last sign of life is old.
    wait_for(lambda: not unready_checks(demo.port), seconds=180, what="/healthz to say ready")


def test_it_starts_again_after_ctrl_c_and_right_after_kill_9(
    start: Callable[..., Running],
) -> None:
    first = start("--demo").ready()
    before = wait_for(lambda: stored_changes(first), seconds=30)
    password = (first.home.path / "admin.txt").read_text()

    assert first.stop(signal.SIGINT) == 0
    assert first.processes() == []
    assert "Traceback" not in first.output
    assert _state_of(first.home) == "shut down"  # PostgreSQL's own word for a clean end

    second = start("--demo", path=first.home.path, port=first.port).ready()
    assert stored_changes(second) >= before
    second.process.kill()
    second.process.wait()

    third = start("--demo", path=first.home.path, port=first.port).ready()
    assert (first.home.path / "admin.txt").read_text() == password
    before = stored_changes(third)
    wait_for(lambda: stored_changes(third) > before, seconds=30, what="new changes to be stored")
    # And none stays "lost": the demo's own tables and streams went on as well.
    wait_for(lambda: {each["state"] for each in streams(third)} == {"healthy"}, seconds=180)
    assert third.stop() == 0
    assert third.processes() == []


def test_ctrl_c_while_it_is_still_starting_ends_it_too(start: Callable[..., Running]) -> None:
    running = start()
    wait_for(lambda: "Preparing" in running.output, seconds=30)
    assert running.stop(signal.SIGINT) == 0
    assert running.processes() == []


def test_it_says_what_is_wrong_when_the_database_does_not_answer(tmp_path: Path) -> None:
    environment = {**os.environ, "DELTAWATCH_HOME": str(tmp_path), "PORT": str(unused_port())}
    environment["DATABASE_URL"] = f"postgres://u:hidden@127.0.0.1:{unused_port()}/none"
    done = subprocess.run(
        [*MANAGE, "up"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "The database does not answer" in done.stderr
    assert "hidden" not in done.stdout + done.stderr


def _state_of(home: Home) -> str:
    from dashboard.launch.postgres import EmbeddedPostgres

    postgres = EmbeddedPostgres(home, print)
    postgres.prepare()
    report = postgres._run("pg_controldata", str(postgres.data)).stdout
    line = next(line for line in report.splitlines() if line.startswith("Database cluster state"))
    return line.partition(":")[2].strip()
