"""A whole Deltawatch in a folder of its own, started as a person starts it: `manage.py up`.

For acceptance tests and benchmarks. Commands are typed in "another shell": they find the running
services through the state folder alone.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import psycopg

_BETWEEN = "----- the next command\n"
_EACH = f"""
import json, sys
from django.core.management import call_command
for command in json.loads({{commands}}):
    call_command(*command)
    sys.stdout.write({_BETWEEN!r})
"""
ROOT = Path(__file__).resolve().parent.parent.parent


class StackFailed(AssertionError):
    """Something was waited for in vain; the text has the end of the launcher's output."""


class Stack:
    def __init__(self, home: Path, port: int, **settings: str) -> None:
        self.home, self.port = home, port
        left_out = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
        self.environment = {k: v for k, v in os.environ.items() if k not in left_out}
        self.environment |= {"DELTAWATCH_HOME": str(home), "PORT": str(port), **settings}
        self.url = f"http://127.0.0.1:{port}"
        self._log = home.with_name(f"{home.name}.log")
        self.launcher: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str, seconds: float = 120) -> None:
        """`manage.py up …`, until /healthz says ready."""
        with self._log.open("ab") as log:
            self.launcher = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "up", *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_for(self.is_ready, seconds=seconds, what="/healthz to say ready")

    def is_ready(self) -> bool:
        if self.launcher and self.launcher.poll() is not None:
            raise StackFailed(f"the launcher ended\n{self.output()}")
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as answer:
                return bool(json.load(answer)["ready"])
        except (OSError, urllib.error.URLError):
            return False

    def stop(self, number: int = signal.SIGINT) -> int:
        """Ctrl-C; the launcher's exit code."""
        assert self.launcher
        with contextlib.suppress(ProcessLookupError):
            self.launcher.send_signal(number)
        return self.launcher.wait(timeout=60)

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise StackFailed(f"{arguments}: {done.stdout}{done.stderr}")
        return done

    def manage_each(self, commands: Iterable[Sequence[str]]) -> list[str]:
        """What each of these commands prints, typed one after another into one Python: starting
        one takes longer than most commands."""
        typed = json.dumps([list(command) for command in commands])
        done = self.manage("shell", "--no-imports", "-c", _EACH.format(commands=repr(typed)))
        return done.stdout.split(_BETWEEN)[:-1]

    def status(self) -> dict[str, dict[str, Any]]:
        """`manage.py status --json`, by stream name."""
        listed = json.loads(self.manage("status", "--json").stdout)["streams"]
        return {status["name"]: status for status in listed}

    def tail(self, stream: str) -> Iterator[dict[str, Any]]:
        """All stored changes of a stream, as `tail --json` prints them."""
        for line in self.manage(*tail_of(stream)).stdout.splitlines():
            yield json.loads(line)

    def service(self, name: str) -> str:
        """The address of a running service: database_url or redis_url."""
        return str(json.loads((self.home / "services.json").read_text())[name])

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Ask the stack's database, as an operator's psql does."""
        with psycopg.connect(self.service("database_url"), autocommit=True) as database:
            return database.execute(sql, parameters).fetchall()

    def password(self) -> str:
        """The first user's password, as the launcher keeps it for its owner."""
        return (self.home / "admin.txt").read_text().split()[-1]

    def processes(self, name: str) -> list[psutil.Process]:
        """The process under the leash of that name and its children, the parent first."""
        try:
            number = int((self.home / "run" / f"{name}.lock").read_text().split()[1])
            parent = psutil.Process(number)
            return [parent, *parent.children(recursive=True)]
        except (OSError, IndexError, psutil.NoSuchProcess):
            return []

    def output(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]

    def wait_for(
        self, condition: Callable[[], Any], *, seconds: float = 30, what: str = "it"
    ) -> Any:
        """The condition's first true value."""
        until = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > until:
                raise StackFailed(f"waited {seconds:g} s in vain for {what}\n{self.output()}")
            time.sleep(0.1)
        return value


def tail_of(stream: str) -> tuple[str, ...]:
    """The command that prints all stored changes of a stream."""
    return "tail", stream, "--from", "start", "--json", "--no-follow"
