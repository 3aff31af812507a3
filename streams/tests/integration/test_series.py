"""Series: counts over time, exact before and after the ledger is rolled up."""

from datetime import UTC, datetime, timedelta

import pytest

from streams.bins import Bin
from streams.change import INSERT, MODIFY, REMOVE
from streams.models import FeedHead, Shard
from streams.queries import series
from streams.queries.series import rest, stretches
from streams.stages.roll_up import roll_up
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.test_roll_up import make_batch

pytestmark = pytest.mark.django_db(transaction=True)

SINCE = datetime(2026, 11, 21, 10, tzinfo=UTC)
HOUR = SINCE + timedelta(hours=1)


def at(minutes: float) -> datetime:
    return SINCE + timedelta(minutes=minutes)


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream())


def throughput(
    streams: list[int] | None, since: datetime, until: datetime, bins: int
) -> dict[int, list[Bin]]:
    found = stretches(streams, since, until, bins)
    return {stream: [stretch.bin for stretch in row] for stream, row in found.items()}


def totals(shard: Shard, bins: int = 4) -> list[int]:
    found = throughput([shard.stream_id], SINCE, HOUR, bins)
    return [bin_.total for bin_ in found.get(shard.stream_id, [])]


def test_each_batch_counts_in_the_part_in_which_it_was_stored(shard: Shard) -> None:
    for number, minutes in enumerate([-0.01, 0, 14.99, 15, 59.99, 60], start=1):
        make_batch(shard, number, at(minutes), feed_position=number)
    assert totals(shard) == [12, 6, 0, 6]
    roll_up()
    assert totals(shard) == [12, 6, 0, 6]


def test_a_part_says_when_it_begins_and_what_it_counted(shard: Shard) -> None:
    make_batch(shard, 1, at(20), feed_position=1)
    found = throughput([shard.stream_id], SINCE, HOUR, 2)[shard.stream_id]
    assert found == [Bin(SINCE, {INSERT: 1, MODIFY: 2, REMOVE: 3}), Bin(at(30), {})]


def test_what_is_half_rolled_up_or_not_even_numbered_counts_once(shard: Shard) -> None:
    make_batch(shard, 1, at(1), feed_position=1)
    roll_up()
    make_batch(shard, 2, at(1.1), feed_position=2)
    make_batch(shard, 3, at(1.2))
    assert totals(shard, 60)[1] == 18


def test_streams_are_kept_apart(shard: Shard) -> None:
    other, silent = make_shard(make_stream()), make_shard(make_stream())
    make_batch(shard, 1, at(1), feed_position=1)
    make_batch(other, 1, at(2), feed_position=2)
    roll_up()
    make_batch(other, 2, at(3), feed_position=3)
    found = throughput(None, SINCE, HOUR, 1)
    assert {stream: row[0].total for stream, row in found.items()} == {
        shard.stream_id: 6,
        other.stream_id: 12,
    }
    assert list(throughput([other.stream_id, silent.stream_id], SINCE, HOUR, 1)) == [
        other.stream_id
    ]


def test_lags_are_the_worst_and_unknown_where_nothing_was_stored(shard: Shard) -> None:
    make_batch(shard, 1, at(1), feed_position=1)
    make_batch(shard, 2, at(2), feed_position=2, newest_change_at=at(1))
    roll_up()
    make_batch(shard, 3, at(31), feed_position=3, newest_change_at=None)
    first, second, third = stretches([shard.stream_id], SINCE, at(90), 3)[shard.stream_id]
    assert (first.source_lag, first.pipeline_lag, first.batches) == (60, 0.25, 2)
    assert (second.source_lag, second.pipeline_lag, second.size) == (None, 0.25, 100)
    assert (third.source_lag, third.pipeline_lag, third.batches) == (None, None, 0)


def test_odd_times_are_widened_to_whole_minutes(shard: Shard) -> None:
    make_batch(shard, 1, at(0.1), feed_position=1)
    make_batch(shard, 2, at(59.9), feed_position=2)
    roll_up()
    found = throughput([shard.stream_id], at(0.5), at(59.2), 60)[shard.stream_id]
    assert [found[0].total, found[59].total, len(found)] == [6, 6, 60]
    assert found[0].start == SINCE


def test_a_roll_up_far_behind_is_told_and_bounds_the_query(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "MOST_REST", 2)
    for number in range(1, 5):
        make_batch(shard, number, at(number * 15 - 1), feed_position=number)
    FeedHead.objects.update_or_create(pk=1, defaults={"position": 4})
    assert (rest(), totals(shard)) == (4, [0, 0, 6, 6])
    roll_up()
    assert (rest(), totals(shard)) == (0, [6, 6, 6, 6])
