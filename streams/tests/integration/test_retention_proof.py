"""After drops the ledger still proves the rest: what is missing must have been dropped."""

import pytest
from django.db import connection

from streams.models import Batch, Cut, Drop, Remainder, Shard
from streams.queries.verify import verify
from streams.stages import retain as stage
from streams.stages.publish import number_batches
from streams.testing.factories import make_shard
from streams.tests.integration.retaining import (
    caught_up,
    change_at,
    days_stored,
    leaf_of,
    lived,
    retain_now,
    watched,
)
from streams.tests.integration.storing import last_batch, store_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    """Twelve days of changes, the oldest four past retention, with one batch on the border: of its
    six changes two are dropped with each of the two oldest days."""
    shard = watched(7)
    lived(shard, 11, 10)
    across = [change_at(shard, ago, 100 + n, hours=n) for n, ago in enumerate((9, 9, 8, 8, 7, 6))]
    store_in(shard, *across)
    lived(shard, 5, 4, 0)
    other = make_shard(shard.stream)
    caught_up(shard, other)
    store_in(other, change_at(shard, 3, 500))
    number_batches()
    return shard


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def broken(shard: Shard) -> str:
    return verify(shard.stream).broken or ""


def test_what_was_dropped_may_be_missing(shard: Shard) -> None:
    before = verify(shard.stream)
    retain_now(shard.stream)
    after = verify(shard.stream)
    assert (before.broken, after.broken) == (None, None)
    assert before.changes - after.changes == 8
    assert days_stored(shard.stream)[:2] == [7, 6]


def test_the_ledger_is_cut_behind_and_goes_on_from_there(shard: Shard) -> None:
    retain_now(shard.stream)
    assert Batch.objects.filter(shard=shard).earliest("number").number == 3
    assert Cut.objects.get(shard=shard).number == 2
    assert Remainder.objects.get().changes == 2
    store_in(shard, change_at(shard, 0, 600))
    assert verify(shard.stream).broken is None


def test_all_of_a_shard_may_be_dropped(shard: Shard) -> None:
    for keep_days in (5, 2):
        shard.stream.keep_days = keep_days
        shard.stream.save()
        retain_now(shard.stream)
        assert broken(shard) == ""
    assert days_stored(shard.stream) == [0, 0]
    assert not Remainder.objects.exists()
    assert Batch.objects.filter(stream=shard.stream).count() == 1


def test_the_cut_is_made_in_slices(shard: Shard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "_SLICE", 1)
    retain_now(shard.stream)
    assert Cut.objects.get(shard=shard).number == 2
    assert broken(shard) == ""


def test_batches_that_are_not_cut_yet_are_explained_by_the_drop(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "_cut_ledger", lambda _: None)
    retain_now(shard.stream)
    assert Batch.objects.filter(shard=shard).earliest("number").number == 1
    assert broken(shard) == ""


def test_an_empty_batch_goes_when_its_time_is_dropped(shard: Shard) -> None:
    empty = make_shard(shard.stream)
    store_in(empty, last_sequence="1", before_start=3)
    number_batches()
    caught_up(empty)
    retain_now(shard.stream)
    assert Batch.objects.filter(shard=empty).exists()
    Batch.objects.filter(shard=empty).update(stored_at="2020-01-01T00:00Z")
    retain_now(shard.stream)
    assert not Batch.objects.filter(shard=empty).exists()
    assert broken(shard) == ""


# What verify must find, before or after drops


def test_a_leaf_that_was_removed_by_hand_is_found(shard: Shard) -> None:
    retain_now(shard.stream)
    run(f"DROP TABLE {leaf_of(shard.stream, 4).name}")
    assert "0 changes are stored, the ledger counts another number" in broken(shard)


def test_a_leaf_that_was_removed_by_hand_is_not_hidden_by_a_later_drop(shard: Shard) -> None:
    run(f"DROP TABLE {leaf_of(shard.stream, 10).name}")
    retain_now(shard.stream)
    assert "batch 2: 0 changes are stored" in broken(shard)


@pytest.mark.parametrize("days_ago", [7, 6])
def test_what_is_left_of_a_cut_batch_cannot_be_altered(shard: Shard, days_ago: int) -> None:
    retain_now(shard.stream)
    run(f"UPDATE {leaf_of(shard.stream, days_ago).name} SET size = size + 1")
    assert "altered" in broken(shard)


@pytest.mark.parametrize("days_ago", [7, 6])
def test_what_is_left_of_a_cut_batch_cannot_go(shard: Shard, days_ago: int) -> None:
    retain_now(shard.stream)
    run(f"DELETE FROM {leaf_of(shard.stream, days_ago).name}")
    assert "1 changes are stored" in broken(shard)


def test_a_drop_does_not_bless_what_was_altered_before(shard: Shard) -> None:
    run(f"UPDATE {leaf_of(shard.stream, 7).name} SET size = size + 1")
    retain_now(shard.stream)
    assert "batch 3" in broken(shard)


def test_another_row_of_a_cut_batch_is_found(shard: Shard) -> None:
    retain_now(shard.stream)
    Batch.objects.filter(shard=shard, number=3).update(modifies=7)
    assert "altered" in broken(shard)


def test_more_batches_than_retention_cut_are_missed(shard: Shard) -> None:
    retain_now(shard.stream)
    run("DELETE FROM streams_remainder")
    Batch.objects.filter(shard=shard, number=3).delete()
    assert "batch 3 is missing" in broken(shard)


def test_a_cut_without_a_drop_is_found(shard: Shard) -> None:
    retain_now(shard.stream)
    Drop.objects.all().delete()
    assert "no drop explains that" in broken(shard)


def test_a_drop_explains_only_its_range(shard: Shard) -> None:
    retain_now(shard.stream)
    run(f"DELETE FROM {leaf_of(shard.stream, 3).name}")
    assert "0 changes are stored" in broken(shard)


def test_a_change_that_was_smuggled_in_is_found(shard: Shard) -> None:
    run(
        f"INSERT INTO {leaf_of(shard.stream, 4).name} SELECT occurred_at, batch_id + 1000, "
        "stream_id, ordinal, size, generation + 1, operation, item, sequence, event_id, keys "
        f"FROM {leaf_of(shard.stream, 4).name}"
    )
    assert "is in no batch of the ledger" in broken(shard)


def test_a_batch_after_the_shards_end_is_found(shard: Shard) -> None:
    batch = last_batch(shard)
    Batch.objects.filter(pk=batch.pk).update(number=batch.number + 1)
    assert "is missing" in broken(shard) or "the ledger at" in broken(shard)
