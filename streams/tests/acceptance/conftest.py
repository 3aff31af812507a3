import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashboard.launch.home import unused_port
from dashboard.tests.conftest import chromium as chromium
from streams.testing.stack import ROOT, Stack


@pytest.fixture(scope="module")
def make_stack() -> Iterator[Callable[..., Stack]]:
    """Makes stacks in folders of their own, and ends what is still running after the module."""
    stacks: list[Stack] = []

    def make(**settings: str) -> Stack:
        folder = tempfile.mkdtemp(prefix="stack-", dir=ROOT / ".deltawatch-test")
        stack = Stack(Path(folder) / "home", unused_port(), **settings)
        stacks.append(stack)
        return stack

    yield make
    for stack in stacks:
        if stack.launcher and stack.launcher.poll() is None:
            stack.stop()


@pytest.fixture(scope="module")
def stack(make_stack: Callable[..., Stack]) -> Stack:
    """A running Deltawatch without a demo."""
    made = make_stack(DELTAWATCH_LOG_LEVEL=os.environ.get("DELTAWATCH_LOG_LEVEL", "WARNING"))
    made.start()
    return made
