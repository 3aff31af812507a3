"""The engine's processes in a scenario: pollers and a lister of shards, each a fork of one process
that has loaded everything, so that starting one costs milliseconds and `kill -9` is the real one.

They run the real tasks, with a broker in memory that nobody reads. Only their pauses are shorter.
"""

import importlib
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any
from unittest.mock import patch

import django

django.setup()  # in the forking process, which imports this module before anything else

from django.conf import settings  # noqa: E402
from django.db import DatabaseError, close_old_connections, connection, connections  # noqa: E402

from streams import tasks  # noqa: E402
from streams.models import Stream  # noqa: E402
from streams.testing.scenarios import clocks  # noqa: E402
from streams.testing.scenarios.bugs import BUGS  # noqa: E402

# Pauses are so much shorter; the service's watch counts its seconds so much faster.
HURRY = 20.0
# Whose wrong names fail loudly, when a pause is renamed.
_PAUSES = {
    "streams.tasks": ("SLICE_SECONDS",),
    "streams.stages.lease": ("UPKEEP_SECONDS",),
    "streams.stages.poll": ("_GLANCE_SECONDS",),
    "streams.stages.publish": ("_PAUSE_SECONDS",),
    "streams.stages.reading": ("BUSY_SECONDS", "IDLE_SECONDS", "_FIRST_PAUSE", "_LAST_PAUSE"),
    "streams.sources.dynamodb.shards": ("_BETWEEN_PAGES", "_PAUSES"),
}
# Beat runs the tick every three seconds.
_TICK_SECONDS = 0.05
_context = get_context("forkserver")
_context.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Duty:
    """`dies` is where the process kills itself: a function (or "sql"), which call, and whether
    "before" or "after" it. `bug` plants one of bugs.py."""

    database: str
    seats: int
    log: str
    ahead: "Synchronized[float]"
    dies: tuple[str, int, str] | None = None
    bug: str = ""


class Crew:
    """The processes of one scenario."""

    def __init__(self, seats: int, log: Path, ahead: "Synchronized[float]", bug: str = "") -> None:
        name = str(connection.settings_dict["NAME"])
        self._duty = Duty(name, seats, str(log), ahead, bug=bug)
        self._log = log
        self._lister: ForkServerProcess | None = None
        self._pollers: list[ForkServerProcess] = []
        self._ended: list[ForkServerProcess] = []

    def start_lister(self) -> None:
        if self._lister is None:
            self._lister = _started(_list, self._duty)

    def kill_lister(self) -> None:
        if self._lister:
            _kill(self._lister)
            self._ended.append(self._lister)
            self._lister = None

    def start_poller(self, dies: list[Any] | None = None) -> None:
        point = (str(dies[0]), int(dies[1]), str(dies[2])) if dies else None
        duty = Duty(**{**self._duty.__dict__, "dies": point})
        self._pollers.append(_started(_poll, duty))

    def pollers(self) -> int:
        """How many are alive."""
        gone = [each for each in self._pollers if not each.is_alive()]
        self._ended += gone
        self._pollers = [each for each in self._pollers if each not in gone]
        return len(self._pollers)

    def stop_poller(self, which: int) -> None:
        """Ask one to end, and let it give back what it holds."""
        if self.pollers():
            process = self._pollers[which % len(self._pollers)]
            process.terminate()
            process.join(20)

    def kill_poller(self, which: int) -> None:
        if self.pollers():
            _kill(self._pollers[which % len(self._pollers)])

    def end(self) -> None:
        """Kill all that is left."""
        self.kill_lister()
        for process in self._pollers:
            _kill(process)

    def crashes(self) -> list[str]:
        """The processes that ended by a mistake of their own, with the end of the log."""
        self.pollers()
        # One that was asked to end before it had begun knows no better than to die of it.
        asked = (0, -signal.SIGKILL, -signal.SIGTERM)
        codes = [each.exitcode for each in self._ended if each.exitcode not in asked]
        return [f"a process ended with {codes}: {self.log()}"] if codes else []

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-3000:] if self._log.exists() else ""


def seconds_ahead() -> "Synchronized[float]":
    """By how much the clocks of all processes are ahead, shared by them."""
    return _context.Value("d", 0.0)


def _started(work: Callable[[Duty], None], duty: Duty) -> ForkServerProcess:
    process = _context.Process(target=work, args=(duty,), daemon=True)
    process.start()
    return process


def _kill(process: ForkServerProcess) -> None:
    process.kill()
    process.join(20)


def _poll(duty: Duty) -> None:
    stopping = _begin(duty)
    while not stopping.is_set():
        tasks.poll()
        time.sleep(0.01)  # all seats were taken, or the database was away


def _list(duty: Duty) -> None:
    """Beat, and the worker that lists what is due; pollers are started by the scenario."""
    stopping = _begin(duty)
    while not stopping.is_set():
        tasks.tick()
        try:
            due = Stream.objects.filter(paused_at__isnull=True)
            for stream_id in list(due.values_list("pk", flat=True)):
                tasks.discover(stream_id)
        except DatabaseError:
            close_old_connections()  # a cut connection; the next round has a new one
        time.sleep(_TICK_SECONDS)


def _begin(duty: Duty) -> threading.Event:
    """Make this fork a process of the scenario; gives the event of being asked to end."""
    out = os.open(duty.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    connections["default"].settings_dict["NAME"] = duty.database
    options = connections["default"].settings_dict["OPTIONS"]
    options["options"] = f"-c search_path={clocks.SEARCH_PATH.replace(' ', '')}"
    settings.POLLERS = duty.seats
    tasks.poll.app.conf.broker_url = "memory://"
    clocks.travel(duty.ahead)
    _hurry()
    if duty.bug:
        BUGS[duty.bug]()
    if duty.dies:
        _arm(*duty.dies)
    stopping = threading.Event()
    patch.object(tasks, "_stopping", stopping).start()
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.set())
    return stopping


def _hurry() -> None:
    # A lost shard is given up after two listings, so these come even faster.
    patch("streams.stages.discover.EVERY_SECONDS", 0.25).start()
    for module_name, names in _PAUSES.items():
        module = importlib.import_module(module_name)
        for name in names:
            slow = getattr(module, name)
            fast = tuple(s / HURRY for s in slow) if isinstance(slow, tuple) else slow / HURRY
            setattr(module, name, fast)


def _arm(point: str, number: int, when: str) -> None:
    """Kill this process at the given call of the given function, or at a statement of SQL."""
    calls = 0

    def fatal(call: Callable[..., Any], *given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        mine = calls == number
        if mine and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = call(*given, **named)
        if mine:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    if point == "sql":
        connection.execute_wrappers.append(fatal)
        return
    module_name, _, name = point.rpartition(".")
    module = importlib.import_module(module_name)
    real = getattr(module, name)
    setattr(module, name, lambda *given, **named: fatal(real, *given, **named))
