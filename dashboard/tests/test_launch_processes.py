"""honcho under our leashes, with a launcher that does nothing else."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from conftest import wait_for
from dashboard.env import BASE_DIR

Start = Callable[..., "subprocess.Popen[str]"]

LAUNCHER = """
import shlex, sys
from pathlib import Path
from dashboard.launch.home import Home
from dashboard.launch.processes import Applications, Lifeline, Output, Process, on_leash

home = Home(Path(sys.argv[1]))
home.open()
lifeline, output = Lifeline(home, "applications"), Output(sys.stdout)
applications = Applications(lifeline, output, started=lambda: print("started", flush=True))
for number, script in enumerate(sys.argv[2:]):
    process = Process(f"app{number}", ["/bin/sh", "-c", script])
    applications.add_process(process.name, "exec " + shlex.join(on_leash(process, home, lifeline)))
applications.loop()
print("died:", output.died, "interrupted:", output.interrupted)
print(output.last_lines("app0"))
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def start(*scripts: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", LAUNCHER, str(tmp_path / "state"), *scripts]
        with (tmp_path / "output").open("w") as output:
            started.append(subprocess.Popen(command, cwd=BASE_DIR, stdout=output, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def said(tmp_path: Path) -> str:
    return (tmp_path / "output").read_text()


def test_one_process_that_dies_ends_the_others_and_is_named(start: Start, tmp_path: Path) -> None:
    launcher = start("sleep 0.3; echo cannot go on; exit 3", "sleep 60")
    launcher.wait(timeout=20)
    assert "died: app0 interrupted: False\n    cannot go on\n" in said(tmp_path)


def test_a_person_who_stops_it_is_no_death(start: Start, tmp_path: Path) -> None:
    launcher = start("while :; do sleep 0.05; done", "while :; do sleep 0.05; done")
    wait_for(lambda: "started" in said(tmp_path))
    launcher.send_signal(signal.SIGINT)
    launcher.wait(timeout=20)
    assert "died: None interrupted: True" in said(tmp_path)


def test_asked_twice_it_does_not_wait_for_who_refuses(start: Start, tmp_path: Path) -> None:
    launcher = start(f"trap '' TERM; echo > {tmp_path / 'up'}; while :; do sleep 0.05; done")
    wait_for((tmp_path / "up").exists)
    launcher.send_signal(signal.SIGINT)
    # Not two at once, which would be one.
    wait_for(lambda: not list((tmp_path / "state" / "run").glob("*.lifeline")))
    launcher.send_signal(signal.SIGINT)
    launcher.wait(timeout=5)  # the first one's grace is 10 s


def test_kill_9_leaves_no_process_behind_however_much_they_print(
    start: Start, tmp_path: Path
) -> None:
    # More than a pipe holds, printed when the launcher is gone already.
    printing = "trap 'yes | head -c 500000; exit 0' TERM; while :; do sleep 0.05; done"
    launcher = start(printing, printing)
    wait_for(lambda: "started" in said(tmp_path))
    locks = tmp_path / "state" / "run"
    wait_for(lambda: len([p for p in locks.glob("app*.lock") if p.stat().st_size]) == 2)
    family = psutil.Process(launcher.pid).children(recursive=True)
    assert len(family) >= 6  # a reader, a leash and a command for each
    os.kill(launcher.pid, signal.SIGKILL)
    wait_for(lambda: not [process for process in family if process.is_running()])
