"""The simulated world: shards, their lineage and what time does to them."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.testing.simulated.shards import HASHES, Record
from streams.testing.simulated.streams import Limits
from streams.testing.simulated.world import World
from streams.tests.unit.simulated_calls import item, make_world

HOUR = 3600.0


def put(world: World, number: int, **attributes: str) -> Record:
    record = world.put("orders", item(number, **attributes))
    assert record
    return record


def shards_with_records(world: World) -> dict[str, list[int]]:
    (shards,) = world.truth("orders").values()
    return {name: [record.sequence for record in records] for name, records in shards.items()}


def test_a_write_that_changes_nothing_makes_no_record() -> None:
    world = make_world()
    world.create_table("orders")
    assert put(world, 1).operation == "INSERT"
    assert world.put("orders", item(1)) is None
    assert put(world, 1, status="paid").operation == "MODIFY"
    removed = world.delete("orders", item(1))
    assert removed and removed.operation == "REMOVE"
    assert world.delete("orders", item(1)) is None


def test_a_split_gives_each_child_a_half_and_later_sequence_numbers() -> None:
    world = make_world()
    world.create_table("orders")
    parent = world.stream_of("orders").tree.open_shards()[0]
    last = max(put(world, number).sequence for number in range(20))
    low, high = world.split("orders")
    assert parent.ending and last < parent.ending < low.starting < high.starting
    assert (low.low, low.high, high.high) == (0, HASHES // 2, HASHES)
    assert low.parent == high.parent == parent.id
    written = [put(world, number, status="paid") for number in range(20)]
    assert len(low.records) + len(high.records) == 20
    assert low.records and high.records
    assert min(record.sequence for record in written) > parent.ending


def test_a_merge_closes_two_neighbours_and_names_the_first_as_parent() -> None:
    world = make_world()
    world.create_table("orders", shards=2)
    first, second = world.stream_of("orders").tree.open_shards()
    child = world.merge("orders", first.id, second.id)
    assert (child.low, child.high, child.parent) == (0, HASHES, first.id)
    assert first.closed_at is not None and second.closed_at is not None


def test_a_shard_rolls_over_every_four_hours_however_far_the_clock_jumps() -> None:
    world = make_world()
    world.create_table("orders")
    world.advance(9 * HOUR)
    shards = world.stream_of("orders").tree.all()
    assert [shard.closed_at is None for shard in shards] == [False, False, True]
    assert [b.created_at - a.created_at for a, b in pairwise(shards)] == [
        4 * HOUR,
        4 * HOUR,
    ]
    assert [shard.parent for shard in shards] == [None, shards[0].id, shards[1].id]


def test_records_are_trimmed_after_a_day_and_closed_shards_vanish_with_them() -> None:
    world = make_world()
    world.create_table("orders")
    first = world.stream_of("orders").tree.open_shards()[0]
    put(world, 1)
    world.advance(3 * HOUR)
    put(world, 2)
    world.advance(21 * HOUR)
    assert first.trimmed == 1
    world.advance(3 * HOUR)
    assert first.trimmed == 2
    assert first.id in world.stream_of("orders").tree.listed  # closed 23 hours ago
    world.advance(1 * HOUR)
    assert first.id not in world.stream_of("orders").tree.listed
    assert len(shards_with_records(world)[first.id]) == 2


def test_a_stream_switched_off_and_on_has_a_new_arn_and_may_have_another_view_type() -> None:
    world = make_world()
    world.create_table("orders")
    old = world.stream_of("orders")
    put(world, 1)
    world.disable("orders")
    assert world.put("orders", item(2)) is None
    new = world.enable("orders", "KEYS_ONLY", shards=2)
    assert (new.view_type, len(new.tree.open_shards())) == ("KEYS_ONLY", 2)
    assert new.arn != old.arn and not old.tree.open_shards()
    assert put(world, 3).sequence > max(shard.ending or 0 for shard in old.tree.all())


def test_the_view_type_decides_what_a_record_shows() -> None:
    shown: dict[str, set[str]] = {}
    for view_type in ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
        world = make_world()
        world.create_table("orders", view_type=view_type)
        put(world, 1)
        text = put(world, 1, status="paid").raw.decode()
        shown[view_type] = {image for image in ("NewImage", "OldImage") if image in text}
    assert shown == {
        "KEYS_ONLY": set(),
        "NEW_IMAGE": {"NewImage"},
        "OLD_IMAGE": {"OldImage"},
        "NEW_AND_OLD_IMAGES": {"NewImage", "OldImage"},
    }


def test_a_deletion_by_time_to_live_says_who_did_it() -> None:
    world = make_world()
    world.create_table("orders")
    put(world, 1)
    removed = world.delete("orders", item(1), by_time_to_live=True)
    assert removed
    assert b'"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"}' in (
        removed.raw
    )


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, int]]:
    what = st.sampled_from(["put", "put", "put", "split", "roll-over", "merge", "hours", "off"])
    return draw(st.lists(st.tuples(what, st.integers(0, 9)), max_size=40))


def carry_out(world: World, history: list[tuple[str, int]]) -> None:
    for version, (what, number) in enumerate(history):
        shards = world.stream_of("orders").tree.open_shards()
        chosen = shards[number % len(shards)]
        if what == "put":
            put(world, number, version=str(version))
        elif what == "split":
            world.split("orders", chosen.id)
        elif what == "roll-over":
            world.roll_over("orders", chosen.id)
        elif what == "merge" and len(shards) > 1:
            first = number % (len(shards) - 1)
            world.merge("orders", shards[first].id, shards[first + 1].id)
        elif what == "hours":
            world.advance(number * HOUR)
        elif what == "off":
            world.disable("orders")
            world.enable("orders")


@settings(max_examples=60, deadline=None)
@given(histories())
def test_an_items_records_ascend_along_the_lineage_whatever_happens(
    history: list[tuple[str, int]],
) -> None:
    world = make_world(first_sequence=10**22 - 50_000)  # the numbers grow by a digit on the way
    world.create_table("orders")
    carry_out(world, history)
    by_item: dict[str, list[int]] = defaultdict(list)
    for shards in world.truth("orders").values():
        for records in shards.values():
            found = [record.sequence for record in records]
            assert found == sorted(set(found))
            for record in records:
                by_item[record.key].append(record.sequence)
    assert all(found == sorted(found) for found in by_item.values())
    assert sum(map(len, by_item.values())) == sum(what == "put" for what, _ in history)


@settings(max_examples=30, deadline=None)
@given(histories())
def test_open_shards_own_every_hash_once(history: list[tuple[str, int]]) -> None:
    world = make_world()
    world.create_table("orders", shards=3)
    carry_out(world, history)
    edges = [(s.low, s.high) for s in world.stream_of("orders").tree.open_shards()]
    assert [low for low, _ in edges] == [0, *(high for _, high in edges[:-1])]
    assert edges[-1][1] == HASHES


def test_the_same_seed_and_calls_give_the_same_bytes() -> None:
    def story(seed: int) -> dict[str, Any]:
        world = make_world(seed, limits=Limits(rollover_seconds=HOUR))
        world.create_table("orders", shards=2)
        for number in range(30):
            put(world, number)
            world.advance(300)
        world.split("orders")
        return {
            shard: [record.raw for record in records]
            for shards in world.truth("orders").values()
            for shard, records in shards.items()
        }

    assert story(7) == story(7)
    assert story(7) != story(8)
