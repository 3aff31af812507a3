"""Records that could not be read: tried again or skipped, beside a running poller."""

from typing import Any

import pytest
from django.db.models import F

from streams.change import INSERT, MODIFY, REMOVE
from streams.errors import ReasonMissing, UnreadableRecord
from streams.item_key import canonical, item_id
from streams.models import Batch, Edit, Gap, PoisonRecord, Problem, Shard
from streams.queries.history import versions
from streams.queries.rows import fetch
from streams.queries.verify import verify
from streams.sources.dynamodb import records
from streams.stages import copy_change
from streams.stages.publish import number_batches
from streams.stages.settle import retry, skip
from streams.stages.store import Poison
from streams.testing.factories import make_change, make_shard, make_stream
from streams.testing.simulated.world import World
from streams.tests.integration.simulated_reading import TABLE, Engine, engine_on, write
from streams.tests.integration.storing import alone, in_threads, store_in, stored_in, tail_of

pytestmark = pytest.mark.django_db(transaction=True)

KEY = {"pk": {"S": "key-0"}}
UNREADABLE = b'{"eventName": "UPSERT"}'


class Yesterday:
    """A parser that did not know yet that items are removed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        monkeypatch.setattr(records, "OPERATIONS", (INSERT, MODIFY))

    def is_over(self) -> None:
        self._patch.undo()


@pytest.fixture
def yesterday(monkeypatch: pytest.MonkeyPatch) -> Yesterday:
    return Yesterday(monkeypatch)


def make_world() -> World:
    world = World(1)
    world.create_table(TABLE)
    return world


def write_a_life(world: World) -> None:
    """An item is made, changed, removed and made again."""
    write(world, 2, keys=1, version="first")
    world.delete(TABLE, KEY)
    write(world, 1, keys=1, version="second")


def history(engine: Engine) -> list[str]:
    """The operations of the item, oldest first."""
    item = item_id(engine.stream.pk, canonical(KEY))
    return [v.change.operation for v in reversed(versions(engine.stream, item).versions)]


def sequences(engine: Engine) -> list[int]:
    return sorted(int(change.sequence) for change in engine.stored())


def read_past_poison(engine: Engine, count: int = 1) -> PoisonRecord:
    engine.run_until(
        lambda: (
            PoisonRecord.objects.count() >= count
            and len(engine.stored()) == len(engine.readable()) - count
        )
    )
    return PoisonRecord.objects.latest("pk")


# retry


def test_a_retried_record_takes_its_place_in_its_items_history(yesterday: Yesterday) -> None:
    world = make_world()
    write_a_life(world)
    with engine_on(world) as engine:
        record = read_past_poison(engine)
        before = tail_of(record.shard).position
        assert history(engine) == [INSERT, MODIFY, INSERT]
        yesterday.is_over()
        assert retry(record, "alice")
        assert history(engine) == [INSERT, MODIFY, REMOVE, INSERT]
        assert sequences(engine) == [r.sequence for r in engine.written()]
    record.refresh_from_db()
    assert (record.outcome, record.settled_by) == ("stored", "alice")
    assert record.settled_at
    assert record.problem.resolved_at
    assert tail_of(record.shard).position == before
    assert verify(engine.stream).broken is None


def test_a_retried_change_is_new_in_the_feed(yesterday: Yesterday) -> None:
    world = make_world()
    write_a_life(world)
    with engine_on(world) as engine:
        record = read_past_poison(engine)
        number_batches()
        yesterday.is_over()
        retry(record, "alice")
    newest = Batch.objects.order_by("-feed_position")[0]
    (change,) = fetch("WHERE c.batch_id = %s", [newest.pk])
    assert change.sequence == record.sequence


def test_a_running_poller_loses_its_lease_and_goes_on_after_a_retry(yesterday: Yesterday) -> None:
    world = make_world()
    write_a_life(world)
    with engine_on(world) as engine:
        settled: list[Any] = []

        def settle_once_and_write_on() -> bool:
            kept = PoisonRecord.objects.first()
            if kept and not settled:
                yesterday.is_over()
                token = Shard.objects.get(pk=kept.shard_id).lease_token
                settled.append(token)
                assert in_threads(lambda: retry(kept, "alice")) == [True]
                write(world, 50, version="after")
            return bool(settled) and len(engine.stored()) >= len(engine.written())

        engine.run_until(settle_once_and_write_on)
        assert sequences(engine) == [r.sequence for r in engine.written()]
        assert history(engine)[:4] == [INSERT, MODIFY, REMOVE, INSERT]
    shard = engine.stream.shards.get()
    assert shard.lease_token >= settled[0] + 2  # the retry's, and the poller's after it
    assert verify(engine.stream).broken is None


def test_a_record_of_an_ended_shard_is_retried(yesterday: Yesterday) -> None:
    world = make_world()
    write_a_life(world)
    world.roll_over(TABLE)
    with engine_on(world) as engine:
        engine.run_until(lambda: engine.stream.shards.exclude(ended_at=None).exists())
        record = PoisonRecord.objects.get()
        ended_at = record.shard.ended_at
        yesterday.is_over()
        retry(record, "alice")
        assert history(engine) == [INSERT, MODIFY, REMOVE, INSERT]
    shard = engine.stream.shards.get(pk=record.shard_id)
    assert (shard.ended_at, shard.ended) == (ended_at, Shard.Ended.READ)
    assert verify(engine.stream).broken is None


# The same without a source: what was kept, as it is kept


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream("orders"), "shard-1")


def keep(shard: Shard, raw: bytes, sequence: int = 2) -> PoisonRecord:
    """Two changes, one second apart, with a record between them that cannot be read."""
    numbers = [sequence - 1, sequence + 1]
    changes = [make_change(shard.stream_id, n, occurred=n * 1_000_000) for n in numbers]
    poison = Poison(str(sequence).zfill(21), raw, "no such operation")
    store_in(shard, *changes, poison=[poison])
    return PoisonRecord.objects.latest("pk")


def test_a_retry_that_fails_says_why_and_changes_nothing(shard: Shard) -> None:
    record = keep(shard, UNREADABLE)
    before = Shard.objects.values().get()
    with pytest.raises(UnreadableRecord, match="dynamodb"):
        retry(record, "alice")
    record.refresh_from_db()
    assert (record.outcome, record.settled_at) == ("", None)
    assert Problem.objects.get().resolved_at is None
    assert Shard.objects.values().get() == before


def test_what_postgres_refused_is_retried_as_the_change_it_was(shard: Shard) -> None:
    change = make_change(shard.stream_id, 2, occurred=2_000_000)
    assert retry(keep(shard, copy_change.raw(change)), "alice")
    assert len(stored_in(shard.stream)) == 3


def test_what_postgres_still_refuses_stays_open(shard: Shard) -> None:
    change = make_change(shard.stream_id, 2, occurred=2_000_000)
    # Postgres takes no NUL in text
    record = keep(shard, copy_change.raw(change).replace(b"event-2", b"a\\u0000b"))
    with pytest.raises(UnreadableRecord, match="Postgres cannot hold it"):
        retry(record, "alice")
    assert len(stored_in(shard.stream)) == 2


@pytest.mark.parametrize("at_once", [False, True])
def test_a_record_is_stored_once_however_often_it_is_retried(shard: Shard, at_once: bool) -> None:
    change = make_change(shard.stream_id, 2, occurred=2_000_000)
    record = keep(shard, copy_change.raw(change))
    again = [lambda: retry(record, "alice")] * 4
    done = in_threads(*again) if at_once else [alone(each) for each in again]
    assert sorted(done) == [False, False, False, True]
    assert len(stored_in(shard.stream)) == 3
    assert Batch.objects.filter(shard=shard).count() == 2


def test_a_change_that_is_stored_already_is_not_stored_again(shard: Shard) -> None:
    change = make_change(shard.stream_id, 3, occurred=3_000_000)
    record = keep(shard, copy_change.raw(change))
    assert retry(record, "alice")
    assert len(stored_in(shard.stream)) == 2
    assert Batch.objects.filter(shard=shard).count() == 1


# skip


def test_a_skipped_record_becomes_a_gap_between_its_neighbours(shard: Shard) -> None:
    record = keep(shard, UNREADABLE)
    assert skip(record, "alice", "a test record")
    found = Gap.objects.get()
    assert (found.reason, found.note) == (Gap.Reason.SKIPPED, "a test record")
    assert found.from_sequence == found.to_sequence == record.sequence
    assert found.from_at
    assert (found.from_at.timestamp(), found.to_at.timestamp()) == (1, 3)
    record.refresh_from_db()
    assert (record.outcome, record.settled_by) == ("skipped", "alice")
    edit = Edit.objects.get()
    assert (edit.who, edit.what) == ("alice", "stream orders")
    assert edit.fields == {f"record {record.sequence}": ["open", "skipped: a test record"]}


def test_the_neighbours_may_be_in_other_batches(shard: Shard) -> None:
    store_in(shard, make_change(shard.stream_id, 10, occurred=10_000_000))
    poison = [Poison("20".zfill(21), UNREADABLE, "?"), Poison("", b"7", "?")]
    store_in(shard, poison=poison, first_sequence="20".zfill(21), last_sequence="20".zfill(21))
    store_in(shard, make_change(shard.stream_id, 30, occurred=30_000_000))
    for record in PoisonRecord.objects.all():
        skip(record, "alice", "a test record")
    for found in Gap.objects.all():
        assert found.from_at
        assert (found.from_at.timestamp(), found.to_at.timestamp()) == (10, 30)
    assert Gap.objects.count() == 2


def test_without_neighbours_it_lies_before_it_was_read(shard: Shard) -> None:
    store_in(shard, poison=[Poison("", b"7", "?")])
    record = PoisonRecord.objects.get()
    skip(record, "alice", "a test record")
    found = Gap.objects.get()
    assert (found.from_at, found.to_at) == (None, record.seen_at)


def test_the_items_history_shows_the_gap(shard: Shard) -> None:
    skip(keep(shard, UNREADABLE), "alice", "a test record")
    newest, _ = versions(
        shard.stream, item_id(shard.stream_id, canonical({"pk": {"S": "a"}}))
    ).versions
    assert [g.reason for g in newest.gaps] == [Gap.Reason.SKIPPED]


@pytest.mark.parametrize("reason", ["", "  "])
def test_skipping_needs_a_reason(shard: Shard, reason: str) -> None:
    with pytest.raises(ReasonMissing, match="why"):
        skip(keep(shard, UNREADABLE), "alice", reason)
    assert not Gap.objects.exists()


def test_a_record_is_skipped_once(shard: Shard) -> None:
    record = keep(shard, UNREADABLE)
    again = [lambda: skip(record, "alice", "a test record")] * 4
    assert sorted(in_threads(*again)) == [False, False, False, True]
    assert Gap.objects.count() == 1
    assert not retry_of(record)


def retry_of(record: PoisonRecord) -> bool:
    """A skipped record whose bytes can be read now stays skipped."""
    change = make_change(record.shard.stream_id, 2)
    PoisonRecord.objects.filter(pk=record.pk).update(raw=copy_change.raw(change))
    return retry(PoisonRecord.objects.get(pk=record.pk), "bob")


def test_the_problem_is_open_until_its_last_record_is_settled(shard: Shard) -> None:
    first, second = keep(shard, UNREADABLE), keep(shard, UNREADABLE, sequence=12)
    assert first.problem_id == second.problem_id
    skip(first, "alice", "a test record")
    assert Problem.objects.get().resolved_at is None
    skip(second, "alice", "a test record")
    assert Problem.objects.get().resolved_at


def test_two_who_settle_the_last_two_records_resolve_the_problem(shard: Shard) -> None:
    for sequence in range(2, 34, 4):
        keep(shard, UNREADABLE, sequence)
    kept = list(PoisonRecord.objects.all())
    in_threads(*[lambda r=r: skip(r, "alice", "a test record") for r in kept])
    assert Problem.objects.filter(last_seen__lte=F("resolved_at")).count() == 1
