"""The leash alone, around small shell commands."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from conftest import wait_for
from dashboard.launch import leash
from dashboard.launch.home import Home
from dashboard.launch.processes import Lifeline

Start = Callable[..., "subprocess.Popen[bytes]"]

# Writes its number into a file, then waits; `trap` decides how it takes a request to stop.
WAITER = "echo $$ > {file}; {trap} while :; do sleep 0.05; done"


@pytest.fixture
def lifeline(tmp_path: Path) -> Lifeline:
    (tmp_path / "run").mkdir()
    return Lifeline(Home(tmp_path), "test")


@pytest.fixture
def start(tmp_path: Path, lifeline: Lifeline) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start(script: str, *options: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-S", "-E", leash.__file__, "--name", "test",
                   "--lifeline", str(lifeline.path), "--lock", str(tmp_path / "run" / "test.lock"),
                   *options, "--", "/bin/sh", "-c", script]  # fmt: skip
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        started.append(process)
        return process

    yield start
    lifeline.cut()
    for process in started:
        if process.poll() is None:
            process.terminate()  # the second request: it hurries
        process.communicate(timeout=10)


def number_in(path: Path) -> int:
    found: int = wait_for(lambda: int(path.read_text() or 0) if path.exists() else 0)
    return found


def is_running(number: int) -> bool:
    return psutil.pid_exists(number) and psutil.Process(number).status() != psutil.STATUS_ZOMBIE


def test_it_ends_its_command_when_the_launcher_is_gone(
    tmp_path: Path, start: Start, lifeline: Lifeline
) -> None:
    process = start(WAITER.format(file=tmp_path / "pid", trap=""))
    number = number_in(tmp_path / "pid")
    lifeline.cut()
    assert process.wait(timeout=5) == 0
    assert not is_running(number)


def test_it_ends_at_once_when_the_launcher_was_gone_before(
    start: Start, lifeline: Lifeline
) -> None:
    lifeline.cut()
    assert start("sleep 60").wait(timeout=5) == 0


def test_it_starts_a_crashed_command_again_and_says_so(tmp_path: Path, start: Start) -> None:
    process = start(WAITER.format(file=tmp_path / "pid", trap=""))
    first = number_in(tmp_path / "pid")
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: number_in(tmp_path / "pid") != first)
    process.terminate()
    said = process.communicate(timeout=5)[0].decode()
    assert said == "test was ended by SIGKILL; starting it again in 0.5 s\n"


def test_it_waits_longer_after_each_crash(start: Start) -> None:
    process = start("exit 3")
    assert process.stdout is not None
    said = [process.stdout.readline().decode().strip() for _ in range(3)]
    pauses = [line.rpartition("again in ")[2] for line in said]
    assert pauses == ["0.5 s", "1 s", "2 s"]


def test_it_gives_up_when_the_first_start_fails(start: Start) -> None:
    process = start("echo no such option; exit 3", "--must-live", "5")
    assert process.communicate(timeout=5)[0] == b"no such option\n"
    assert process.returncode == 3


def test_it_runs_a_step_only_once(start: Start) -> None:
    process = start("kill -9 $$", "--once")
    assert process.wait(timeout=5) == 128 + signal.SIGKILL


def test_it_asks_with_the_signal_it_was_told(tmp_path: Path, start: Start) -> None:
    trap = f"trap 'echo asked > {tmp_path / 'asked'}; exit 0' INT;"
    process = start(WAITER.format(file=tmp_path / "pid", trap=trap), "--stop", "INT")
    number_in(tmp_path / "pid")
    process.terminate()
    assert process.wait(timeout=5) == 0
    assert (tmp_path / "asked").exists()


@pytest.mark.parametrize("grace", ["0.2", "60"])
def test_it_kills_a_command_that_does_not_end(tmp_path: Path, start: Start, grace: str) -> None:
    """After its grace; or, when that is long, when it is asked twice."""
    script = WAITER.format(file=tmp_path / "pid", trap="trap '' TERM;")
    process = start(script, "--grace", grace)
    number = number_in(tmp_path / "pid")
    process.terminate()
    if grace == "60":
        wait_for(lambda: asked_once(process))
        process.terminate()
    assert process.wait(timeout=5) == 0
    assert not is_running(number)


def asked_once(process: "subprocess.Popen[bytes]") -> bool:
    """True once the first SIGTERM is no longer pending: two at once would count as one."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():  # macOS: the second one may have to be sent again
        return True
    pending = next(line for line in status.read_text().splitlines() if line.startswith("ShdPnd"))
    return int(pending.split()[1], 16) == 0


def test_it_ends_what_a_crashed_command_left_behind(tmp_path: Path, start: Start) -> None:
    start(f"sleep 300 & echo $! > {tmp_path / 'child'}; kill -9 $$", "--once").wait(timeout=5)
    child = number_in(tmp_path / "child")
    wait_for(lambda: not is_running(child))


def test_its_lock_is_held_until_the_last_descendant_is_gone(tmp_path: Path, start: Start) -> None:
    home = Home(tmp_path)
    process = start(WAITER.format(file=tmp_path / "pid", trap=""))
    number = number_in(tmp_path / "pid")
    process.kill()  # the leash itself, so that its command is left alone
    process.wait(timeout=5)
    assert [path.name for path in home._held_locks()] == ["test.lock"]
    os.killpg(number, signal.SIGKILL)
    wait_for(lambda: not list(home._held_locks()))


def test_a_launcher_ends_what_a_killed_leash_left_behind(
    tmp_path: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dashboard.launch.home.LEFTOVER_PATIENCE", 0.1)
    process = start(WAITER.format(file=tmp_path / "pid", trap="trap '' TERM;"))
    number = number_in(tmp_path / "pid")
    process.kill()
    process.wait(timeout=5)
    said: list[str] = []
    Home(tmp_path).clear_leftovers(said.append)
    assert not is_running(number)
    assert said == [
        "Waiting for an earlier start to end: test.",
        "test did not end by itself; it is ended now.",
    ]


def test_it_writes_the_commands_output_into_its_log(tmp_path: Path, start: Start) -> None:
    log = tmp_path / "test.log"
    start("echo hello", "--once", "--log", str(log)).wait(timeout=5)
    assert log.read_text() == "hello\n"
    assert log.stat().st_mode & 0o777 == 0o600


def test_it_sets_a_long_log_aside(tmp_path: Path, start: Start) -> None:
    log = tmp_path / "test.log"
    log.write_bytes(b"x" * (leash.LOG_LIMIT + 1))
    start("echo hello", "--once", "--log", str(log)).wait(timeout=5)
    assert log.read_text() == "hello\n"
    assert (tmp_path / "test.log.1").stat().st_size > leash.LOG_LIMIT
