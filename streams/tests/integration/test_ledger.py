"""The ledger: a chain without a gap, whose digests can be computed again from what is stored."""

import random

import pytest

from streams.change import LedgerEntry, digest
from streams.models import Batch, Shard
from streams.queries.verify import stored_of
from streams.stages import copy_change
from streams.stages.store import Poison
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import as_change, store_in, tail_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shards() -> list[Shard]:
    """Two shards of one stream, each with a few batches of every kind."""
    stream, dice = make_stream(), random.Random(4711)
    shards = [make_shard(stream), make_shard(stream)]
    sequence = 0
    for number in range(16):
        some = range(sequence, sequence + dice.randrange(4))
        images = {"a": {"S": "\ud800ü\0"}}
        changes = [make_change(stream.pk, n, key=f"k{n % 3}", new=images) for n in some]
        sequence = some.stop + 1
        place = str(sequence).zfill(21)
        bad = [Poison(place, b"?", "broken")] if number % 5 == 4 else []
        store_in(shards[number % 2], *changes, poison=bad, before_start=1, last_sequence=place)
    return shards


def chain(shard: Shard) -> list[Batch]:
    return list(Batch.objects.filter(shard=shard).order_by("number"))


def entry_of(batch: Batch) -> LedgerEntry:
    return LedgerEntry(**{name: getattr(batch, name) for name in LedgerEntry.__struct_fields__})


def test_the_numbers_have_no_gap(shards: list[Shard]) -> None:
    for shard in shards:
        assert [batch.number for batch in chain(shard)] == list(range(1, 9))


def test_each_batch_continues_where_the_last_one_ended(shards: list[Shard]) -> None:
    for shard in shards:
        position = ""
        for batch in chain(shard):
            assert batch.continued_from == position
            position = batch.last_sequence
        assert position == tail_of(shard).position


def test_the_digests_can_be_computed_again_from_the_rows(shards: list[Shard]) -> None:
    for shard in shards:
        last = b""
        for batch in chain(shard):
            rows = stored_of(batch)
            spelled = [copy_change.row(r.stream_id, r.generation, as_change(r)) for r in rows]
            last = digest(last, entry_of(batch), spelled)
            assert bytes(batch.digest) == last
        assert tail_of(shard).digest == last


def test_the_ledger_counts_what_is_stored(shards: list[Shard]) -> None:
    for shard in shards:
        total = 0
        for batch in chain(shard):
            rows = stored_of(batch)
            assert batch.inserts + batch.modifies + batch.removes == len(rows)
            assert batch.size == sum(row.size for row in rows)
            total += len(rows)
        assert Shard.objects.get(pk=shard.pk).changes == total
