"""The engine against what AWS does and emulators do not: stored equals written, each item's
changes in order, or a gap says what is missing."""

from collections import Counter

import pytest

from streams.models import Gap, PoisonRecord, Problem, Shard
from streams.testing.simulated.faults import Fault
from streams.testing.simulated.poison import STRANGE, UNREADABLE
from streams.testing.simulated.streams import Limits
from streams.testing.simulated.watch import Rates
from streams.testing.simulated.world import World
from streams.tests.integration.simulated_reading import (
    TABLE,
    Engine,
    assert_same_in_order,
    engine_on,
    write,
)

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3600.0
LISTINGS = ("DescribeStream",)
READS = ("GetRecords",)
# For tests of something else that list the shards more often than our beat does.
OFTEN = Rates(describe_stream=1_000)


def make_world(seed: int = 0, *, shards: int = 1, limits: Limits | None = None) -> World:
    """A world on the real time, with its table and stream."""
    world = World(seed, limits=limits)
    world.create_table(TABLE, shards=shards)
    return world


def violations(engine: Engine) -> list[str]:
    return [f"{v.kind} {v.about}: {v.detail}" for v in engine.service.watch.violations()]


def gaps(engine: Engine) -> list[str]:
    return list(engine.stream.gaps.order_by("id").values_list("reason", flat=True))


def test_it_follows_splits_over_three_generations() -> None:
    world = make_world()
    for generation in range(3):
        write(world, 30, version=f"before {generation}")
        for shard in world.stream_of(TABLE).tree.open_shards():
            world.split(TABLE, shard.id)
    write(world, 30, version="last")
    with engine_on(world) as engine:
        engine.read_all()
        # And again, while it reads.
        write(world, 30, version="while reading")
        world.split(TABLE)
        write(world, 30, version="after")
        engine.read_all()
        engine.assert_stored_equals_written()
        assert Shard.objects.filter(stream=engine.stream).count() == 17
        assert (violations(engine), gaps(engine)) == ([], [])


def test_it_renews_an_expired_iterator_and_loses_nothing() -> None:
    world = make_world()
    write(world, 20)
    with engine_on(world) as engine:
        engine.read_all()
        world.advance(16 * 60)
        write(world, 20, version="later")
        engine.read_all()
        engine.assert_stored_equals_written()
        assert (gaps(engine), Problem.objects.count()) == ([], 0)


def test_what_was_trimmed_is_a_gap_and_reading_goes_on() -> None:
    world = make_world(limits=Limits(rollover_seconds=0))
    write(world, 10, version="read")
    with engine_on(world) as engine:
        engine.read_all()
        read = engine.written()
        write(world, 10, version="missed")
        world.advance(25 * HOUR)
        write(world, 10, version="later")
        later = engine.written()[20:]
        engine.run_until(lambda: len(engine.stored()) >= 20)
        assert_same_in_order(engine.stored(), [*read, *later])
        (gap,) = Gap.objects.all()
        assert (gap.reason, gap.from_sequence) == ("trimmed", str(read[-1].sequence))
        assert engine.stream.problems.filter(kind="trimmed").exists()


def test_shards_that_vanished_unread_are_gaps_and_reading_goes_on() -> None:
    world = make_world()
    write(world, 10, version="read")
    with engine_on(world) as engine:
        engine.read_all()
        read = engine.written()
        write(world, 10, version="missed")
        world.advance(40 * HOUR)  # ten rollovers; the first four shards are gone
        write(world, 10, version="later")
        later = engine.written()[20:]
        engine.run_until(lambda: len(engine.stored()) >= 20)
        assert_same_in_order(engine.stored(), [*read, *later])
        assert "shard-lost" in gaps(engine)
        assert violations(engine) == []


def test_a_new_arn_is_another_generation_of_the_same_history_and_a_gap() -> None:
    world = make_world()
    write(world, 10, version="old")
    with engine_on(world) as engine:
        engine.read_all()
        write(world, 10, version="unread")  # still readable for a day
        world.disable(TABLE)
        write(world, 10, version="in no stream")
        world.enable(TABLE, "NEW_IMAGE")
        write(world, 10, version="new")
        engine.read_all()
        engine.assert_stored_equals_written()
        engine.stream.refresh_from_db()
        assert (engine.stream.generation, engine.stream.view_type) == (2, "NEW_IMAGE")
        assert gaps(engine) == ["new-stream"]


@pytest.mark.parametrize("kind", sorted([*UNREADABLE, *STRANGE]))
def test_a_poisoned_record_does_not_stop_its_shard(kind: str) -> None:
    world = make_world()
    write(world, 3)
    world.put(TABLE, {"pk": {"S": "poisoned"}, "text": {"S": "a"}}, poison_kind=kind)
    write(world, 3, version="after")
    with engine_on(world) as engine:
        engine.read_all(seconds=4)
        engine.assert_stored_equals_written()
        (poisoned,) = [r for r in engine.written() if r.poison]
        kept = [bytes(raw) for raw in PoisonRecord.objects.values_list("raw", flat=True)]
        assert kept == ([poisoned.raw] if kind in UNREADABLE else [])


def test_a_tenth_of_all_calls_fails_and_everything_is_stored() -> None:
    world = make_world(shards=4)
    write(world, 200, keys=40)
    with engine_on(world) as engine:
        kinds = ("internal", "unavailable", "throttled", "limit-exceeded", "cut", "reset")
        chance = 0.1 / (len(kinds) + 1)
        engine.service.faults.add(*(Fault(kind, probability=chance) for kind in kinds))
        engine.service.faults.add(Fault("expired-iterator", READS, probability=chance))
        for round_ in range(4):
            world.split(TABLE, world.stream_of(TABLE).tree.open_shards()[round_].id)
            write(world, 100, keys=40, version=str(round_))
        engine.read_all(seconds=40)
        engine.assert_stored_equals_written()
        assert gaps(engine) == []
        assert violations(engine) == []


def test_garbage_in_an_answer_is_tried_again() -> None:
    world = make_world()
    write(world, 10)
    with engine_on(world) as engine:
        engine.service.faults.add(Fault("garbage", READS, most=2))
        engine.read_all()
        engine.assert_stored_equals_written()


def test_garbage_in_a_listing_is_a_problem_and_tried_again() -> None:
    world = make_world()
    write(world, 10)
    with engine_on(world) as engine:
        engine.service.faults.add(Fault("garbage", LISTINGS, most=1))
        engine.list_shards()
        assert list(engine.stream.problems.values_list("kind", flat=True)) == ["unreachable"]
        engine.read_all()
        engine.assert_stored_equals_written()


def test_an_empty_page_is_not_the_end_of_a_shard() -> None:
    world = make_world()
    write(world, 20)
    world.roll_over(TABLE)
    write(world, 20, version="child")
    with engine_on(world) as engine:
        engine.service.faults.add(Fault("empty-page", READS, most=4))
        engine.read_all()
        engine.assert_stored_equals_written()
        assert (violations(engine), gaps(engine)) == ([], [])


def test_repeated_records_are_stored_once() -> None:
    world = make_world(limits=Limits(page_records=7))
    write(world, 30)
    with engine_on(world) as engine:
        engine.service.faults.add(Fault("repeat", READS, records=5, probability=0.5))
        engine.read_all()
        engine.assert_stored_equals_written()


def test_a_listing_that_fails_half_way_still_makes_progress() -> None:
    world = make_world(shards=8, limits=Limits(shards_per_page=4))
    write(world, 100, keys=50)
    with engine_on(world, OFTEN) as engine:
        engine.service.faults.add(Fault("internal", LISTINGS, page=2))
        for shard in world.stream_of(TABLE).tree.open_shards():
            world.split(TABLE, shard.id)
        write(world, 100, keys=50, version="children")
        engine.run_until(lambda: Counter(r.operation for r in engine.stored())["INSERT"] >= 10)
        engine.service.faults.clear()
        engine.read_all()
        engine.assert_stored_equals_written()
        assert gaps(engine) == []


def test_a_listing_of_more_pages_than_calls_a_second_is_completed() -> None:
    """As of a thousand shards, were the network as fast as here."""
    world = make_world(limits=Limits(shards_per_page=1))
    for _ in range(12):
        world.roll_over(TABLE)
    write(world, 10)
    with engine_on(world) as engine:
        engine.read_all(seconds=40)
        engine.assert_stored_equals_written()
        assert violations(engine) == []


def test_a_lagging_listing_makes_no_gap() -> None:
    world = make_world(shards=2)
    write(world, 20)
    with engine_on(world) as engine:
        engine.service.faults.add(Fault("lagging-listing", LISTINGS, seconds=2, probability=0.5))
        for round_ in range(3):
            world.roll_over(TABLE)
            write(world, 20, version=str(round_))
            engine.read_all()
        engine.assert_stored_equals_written()
        assert (violations(engine), gaps(engine)) == ([], [])


def test_a_full_backlog_is_read_from_a_service_that_counts_calls() -> None:
    world = make_world()
    write(world, 8_500, keys=1_000)
    with engine_on(world) as engine:
        engine.read_all()
        engine.assert_stored_equals_written()
