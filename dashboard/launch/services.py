"""The embedded services: started side by side, waited for, stopped when all else is gone."""

import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from dashboard.env import BASE_DIR
from dashboard.launch.home import CannotStart, Home
from dashboard.launch.postgres import clean_environment, last_lines
from dashboard.launch.processes import Lifeline, Process, on_leash

PATIENCE = 120.0  # seconds until it answers; PostgreSQL may have a long recovery behind a crash


class Service(Protocol):
    log: Path

    def prepare(self) -> None: ...
    def process(self) -> Process: ...
    def answers(self) -> bool: ...


class Services:
    def __init__(self, home: Home) -> None:
        self.home = home
        self.lifeline = Lifeline(home, "services")
        self._leashes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, services: Iterable[Service]) -> None:
        """Start them all, then wait until each answers; raises CannotStart with its log's end."""
        services = list(services)
        for service in services:
            self._start(service)
        for service in services:
            if not self._wait(service):
                # Another program may have taken the port in between: once more, with a new one.
                self._start(service)
                if not self._wait(service):
                    raise CannotStart(_failure(service))

    def ended(self) -> str | None:
        """The name of a service that is gone for good, though nobody asked it to stop."""
        gone = (name for name, leash in self._leashes.items() if leash.poll() is not None)
        return next(gone, None)

    def stop(self) -> None:
        self.lifeline.cut()
        for leash in self._leashes.values():
            leash.wait()

    def hurry(self) -> None:
        for leash in self._leashes.values():
            leash.terminate()

    def _start(self, service: Service) -> None:
        service.prepare()
        process = service.process()
        self._leashes[process.name] = subprocess.Popen(  # noqa: S603  our own list, no shell
            on_leash(process, self.home, self.lifeline),
            stdin=subprocess.DEVNULL,
            cwd=BASE_DIR,
            env=clean_environment(),
            start_new_session=True,  # the terminal's Ctrl-C is for the launcher alone
        )

    def _wait(self, service: Service) -> bool:
        """False if it ended instead of answering."""
        leash = self._leashes[service.process().name]
        deadline = time.monotonic() + PATIENCE
        while leash.poll() is None:
            if service.answers():
                return True
            if time.monotonic() > deadline:
                raise CannotStart(_failure(service))
            time.sleep(0.05)
        return False


def _failure(service: Service) -> str:
    log = service.log.read_text(errors="replace") if service.log.exists() else ""
    return (
        f"{service.process().name} does not start. The end of its log, {service.log}:\n"
        f"{last_lines(log) or '    (empty)'}"
    )
