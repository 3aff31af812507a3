"""What somebody must mend: the stream is blocked, says why and what to do, is tried again by
itself, and is green again by itself. On the simulated service, as the overview shows it."""

from datetime import UTC, datetime, timedelta

import pytest

from streams.models import Heartbeat, Poller
from streams.queries.overview import StreamStatus, statuses
from streams.queries.shards import ShardStatus, shard_statuses
from streams.testing.elapse import let_pass
from streams.testing.simulated.faults import Fault
from streams.testing.simulated.streams import Limits
from streams.testing.simulated.world import World
from streams.tests.integration.simulated_reading import TABLE, Engine, engine_on, write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    world = World(limits=Limits(rollover_seconds=0))
    world.create_table(TABLE)
    write(world, 5)
    return world


def status() -> StreamStatus:
    """As if beat and a worker ran."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    seat = Poller.objects.create(number=99, expires_at=soon)
    Heartbeat.objects.update_or_create(name="beat", defaults={"seen_at": soon})
    (found,) = statuses()
    seat.delete()
    return found


def worst(engine: Engine) -> ShardStatus:
    return shard_statuses(engine.stream).shards[0]


def is_open(engine: Engine, kind: str) -> bool:
    return engine.stream.problems.filter(kind=kind, resolved_at=None).exists()


@pytest.mark.parametrize(
    ("fault", "kind", "fix"),
    [
        ("denied", "access-denied", "Allow dynamodb:GetRecords on arn:aws:dynamodb"),
        ("expired-token", "access-denied", "check boto3's credential chain"),
        ("wrong-region", "wrong-region", "The region does not fit the endpoint"),
    ],
)
def test_what_must_be_mended_is_blocked_until_it_is(
    world: World, fault: str, kind: str, fix: str
) -> None:
    with engine_on(world) as engine:
        engine.read_all()
        engine.service.faults.add(Fault(fault, ("GetRecords",)))
        write(world, 5, version="while blocked")
        engine.run_until(lambda: is_open(engine, kind))
        let_pass(engine.stream, seconds=25)
        for found in (status(), worst(engine)):
            assert (found.state, found.level) == ("blocked", "bad")
            assert fix in found.sentence
            assert 86_300 < (found.time_left_seconds or 0) < 86_380
        assert fix in worst(engine).error
        engine.service.faults.clear()
        engine.read_all()
        assert not is_open(engine, kind)
        assert (status().state, worst(engine).state) == ("healthy", "healthy")
        assert worst(engine).error == ""


def test_a_deleted_table_is_read_to_its_end_then_blocked_until_it_is_back(world: World) -> None:
    with engine_on(world) as engine:
        engine.read_all()
        write(world, 5, version="just before")
        world.delete_table(TABLE)
        engine.run_until(lambda: not engine.stream.shards.filter(ended_at=None).exists())
        engine.list_shards()
        engine.assert_stored_equals_written()
        let_pass(engine.stream, seconds=30)
        engine.list_shards()
        assert status().state == "blocked"
        assert f"There is no table {TABLE}" in status().sentence
        assert status().time_left_seconds is None  # all of it is read
        world.create_table(TABLE)
        write(world, 5, version="anew")
        engine.read_all()
        assert not is_open(engine, "table-missing")
        assert [gap.reason for gap in engine.stream.gaps.all()] == ["new-stream"]
        let_pass(engine.stream, minutes=6)  # the gap is told for five minutes
        write(world, 5, version="later")
        engine.read_all()
        assert status().level == "ok"


def test_a_stream_that_is_off_is_blocked_with_the_command_that_turns_it_on(world: World) -> None:
    with engine_on(world) as engine:
        engine.read_all()
        world.disable(TABLE)
        engine.run_until(lambda: not engine.stream.shards.filter(ended_at=None).exists())
        let_pass(engine.stream, days=2)
        engine.list_shards()
        assert (status().state, status().time_left_seconds) == ("blocked", None)
        assert "aws dynamodb update-table" in status().sentence
