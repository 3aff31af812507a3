"""Store: all of a batch or none of it, for the holder of the lease only."""

import pytest
from django.db import OperationalError, connection
from msgspec.structs import replace

from streams.change import INSERT, REMOVE, moment
from streams.errors import LeaseLost
from streams.models import Batch, PoisonRecord, Problem, Shard
from streams.stages import copy_change
from streams.stages.store import Poison, store
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import (
    batch_of,
    last_batch,
    store_in,
    stored_in,
    tail_of,
    target_of,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream())


def assert_nothing_stored(shard: Shard) -> None:
    assert stored_in(shard.stream) == []
    assert not Batch.objects.filter(shard=shard).exists()
    assert tail_of(shard).number == 0
    assert tail_of(shard).position == ""


def test_it_moves_the_position_with_the_changes(shard: Shard) -> None:
    changes = [make_change(shard.stream_id, n) for n in (1, 2)]
    tail = store_in(shard, *changes)
    assert [row.sequence for row in stored_in(shard.stream)] == [c.sequence for c in changes]
    assert tail == tail_of(shard)
    assert (tail.number, tail.position) == (1, changes[-1].sequence)


def test_it_counts_in_the_ledger_what_it_stored(shard: Shard) -> None:
    operations = [INSERT, REMOVE, REMOVE]
    changes = [make_change(shard.stream_id, n, operation=o) for n, o in enumerate(operations, 1)]
    store_in(shard, *changes, before_start=4, repeated=5)
    batch = last_batch(shard)
    assert (batch.inserts, batch.modifies, batch.removes) == (1, 0, 2)
    assert (batch.before_start, batch.repeated, batch.poison, batch.size) == (4, 5, 0, 300)
    shard.refresh_from_db()
    assert shard.changes == 3


def test_it_stores_nothing_when_a_part_of_it_fails(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = copy_change.copy

    def fail_after_copy(*arguments: int) -> None:
        whole(*arguments)  # type: ignore[arg-type]
        raise RuntimeError("the process dies here")

    monkeypatch.setattr(copy_change, "copy", fail_after_copy)
    with pytest.raises(RuntimeError):
        store_in(shard, make_change(shard.stream_id, 1))
    assert_nothing_stored(shard)


def test_it_stores_nothing_with_an_old_token(shard: Shard) -> None:
    old = target_of(shard, token=1)
    target_of(shard, token=2)
    with pytest.raises(LeaseLost):
        store(old, tail_of(shard), batch_of(make_change(shard.stream_id, 1)))
    assert_nothing_stored(shard)


def test_it_stores_nothing_after_another_batch_than_it_knows(shard: Shard) -> None:
    target, stale = target_of(shard), tail_of(shard)
    store_in(shard, make_change(shard.stream_id, 1))
    with pytest.raises(LeaseLost):
        store(target, stale, batch_of(make_change(shard.stream_id, 2)))
    assert len(stored_in(shard.stream)) == 1
    assert tail_of(shard).number == 1


def test_it_stores_nothing_for_a_shard_that_ended(shard: Shard) -> None:
    store_in(shard, make_change(shard.stream_id, 1), ended=True)
    with pytest.raises(LeaseLost):
        store_in(shard, make_change(shard.stream_id, 2))
    assert len(stored_in(shard.stream)) == 1


def test_it_ends_the_shard_with_its_last_batch(shard: Shard) -> None:
    store_in(shard, make_change(shard.stream_id, 1), ended=True)
    shard.refresh_from_db()
    assert shard.ended == Shard.Ended.READ
    assert shard.ended_at


def test_an_empty_last_page_keeps_the_position(shard: Shard) -> None:
    store_in(shard, make_change(shard.stream_id, 7))
    position = tail_of(shard).position
    store_in(shard, ended=True, last_sequence=position)
    assert tail_of(shard).position == position
    assert last_batch(shard).number == 2


def test_it_counts_a_replayed_batch_as_repeated(shard: Shard) -> None:
    changes = [make_change(shard.stream_id, n) for n in (1, 2, 3)]
    store_in(shard, *changes)
    store_in(shard, *changes)
    assert len(stored_in(shard.stream)) == 3
    assert (last_batch(shard).repeated, last_batch(shard).modifies) == (3, 0)


def test_it_stores_what_is_new_in_a_half_replayed_batch(shard: Shard) -> None:
    store_in(shard, *[make_change(shard.stream_id, n) for n in (1, 2)])
    store_in(shard, *[make_change(shard.stream_id, n) for n in (2, 3)])
    assert [int(row.sequence) for row in stored_in(shard.stream)] == [1, 2, 3]
    assert (last_batch(shard).repeated, last_batch(shard).modifies) == (1, 1)


def test_it_takes_no_change_of_another_generation_for_a_repeat(shard: Shard) -> None:
    """DynamoDB Local counts its sequences from 1 again, and its times are whole minutes."""
    stream, minute = shard.stream, 1_800_000_000_000_000
    first, second = [make_change(stream.pk, n, occurred=minute) for n in (1, 2)]
    store_in(shard, first)
    younger = make_shard(stream, generation=2)
    store_in(younger, second)
    store_in(younger, first, second)
    assert len(stored_in(stream)) == 3


@pytest.mark.parametrize("image", [b'{"a":{"S":"\x00"}}', b'{"a":{"S":"\xff"}}', b'{"a":'])
def test_a_change_that_postgres_refuses_is_kept_beside_its_neighbours(
    shard: Shard, image: bytes
) -> None:
    good, other = [make_change(shard.stream_id, n) for n in (1, 3)]
    bad = replace(make_change(shard.stream_id, 2), new=image)
    store_in(shard, good, bad, other)
    assert [int(row.sequence) for row in stored_in(shard.stream)] == [1, 3]
    assert PoisonRecord.objects.get(shard=shard).sequence == bad.sequence
    assert last_batch(shard).poison == 1


def test_poison_is_kept_with_its_raw_bytes_and_a_problem(shard: Shard) -> None:
    raw = b'{"eventName": "\xff'
    store_in(shard, poison=[Poison("5", raw, "broken")], last_sequence="5", first_sequence="5")
    assert bytes(PoisonRecord.objects.get(shard=shard).raw) == raw
    problem = Problem.objects.get(stream=shard.stream)
    assert (problem.kind, problem.resolved_at) == ("poison-record", None)
    assert tail_of(shard).position == "5"


def test_the_time_of_reading_is_before_the_time_of_storing(shard: Shard) -> None:
    store_in(shard, make_change(shard.stream_id, 1), read_age=5.0)
    batch = last_batch(shard)
    assert 4.5 < (batch.stored_at - batch.read_at).total_seconds() < 6


def test_the_newest_change_is_never_moved_back(shard: Shard) -> None:
    later, earlier = 1_800_000_060_000_000, 1_800_000_000_000_000
    store_in(shard, make_change(shard.stream_id, 1, occurred=later))
    store_in(shard, make_change(shard.stream_id, 2, occurred=earlier))
    shard.refresh_from_db()
    assert shard.newest_change_at == moment(later)


def test_a_connection_that_breaks_while_storing_stores_nothing(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(*_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patched:
        patched.setattr(copy_change, "copy", cut_off)
        with pytest.raises(OperationalError):
            store_in(shard, make_change(shard.stream_id, 1))
    connection.close()
    assert_nothing_stored(shard)
