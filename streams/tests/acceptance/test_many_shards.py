"""A thousand listed shards and more, with a tenth of all calls failing."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streams.testing.simulated.apart import Apart, apart
from streams.testing.stack import Stack

pytestmark = pytest.mark.acceptance

KINDS = ("throttled", "limit-exceeded", "internal", "unavailable", "cut", "reset")
FIRST_STORED_SECONDS = 10
RECORDS = 5_000


def scenario_of(shards: int, failing: float) -> dict[str, Any]:
    """`shards` listed shards with records, most of them the closed half of a roll-over."""
    faults = [{"kind": kind, "probability": failing / len(KINDS)} for kind in KINDS]
    script = [
        {"at": 0, "do": "fill", "table": "orders", "count": RECORDS // 2, "keys": 2_000},
        {"at": 0, "do": "roll-over", "table": "orders"},
        {"at": 0, "do": "fill", "table": "orders", "count": RECORDS // 2, "keys": 2_000,
         "first": RECORDS // 2},
    ]  # fmt: skip
    tables = [{"table": "orders", "shards": shards // 2}]
    return {"tables": tables, "script": script, "faults": faults}


def stored(stack: Stack, name: str) -> list[int]:
    rows = stack.query(
        """SELECT substr(c.sequence, 2)::numeric FROM streams_change c
           JOIN streams_stream s ON s.id = c.stream_id WHERE s.name = %s ORDER BY 1""",
        name,
    )
    return [int(sequence) for (sequence,) in rows]


def add(stack: Stack, service: Apart, name: str) -> float:
    """Add the stream, as often as it takes while calls fail; seconds until a change is stored."""

    def is_added() -> bool:
        done = stack.manage(
            *("add_stream", name, "--table", "orders", "--region", "eu-central-1"),
            *("--endpoint-url", service.url, "--start", "trim-horizon"),
            check=False,
        )
        return done.returncode == 0

    stack.wait_for(is_added, seconds=120, what="the stream to be added")
    stack.wait_for(lambda: stored(stack, name), seconds=60, what="a first change")
    ((seconds,),) = stack.query(
        """SELECT extract(epoch FROM min(b.stored_at) - s.created_at)::float8
           FROM streams_batch b JOIN streams_stream s ON s.id = b.stream_id
           WHERE s.name = %s GROUP BY s.created_at""",
        name,
    )
    return float(seconds)


@pytest.mark.parametrize(("shards", "failing"), [(1_000, 0.1), (2_000, 0.0)])
def test_all_is_stored_and_the_first_changes_soon(
    shards: int, failing: float, stack: Stack, tmp_path: Path
) -> None:
    name = f"orders-{shards}"
    with apart(scenario_of(shards, failing), tmp_path) as service:
        begun = time.monotonic()
        first = add(stack, service, name)
        written = service.written("orders")
        stack.wait_for(
            lambda: len(stored(stack, name)) >= len(written), seconds=400, what="all of it"
        )
        took = time.monotonic() - begun
        sys.stdout.write(
            f"{shards} shards, {failing:.0%} of the calls failing: the first change stored after "
            f"{first:.1f} s, all {len(written)} after {took:.1f} s; {service.order('struck')}\n"
        )
        assert stored(stack, name) == written
        assert stack.query("SELECT count(*) FROM streams_gap") == [(0,)]
        assert [v for v in service.violations() if "DescribeStream" in v] == []
        assert first <= FIRST_STORED_SECONDS
        pause(stack, name)


def pause(stack: Stack, name: str) -> None:
    """Its service goes away."""
    stack.query("UPDATE streams_stream SET paused_at = now() WHERE name = %s RETURNING id", name)


@pytest.fixture(scope="module")
def stack(make_stack: Callable[..., Stack]) -> Stack:
    made = make_stack(DELTAWATCH_LOG_LEVEL="ERROR")
    made.start()
    return made
