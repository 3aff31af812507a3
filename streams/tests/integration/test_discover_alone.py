"""One listing of a stream at a time; and a shard that is gone holds its children back until what
may come before them is read."""

import psycopg
import pytest
from django.db import connection

from streams import locks
from streams.models import Shard, Stream
from streams.stages import discover as discovery
from streams.testing.simulated.world import World
from streams.tests.integration.simulated_reading import TABLE, engine_on, write

pytestmark = pytest.mark.django_db(transaction=True)


def make_world() -> World:
    world = World()
    world.create_table(TABLE)
    write(world, 20)
    return world


def test_while_another_process_lists_the_stream_nothing_is_asked_and_it_stays_due() -> None:
    with engine_on(make_world()) as engine:
        parameters = connection.get_connection_params()
        with psycopg.connect(**{**parameters, "cursor_factory": psycopg.ClientCursor}) as other:
            lock = "SELECT pg_advisory_lock(%s, %s)"
            other.execute(lock, [locks.LISTING, engine.stream.pk])
            assert discovery.claim(engine.stream.pk)
            engine.world.split(TABLE)
            engine.list_shards()
            assert engine.stream.shards.count() == 1
            assert Stream.objects.get(pk=engine.stream.pk).discover_after is None
        engine.list_shards()
        assert engine.stream.shards.count() == 3


@pytest.mark.parametrize("listed_before", [True, False])
def test_the_children_of_a_lost_shard_wait_for_its_parent(listed_before: bool) -> None:
    world = make_world()
    with engine_on(world) as engine:
        child, _ = world.split(TABLE)
        if listed_before:
            engine.list_shards()
        world.lose(child.id)
        write(world, 20, version="in the children and the grandchild")
        for _ in range(4):
            engine.list_shards()
        assert not Shard.objects.get(name=child.id).ended
        engine.read_all()
        engine.assert_stored_equals_written()
        assert Shard.objects.get(name=child.id).ended == "lost"
