"""Two installations with names of their own share one Redis database and one stream, and each
stores all of it."""

from collections.abc import Callable, Iterator

import pytest
import redis

from streams.testing.simulated.apart import Apart, apart
from streams.testing.stack import Stack

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    scenario = {"tables": [{"table": "orders", "shards": 4}]}
    with apart(scenario, tmp_path_factory.mktemp("service")) as service:
        yield service


@pytest.fixture(scope="module")
def stacks(make_stack: Callable[..., Stack]) -> list[Stack]:
    """The second one uses the first one's Redis database."""
    first = make_stack(DELTAWATCH_CONSUMER="first")
    first.start()
    second = make_stack(DELTAWATCH_CONSUMER="second", REDIS_URL=first.service("redis_url"))
    second.start()
    return [first, second]


def stored(stack: Stack) -> list[int]:
    rows = stack.query("SELECT substr(sequence, 2)::numeric FROM streams_change ORDER BY 1")
    return [int(sequence) for (sequence,) in rows]


def test_both_store_everything(stacks: list[Stack], service: Apart) -> None:
    service.order("fill", table="orders", count=1_000)
    for stack in stacks:
        stack.manage(
            *("add_stream", "orders", "--table", "orders", "--region", "eu-central-1"),
            *("--endpoint-url", service.url, "--start", "trim-horizon"),
        )
    service.order("forget")  # adding a stream tries a read beside the pollers'
    service.order("split", table="orders")
    service.order("fill", table="orders", count=1_000, first=1_000)
    written = service.written("orders")
    stacks[0].wait_for(
        lambda: all(len(stored(stack)) >= len(written) for stack in stacks),
        seconds=90,
        what="both to have all",
    )
    assert [stored(stack) for stack in stacks] == [written, written]
    # Two busy readers ask a shard eight times a second. What is refused then is asked again.
    assert [v for v in service.violations() if not v.startswith("too-many-calls GetR")] == []


def test_neither_has_a_key_of_the_others_in_redis(stacks: list[Stack]) -> None:
    """What a queue, a binding or a group of one installation is called begins with its name."""
    with redis.Redis.from_url(stacks[0].service("redis_url")) as client:
        keys = {key.decode() for key in client.scan_iter(count=1_000)}
        channels = {channel.decode() for channel in client.pubsub_channels()}
    for name in ("first", "second"):
        assert any(key.startswith(f"{name}:") for key in keys), keys
    assert [key for key in keys | channels if not key.startswith(("first", "second"))] == []


def test_a_malformed_name_is_one_sentence(stacks: list[Stack]) -> None:
    stack = Stack(stacks[0].home, stacks[0].port, DELTAWATCH_CONSUMER="No Name")
    done = stack.manage("check", check=False)
    assert done.returncode
    assert "DELTAWATCH_CONSUMER='No Name' must be" in done.stdout + done.stderr
