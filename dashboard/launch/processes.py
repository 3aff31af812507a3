"""What runs on this machine, and how: each process on a leash, the applications under honcho."""

import os
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import honcho.process
from honcho.manager import SYSTEM_PRINTER_NAME, Manager
from honcho.printer import Message, Printer

from dashboard.launch import leash
from dashboard.launch.home import Home
from dashboard.launch.system_user import SystemUser

TAIL = 15  # lines of each process, shown again if it is the one that dies


@dataclass(frozen=True)
class Process:
    name: str
    command: list[str]
    stop: str = "TERM"
    hurry: str = "KILL"
    grace: float = 10
    # A first start that ends by itself sooner than this is a mistake to report, not a crash.
    must_live: float = 5
    once: bool = False
    log: Path | None = None
    user: SystemUser | None = None


class Lifeline:
    """The write end of a FIFO; every leash that reads it stops its command when it closes."""

    def __init__(self, home: Home, name: str) -> None:
        # A name of its own for each launcher: a later one must not keep an earlier one's alive.
        self.path = home.run / f"{name}.{os.getpid()}.lifeline"
        for stale in home.run.glob(f"{name}.*.lifeline"):
            stale.unlink()
        os.mkfifo(self.path, 0o600)
        # Read and write, because opening a FIFO for writing alone waits for a reader.
        self._end: int | None = os.open(self.path, os.O_RDWR)
        # honcho forks its readers, and a copy in a fork would outlive a killed launcher.
        os.register_at_fork(after_in_child=self._close)

    def cut(self) -> None:
        self._close()
        self.path.unlink(missing_ok=True)

    def _close(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            os.close(end)


def on_leash(process: Process, home: Home, lifeline: Lifeline) -> list[str]:
    """The command line that runs the process under `leash.py`."""
    words = [
        *(sys.executable, "-S", "-E", leash.__file__),
        *("--name", process.name, "--lifeline", str(lifeline.path)),
        *("--lock", str(home.run / f"{process.name}.lock")),
        *("--stop", process.stop, "--hurry", process.hurry, "--grace", f"{process.grace:g}"),
        *("--must-live", f"{process.must_live:g}"),
    ]
    if process.once:
        words += ["--once"]
    if process.log:
        words += ["--log", str(process.log)]
    if process.user:
        words += ["--uid", str(process.user.uid), "--gid", str(process.user.gid)]
    return [*words, "--", *process.command]


class Applications(Manager):  # type: ignore[misc]
    """honcho's manager, stopping by the lifeline: a leash ends its command whatever happens to us.

    honcho's own way would send SIGKILL to the leashes after five seconds, in the middle of
    Celery's warm shutdown, and would fail on a Ctrl-C while it is still starting.
    """

    def __init__(self, lifeline: Lifeline, printer: "Output", started: Callable[[], None]) -> None:
        super().__init__(printer)
        self._process_ctor = Reader
        self._lifeline = lifeline
        self._started = started
        self.asked = 0

    def _start(self) -> None:
        super()._start()
        self._started()  # only now: a thread must not exist while honcho forks

    def terminate(self) -> None:
        """Ask every application to end; asked again, hurry."""
        self.asked += 1
        if self.asked == 1:
            self._lifeline.cut()
        elif self._all_started():
            self._killall()

    def kill(self) -> None:
        """Nothing: each leash has a deadline of its own and keeps it."""


class Reader(honcho.process.Process):  # type: ignore[misc]
    """One application's reader, a process that honcho forks; it sends each line to the manager.

    When the manager is killed, nobody empties the pipe between them; and as long as the readers
    themselves hold its other end, a full pipe would stop them for ever.
    """

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        events._reader.close()
        events._ignore_epipe = True  # the lines of a killed launcher are for nobody
        super().run(events, ignore_signals)


class Output(Printer):  # type: ignore[misc]
    """honcho's prefixed lines, without its remarks on each start and stop.

    `died` is the first process that ended before anybody asked; `interrupted` that somebody did.
    """

    def __init__(self, output: TextIO) -> None:
        super().__init__(output)
        self.died: str | None = None
        self.interrupted = False
        self._tails: dict[str, deque[str]] = {}

    def write(self, message: Message) -> None:
        if message.name != SYSTEM_PRINTER_NAME:
            tail = self._tails.setdefault(message.name, deque(maxlen=TAIL))
            tail.append(message.data.decode(errors="replace").rstrip())
            super().write(message)
        elif "received" in message.data:
            self.interrupted = self.interrupted or self.died is None
        elif " stopped (rc=" in message.data and not self.interrupted and self.died is None:
            self.died = message.data.split()[0]

    def last_lines(self, name: str) -> str:
        return "\n".join(f"    {line}" for line in self._tails.get(name, ()))
