"""The engine while the stream itself changes under it: switched off, replaced, deleted, forbidden,
or with shards that vanish between listing and reading."""

import pytest

from streams.testing.simulated.faults import Fault
from streams.testing.simulated.world import World
from streams.tests.integration.simulated_reading import TABLE, Engine, engine_on, write

pytestmark = pytest.mark.django_db(transaction=True)


def make_world() -> World:
    world = World()
    world.create_table(TABLE)
    write(world, 10, version="first")
    return world


def gaps(engine: Engine) -> list[str]:
    return list(engine.stream.gaps.order_by("id").values_list("reason", flat=True))


def split_unseen(engine: Engine) -> None:
    """The shard has ended and was read to its end, but no listing has shown its children yet."""
    engine.world.split(TABLE)
    write(engine.world, 10, version="in the children")
    engine.service.faults.add(Fault("internal", ("DescribeStream",)))
    engine.run_until(lambda: engine.stream.shards.filter(ended="read").exists())
    engine.service.faults.clear()


def test_children_that_were_not_listed_before_a_new_arn_are_read() -> None:
    world = make_world()
    with engine_on(world) as engine:
        engine.read_all()
        split_unseen(engine)
        world.disable(TABLE)
        world.enable(TABLE)
        write(world, 10, version="new")
        engine.read_all(seconds=5)
        engine.assert_stored_equals_written()
        assert gaps(engine) == ["new-stream"]


def test_children_that_were_not_listed_before_the_stream_was_off_are_read() -> None:
    world = make_world()
    with engine_on(world) as engine:
        engine.read_all()
        split_unseen(engine)
        world.disable(TABLE)
        engine.read_all(seconds=5)
        engine.assert_stored_equals_written()


def test_a_deleted_tables_stream_is_read_to_its_end() -> None:
    world = make_world()
    with engine_on(world) as engine:
        engine.read_all()
        write(world, 10, version="before the end")
        world.delete_table(TABLE)
        engine.read_all()
        engine.assert_stored_equals_written()
        engine.run_until(lambda: engine.stream.shards.filter(ended="read").count() == 1)
        assert engine.stream.problems.filter(kind="table-missing").exists()


def test_a_shard_that_vanished_between_listing_and_reading_is_a_gap() -> None:
    world = make_world()
    with engine_on(world) as engine:
        engine.service.faults.add(Fault("vanish", ("GetShardIterator",), most=1))
        engine.run_until(lambda: gaps(engine))
        write(world, 10, version="later")
        engine.run_until(lambda: len(engine.stored()) == 10)
        assert gaps(engine) == ["shard-lost"]


@pytest.mark.parametrize("kind", ["denied", "expired-token", "wrong-region"])
@pytest.mark.parametrize("operation", ["GetRecords", "DescribeStream", "DescribeTable"])
def test_a_refusal_is_a_problem_with_its_fix_and_reading_goes_on_when_it_is_mended(
    kind: str, operation: str
) -> None:
    world = make_world()
    with engine_on(world) as engine:
        engine.read_all()
        engine.service.faults.add(Fault(kind, (operation,)))
        write(world, 10, version="refused")
        expected = "wrong-region" if kind == "wrong-region" else "access-denied"
        open_ones = engine.stream.problems.filter(resolved_at=None, kind=expected)
        engine.run_until(lambda: open_ones.exclude(fix="").exists())
        engine.service.faults.clear()
        engine.read_all()
        engine.assert_stored_equals_written()
        engine.run_until(lambda: not open_ones.exists())
        assert gaps(engine) == []
