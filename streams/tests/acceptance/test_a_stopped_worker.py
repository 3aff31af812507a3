"""A worker that is stopped but not dead: the overview must not stay green."""

import signal
import sys
import time
from collections.abc import Callable
from os import environ
from threading import Event
from typing import Any

import pytest

from conftest import REGION
from streams.testing.stack import Stack

pytestmark = pytest.mark.acceptance

# The state is known long before; a longer stop shows that the recovery needs no hand either.
STOPPED_SECONDS = float(environ.get("DELTAWATCH_STOPPED_SECONDS", "0"))


def test_the_state_leaves_green_says_why_and_comes_back_by_itself(
    stack: Stack, dynamodb_url: str, make_table: Callable[..., str]
) -> None:
    table = make_table()
    stack.manage(
        *("add_stream", table, "--table", table, "--region", REGION),
        *("--endpoint-url", dynamodb_url, "--start", "trim-horizon"),
    )

    def status() -> dict[str, Any]:
        return stack.status()[table]

    stack.wait_for(lambda: status()["level"] == "ok", what="a first read")
    stopped = time.monotonic()
    _signal(stack, signal.SIGSTOP)
    try:
        stack.wait_for(lambda: status()["level"] == "bad", seconds=30, what="another level")
        took = time.monotonic() - stopped
        found = status()
        assert found["state"] == "stalled"
        assert "Nothing has been read for" in found["sentence"]
        assert "No worker is reading" in found["sentence"]
        Event().wait(STOPPED_SECONDS - took)
    finally:
        _signal(stack, signal.SIGCONT)
    continued = time.monotonic()
    stack.wait_for(lambda: status()["level"] == "ok", seconds=60, what="green again")
    sys.stdout.write(
        f"left green after {took:.1f} s, green again {time.monotonic() - continued:.1f} s "
        "after the worker went on\n"
    )


def _signal(stack: Stack, number: int) -> None:
    for process in stack.processes("worker"):
        process.send_signal(number)
