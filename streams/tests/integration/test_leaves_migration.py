"""The migration to leaves per stream keeps every row, each once, there and back."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from streams import partitions
from streams.indexing import next_day
from streams.models import Shard
from streams.queries.rows import StoredChange
from streams.queries.verify import verify
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.retaining import change_at
from streams.tests.integration.storing import store_in, stored_in

pytestmark = pytest.mark.django_db(transaction=True)

MIDNIGHT = 1_835_395_200_000_000  # 2028-02-29, in microseconds


@pytest.fixture
def shards() -> Iterator[list[Shard]]:
    """A stream with leaves of a day and one with leaves of a week, with months of changes."""
    clear()
    shards = [make_shard(make_stream(keep_days=days)) for days in (7, None)]
    for shard in shards:
        border = [MIDNIGHT - 1, MIDNIGHT, MIDNIGHT + 86_400_000_000 - 1]
        some = [make_change(shard.stream_id, n, occurred=at) for n, at in enumerate(border)]
        store_in(shard, *some, *[change_at(shard, ago, 100 - ago) for ago in range(60, 0, -6)])
    yield shards
    call_command("migrate", verbosity=0)


def clear() -> None:
    """Without what other tests left: a migration locks every leaf there is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits "
            "WHERE inhparent = 'streams_change'::regclass"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TABLE {name}")


def rows(shards: list[Shard]) -> list[list[StoredChange]]:
    return [stored_in(shard.stream) for shard in shards]


def migrate(*name: str) -> None:
    """To a migration, or to the newest."""
    call_command("migrate", "streams", *name, verbosity=0)


def indexes_of(leaf: partitions.Leaf) -> list[str]:
    """What the leaf's indexes are, without its name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = %s", [leaf.name])
        return sorted(row[0].replace(leaf.name, "LEAF") for row in cursor.fetchall())


def partitions_of(name: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relid::regclass::text FROM pg_partition_tree(%s) WHERE isleaf ORDER BY 1",
            [name],
        )
        return [row[0] for row in cursor.fetchall()]


def test_rows_go_back_and_forth(shards: list[Shard]) -> None:
    before = rows(shards)
    leaves = [partitions.leaves_of(shard.stream_id) for shard in shards]
    migrate("0003")
    assert "streams_change_20280229" in partitions_of("streams_change")
    assert rows(shards) == before
    migrate()
    assert rows(shards) == before
    assert [partitions.leaves_of(shard.stream_id) for shard in shards] == leaves
    assert [verify(shard.stream).broken for shard in shards] == [None, None]


def test_what_is_stored_between_is_kept_and_storing_goes_on(shards: list[Shard]) -> None:
    migrate("0003")
    with connection.cursor() as cursor:
        # A change as the version before stored it, with a batch of its own.
        cursor.execute(
            """INSERT INTO streams_change SELECT occurred_at + interval '1 hour', batch_id,
                   stream_id, ordinal + 1000, size, generation, operation, item,
                   overlay(sequence PLACING '9' FROM 3 FOR 1), event_id, keys, old, new, changed,
                   user_identity
               FROM streams_change WHERE stream_id = %s AND ordinal = 1""",
            [shards[0].stream_id],
        )
        assert cursor.rowcount == 1
    migrate()
    assert [len(found) for found in rows(shards)] == [14, 13]
    for shard in shards:
        store_in(shard, change_at(shard, 1, 200), change_at(shard, 1, 200 - 1))
    assert [len(found) for found in rows(shards)] == [16, 15]


def test_each_change_is_there_once_afterwards(shards: list[Shard]) -> None:
    migrate("0003")
    migrate()
    with connection.cursor() as cursor, pytest.raises(IntegrityError):
        cursor.execute("INSERT INTO streams_change SELECT * FROM streams_change")


def test_older_leaves_get_the_indexes_of_new_ones(shards: list[Shard]) -> None:
    partitions.ensure(shards[0].stream_id, [date(2031, 1, 1)])
    leaves = partitions.leaves_of(shards[0].stream_id)
    wanted = indexes_of(leaves[-1])
    assert len(wanted) == 6
    migrate("0003")
    migrate()
    assert [indexes_of(leaf) for leaf in leaves[:-1]] == [wanted] * (len(leaves) - 1)
    shards[0].stream.refresh_from_db()
    # What was there has no terms.
    assert shards[0].stream.indexed_since == next_day(datetime.now(UTC))


def test_an_empty_table_goes_back_and_forth() -> None:
    clear()
    migrate("0003")
    migrate()
    assert partitions_of("streams_change") == []
