"""The state folder, DELTAWATCH_HOME: one launcher at a time, its ports, its secrets.

launcher.lock   held (flock) while a launcher runs, so `kill -9` leaves no stale lock
services.json   where the services of the last start are reached; `dashboard/env.py` reads it
admin.txt       the first log-in          secret_key   Django's, made by `dashboard/env.py`
postgres/ valkey/ static/ log/            run/   one lock for each leash, the lifelines, ports
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

LEAST_SPACE = 500 * 1024 * 1024  # bytes; PostgreSQL's first start alone takes about 80 MB
# A leash whose launcher died needs this long: 10 s of grace, 5 s of hurry, and a little.
LEFTOVER_PATIENCE = 20.0
LOOPBACK = "127.0.0.1"

Say = Callable[[str], None]


class CannotStart(Exception):
    """The message is a sentence for the person at the terminal: what is wrong and what to do."""


class Home:
    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self.run = self.path / "run"
        self.log = self.path / "log"
        self._lock: int | None = None

    def open(self) -> None:
        """Make the folder and hold its lock until this process ends."""
        try:
            for folder in (self.path, self.run, self.log):
                folder.mkdir(parents=True, exist_ok=True)
            # Not the state folder itself, it may be any folder: its secrets are files of mode 0600.
            for folder in (self.run, self.log):
                folder.chmod(0o700)
            self._lock = os.open(self.path / "launcher.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError as error:
            raise CannotStart(
                f"The state folder {self.path} belongs to somebody else. Start Deltawatch as the "
                "user who made it, or choose another folder with DELTAWATCH_HOME."
            ) from error
        except OSError as error:
            raise CannotStart(
                f"The state folder {self.path} cannot be made: {error.strerror}. "
                "Choose another one with DELTAWATCH_HOME."
            ) from error
        # honcho forks its readers: one that outlives us must not hold the lock for us.
        os.register_at_fork(after_in_child=self._close_lock)
        self._take_lock(self._lock)

    def _take_lock(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(lock, 20, 0).decode().strip() or "of unknown number"
            raise CannotStart(
                f"Deltawatch already runs on {self.path} (process {owner}). Stop it with Ctrl-C "
                f"in its window or `kill {owner}`, or start a second copy beside it: "
                "DELTAWATCH_HOME=.deltawatch-2 PORT=8001 make up"
            ) from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)

    def _close_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def check_space(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < LEAST_SPACE:
            raise CannotStart(
                f"Only {free // 1024**2} MB are free on the disk that holds {self.path}, and "
                f"PostgreSQL needs at least {LEAST_SPACE // 1024**2} MB to work safely. Free some "
                "space, or choose a folder on another disk with DELTAWATCH_HOME."
            )

    def free_port(self, name: str) -> int:
        """A free port, the same one as last time where possible."""
        book = self.run / "ports.json"
        try:
            ports: dict[str, int] = json.loads(book.read_text())
        except (OSError, ValueError):
            ports = {}
        if not port_is_free(ports.get(name, 0)):
            ports[name] = unused_port()
            write_private(book, json.dumps(ports))
        return ports[name]

    def write_services(self, services: Mapping[str, object]) -> None:
        write_private(self.path / "services.json", json.dumps(services, indent=2) + "\n")

    def clear_leftovers(self, say: Say) -> None:
        """Wait for the processes of a launcher that was killed; end those that do not go."""
        if not (left := list(self._held_locks())):
            return
        say(f"Waiting for an earlier start to end: {', '.join(path.stem for path in left)}.")
        deadline = time.monotonic() + LEFTOVER_PATIENCE
        while (left := list(self._held_locks())) and time.monotonic() < deadline:
            time.sleep(0.1)
        for path in left:
            say(f"{path.stem} did not end by itself; it is ended now.")
            _end_leftover(path)
        deadline = time.monotonic() + 5
        while (left := list(self._held_locks())) and time.monotonic() < deadline:
            time.sleep(0.1)
        if left:
            raise CannotStart(
                f"An earlier start's {left[0].stem} still runs and cannot be ended (process "
                f"{left[0].read_text().strip()}). End it by hand, then start again."
            )

    def _held_locks(self) -> Iterator[Path]:
        for path in sorted(self.run.glob("*.lock")):
            with path.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    yield path


def _end_leftover(lock: Path) -> None:
    """Kill the leash and its command, whose numbers the leash wrote into its lock."""
    numbers = [int(word) for word in lock.read_text().split()]
    for number, end in zip(numbers, (os.kill, os.killpg), strict=False):
        with suppress(ProcessLookupError, PermissionError):
            end(number, signal.SIGKILL)


def kept_secret(path: Path, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> str:
    """The secret kept in the file, made on first use."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        write_private(path, make() + "\n")
        return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Replace the file at one stroke, readable by its owner only."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        draft.unlink()
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def port_is_free(port: int) -> bool:
    if not port:
        return False
    with socket.socket() as probe:
        # Or a port that was closed a moment ago would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    # macOS lets two programs bind one port when only one of them names the address.
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) != 0


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def check_web_port(port: int, again: str) -> None:
    """`again` is the command that would start Deltawatch, for the advice: `make demo`."""
    if not 1 <= port <= 65535:
        raise CannotStart(f"PORT={port} is not a port number. Choose one: PORT=8001 {again}")
    if port_is_free(port):
        return
    if port < 1024 and os.geteuid() != 0:
        raise CannotStart(f"Only root may use port {port}. Choose another: PORT=8001 {again}")
    other = 8001 if port != 8001 else 8002
    raise CannotStart(
        f"Port {port} is in use by another program. Choose another: PORT={other} {again}"
    )
