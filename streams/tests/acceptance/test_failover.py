"""A poller that is killed: others read its shards, and the share is fair again when it is back."""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from streams.testing.simulated.apart import Apart, apart
from streams.testing.stack import Stack

pytestmark = pytest.mark.acceptance

POLLERS, SHARDS = 4, 100
READ_AGAIN_SECONDS, BALANCED_SECONDS = 15, 60
# Much sooner than a lease runs out by itself.
GIVEN_BACK_SECONDS = 5


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    scenario = {"tables": [{"table": "orders", "shards": SHARDS}]}
    with apart(scenario, tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="module")
def stack(make_stack: Callable[..., Stack], service: Apart) -> Stack:
    """Four pollers, each in a process of its own, that share the shards fairly."""
    stack = make_stack(DELTAWATCH_POLLERS=str(POLLERS), DELTAWATCH_WORKER_PROCESSES="6")
    stack.start()
    stack.manage(
        *("add_stream", "orders", "--table", "orders", "--region", "eu-central-1"),
        *("--endpoint-url", service.url, "--start", "trim-horizon"),
    )
    stack.wait_for(lambda: is_balanced(stack), seconds=90, what="four fair shares")
    return stack


def shares(stack: Stack) -> Counter[str]:
    """How many shards each poller has, by its name, which begins with the machine and its pid."""
    return Counter(
        owner
        for (owner,) in stack.query(
            "SELECT lease_owner FROM streams_shard WHERE lease_expires_at > clock_timestamp()"
        )
    )


def is_balanced(stack: Stack) -> bool:
    found = shares(stack)
    fair = SHARDS / POLLERS
    if None in reads(stack).values():
        return False  # listed a moment ago
    return len(found) == POLLERS and all(abs(share - fair) <= 1 for share in found.values())


def reads(stack: Stack) -> dict[Any, Any]:
    """When each shard was last read, by its id; None before the first time."""
    return dict(stack.query("SELECT id, last_read_at FROM streams_shard"))


def pid_of(owner: str) -> int:
    return int(owner.split(":")[1])


def test_the_shards_of_a_killed_poller_are_read_again_and_shared_again(stack: Stack) -> None:
    victim, _ = shares(stack).most_common(1)[0]
    os.kill(pid_of(victim), signal.SIGKILL)
    ((killed_at,),) = stack.query("SELECT clock_timestamp()")
    last = dict(
        stack.query("SELECT id, last_read_at FROM streams_shard WHERE lease_owner = %s", victim)
    )
    stack.wait_for(
        lambda: all(reads(stack)[shard] > at for shard, at in last.items()),
        seconds=60,
        what="all its shards to be read again",
    )
    now = reads(stack)
    longest = max((now[shard] - at).total_seconds() for shard, at in last.items())
    stack.wait_for(lambda: is_balanced(stack), seconds=120, what="fair shares")
    ((balanced_at,),) = stack.query("SELECT clock_timestamp()")
    balanced = (balanced_at - killed_at).total_seconds()
    sys.stdout.write(
        f"{len(last)} shards of a killed poller were not read for at most {longest:.1f} s; "
        f"fair shares again {balanced:.1f} s after the kill\n"
    )
    assert longest <= READ_AGAIN_SECONDS
    assert balanced <= BALANCED_SECONDS


def test_a_calm_stop_gives_the_shards_back_at_once(stack: Stack) -> None:
    stack.wait_for(lambda: is_balanced(stack), seconds=90, what="fair shares")
    owners = list(shares(stack))
    ((begun,),) = stack.query("SELECT clock_timestamp()")
    stack.processes("worker")[0].send_signal(signal.SIGTERM)
    stack.wait_for(
        lambda: not shares(stack).keys() & set(owners), seconds=30, what="the shards to be free"
    )
    ((ended,),) = stack.query("SELECT clock_timestamp()")
    seconds = (ended - begun).total_seconds()
    sys.stdout.write(f"all shards were given back {seconds:.1f} s after SIGTERM\n")
    assert seconds <= GIVEN_BACK_SECONDS


def test_nothing_was_lost_or_read_by_too_many(stack: Stack, service: Apart) -> None:
    service.order("fill", table="orders", count=2_000, keys=500)
    written = service.written("orders")

    def stored() -> list[int]:
        rows = stack.query("SELECT substr(sequence, 2)::numeric FROM streams_change ORDER BY 1")
        return [int(sequence) for (sequence,) in rows]

    stack.wait_for(lambda: len(stored()) >= len(written), seconds=60, what="all changes")
    assert stored() == written
    assert [v for v in service.violations() if v.startswith("too-many-calls Desc")] == []
