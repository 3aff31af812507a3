"""Tells the person at the terminal when Deltawatch is ready, or what keeps it from being so."""

import http.client
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

from dashboard.launch.home import LOOPBACK, Say

PATIENCE = 60.0  # seconds until we say what is missing; we go on waiting after that
PACE = 0.25  # seconds between two questions


class Herald(threading.Thread):
    """`ended` names a service that died for good; `stop` then ends everything."""

    def __init__(
        self, port: int, banner: str, say: Say, ended: Callable[[], str | None],
        stop: Callable[[], None],
    ) -> None:  # fmt: skip
        super().__init__(name="herald", daemon=True)
        self.port, self.banner, self.say = port, banner, say
        self.ended, self.stop = ended, stop
        self.over = threading.Event()
        self.gone: str | None = None

    def run(self) -> None:
        ready, complained = False, False
        deadline = time.monotonic() + PATIENCE
        while not self.over.wait(PACE if not ready else 1.0):
            if gone := self.ended():
                self.gone = gone
                self.stop()
                return
            if ready:
                continue
            missing = unready_checks(self.port)
            if not missing:
                ready = True
                self.say(self.banner)
            elif not complained and time.monotonic() > deadline:
                complained = True
                self.say(_complaint(missing))


def unready_checks(port: int) -> dict[str, str]:
    """The checks of /healthz that fail, each with its sentence; empty when Deltawatch is ready."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        if answer.status == http.HTTPStatus.OK:
            return {}
        checks = json.loads(answer.read()).get("checks", {})
    except (OSError, http.client.HTTPException):
        return {"web": f"nothing answers on port {port} yet"}
    except ValueError:
        return {"web": f"/healthz answers {answer.status} {answer.reason}"}
    finally:
        connection.close()
    failing = {name: text for name, text in checks.items() if text != "ok"}
    return failing or {"web": f"/healthz answers {answer.status} {answer.reason}"}


def banner(port: int, admin: Path, home: Path, demo: bool) -> str:
    """The few lines that a person needs: where, who, and how to stop."""
    try:
        name, password = admin.read_text().split()[:2]
        login = f"Log in as {name} with the password {password}  (kept in {admin})"
    except (OSError, ValueError):
        login = "Log in with the name and password you have set."
    lines = [
        f"Deltawatch is ready:  http://{LOOPBACK}:{port}/",
        login,
        *(["The demo's shop is writing to four tables of a local DynamoDB."] if demo else []),
        f"Ctrl-C stops it. The data stays in {home}.",
    ]
    return "\n" + "\n".join(f"    {line}" for line in lines) + "\n"


def _complaint(missing: dict[str, str]) -> str:
    reasons = "\n".join(f"    {name}: {text}" for name, text in missing.items())
    return (
        f"Deltawatch is not ready after {PATIENCE:.0f} seconds. It goes on trying. "
        f"What is missing:\n{reasons}"
    )
