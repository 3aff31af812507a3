"""A stream's shards: each with its own state, the worst first, and no more than a page of them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streams.models import Batch, Gap, Heartbeat, Poller, Shard, Stream
from streams.queries import shards
from streams.queries.overview import statuses
from streams.queries.shards import ShardStatus, shard_statuses
from streams.stages.report import report
from streams.testing.factories import make_shard, make_stream

pytestmark = pytest.mark.django_db(transaction=True)


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


@pytest.fixture
def stream() -> Stream:
    stream = make_stream()
    Stream.objects.update(created_at=ago(days=9))
    Poller.objects.create(number=1, owner="a", expires_at=ago(minutes=-9))
    Heartbeat.objects.create(name="beat", seen_at=ago(minutes=-9))
    return Stream.objects.get(pk=stream.pk)


def read_shard(stream: Stream, name: str, *, age: float = 1, **fields: Any) -> Shard:
    given = {"last_read_at": ago(seconds=age), "caught_up_at": ago(seconds=age), **fields}
    return make_shard(stream, name, **given)


def found(stream: Stream) -> dict[str, ShardStatus]:
    return {shard.name: shard for shard in shard_statuses(stream).shards}


def test_a_shard_says_who_has_it_and_where_it_stands(stream: Stream) -> None:
    parent = read_shard(stream, "a", ended_at=timezone.now(), ended="read")
    lease: dict[str, Any] = {"lease_owner": "host:1:x", "lease_expires_at": ago(seconds=-9)}
    read_shard(stream, "b", parent=parent, position="42", closed=True, changes=7, **lease)
    child = found(stream)["b"]
    assert (child.parent, child.generation, child.arn) == ("a", 1, stream.arn)
    assert (child.owner, child.position, child.closed, child.changes) == ("host:1:x", "42", True, 7)
    assert (child.state, child.lag_seconds, child.time_left_seconds) == ("idle", 0, None)
    assert 1 <= (child.read_seconds or 0) < 10


def test_an_owner_whose_lease_ran_out_is_none(stream: Stream) -> None:
    read_shard(stream, "a", lease_owner="host:1:x", lease_expires_at=ago(seconds=1))
    assert found(stream)["a"].owner == ""


def test_the_worst_comes_first_each_with_its_own_state(stream: Stream) -> None:
    ended = read_shard(stream, "ended", ended_at=timezone.now(), ended="read")
    read_shard(stream, "well", parent=ended)
    stalled = read_shard(stream, "stalled", age=60)
    read_shard(stream, "behind", caught_up_at=ago(hours=2))
    read_shard(stream, "losing", caught_up_at=ago(hours=21))
    make_shard(stream, "waiting", parent=stalled)
    make_shard(stream, "gone", ended_at=timezone.now(), ended="lost")
    expected = ["gone", "losing", "stalled", "behind", "waiting", "well", "ended"]
    assert [shard.name for shard in shard_statuses(stream).shards] == expected
    states = [shard.state for shard in shard_statuses(stream).shards]
    assert states == ["lost", "losing", "stalled", "behind", "waiting", "idle", "ended"]


def test_the_stream_is_as_bad_as_its_worst_shard(stream: Stream) -> None:
    read_shard(stream, "well")
    read_shard(stream, "behind", caught_up_at=ago(hours=2))
    (status,) = statuses()
    worst = shard_statuses(stream).shards[0]
    assert (status.state, status.sentence) == (worst.state, worst.sentence)
    assert abs((status.time_left_seconds or 0) - (worst.time_left_seconds or 0)) < 5
    assert abs((worst.time_left_seconds or 0) - 22 * 3600) < 60


def test_a_waiting_shard_says_for_what(stream: Stream) -> None:
    make_shard(stream, "b", parent=read_shard(stream, "a"))
    make_shard(stream, "c", generation=2)
    assert found(stream)["b"].sentence == "Waits until its parent a is read to its end."
    assert "earlier ARN" in found(stream)["c"].sentence


def test_a_problem_about_a_shard_is_its_alone(stream: Stream) -> None:
    read_shard(stream, "a", age=60)
    read_shard(stream, "b", age=60)
    report("access-denied", "Denied.", "Allow it.", stream=stream, about="a")
    assert (found(stream)["a"].state, found(stream)["a"].error) == ("blocked", "Denied. Allow it.")
    assert (found(stream)["b"].state, found(stream)["b"].error) == ("stalled", "")


def test_a_problem_of_the_stream_is_every_shards_cause(stream: Stream) -> None:
    read_shard(stream, "a", age=60)
    report("wrong-region", "Wrong region.", stream=stream)
    assert (found(stream)["a"].state, found(stream)["a"].error) == ("blocked", "")


def test_a_gap_is_its_own_shards(stream: Stream) -> None:
    shard = read_shard(stream, "a", age=90_000)
    read_shard(stream, "b")
    times = {"from_at": ago(hours=25), "to_at": ago(hours=24)}
    gap = Gap.objects.create(stream=stream, shard=shard, reason="unread", growing=True, **times)
    assert (found(stream)["a"].state, found(stream)["b"].state) == ("lost", "idle")
    assert found(stream)["a"].time_left_seconds == 0
    Gap.objects.filter(pk=gap.pk).update(growing=False, harmless_at=timezone.now())
    assert found(stream)["a"].state == "losing"


def test_a_throttled_shard_says_how_much_lately(stream: Stream) -> None:
    shard = read_shard(stream, "a", throttled_at=timezone.now(), throttled_percent=40)
    assert found(stream)["a"].throttled_percent == 40
    Shard.objects.filter(pk=shard.pk).update(throttled_at=ago(minutes=2))
    assert found(stream)["a"].throttled_percent == 0


def test_more_shards_than_the_most_leave_out_the_best(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "MOST", 2)
    read_shard(stream, "ended", ended_at=timezone.now(), ended="read")
    read_shard(stream, "well")
    read_shard(stream, "behind", caught_up_at=ago(hours=2))
    page = shard_statuses(stream)
    assert ([shard.name for shard in page.shards], page.more) == (["behind", "well"], True)


# Growing or shrinking, from the ledger


def store_batch(shard: Shard, number: int, *, stored: float, lag: float) -> None:
    """A batch that was stored so many seconds ago and was behind by so many then."""
    Batch.objects.create(
        stream=shard.stream,
        shard=shard,
        number=number,
        first_sequence="1",
        last_sequence="1",
        newest_change_at=ago(seconds=stored + lag),
        read_at=ago(seconds=stored),
        stored_at=ago(seconds=stored),
        lease_token=1,
        digest=b"",
    )


@pytest.mark.parametrize(
    ("before", "says"),
    [(100, ", growing."), (601, "."), (790, ", shrinking: caught up in about 5 min.")],
)
def test_a_lag_is_compared_with_that_of_the_batches_before(
    stream: Stream, before: float, says: str
) -> None:
    shard = read_shard(stream, "a", caught_up_at=None, newest_change_at=ago(minutes=10))
    store_batch(shard, 1, stored=200, lag=9_000)  # too long ago
    store_batch(shard, 2, stored=120, lag=5_000)
    store_batch(shard, 3, stored=90, lag=before)
    store_batch(shard, 4, stored=10, lag=600)  # too short ago
    (status,) = statuses()
    sentence = f"Behind by 10 min 0 s{says}"
    assert (found(stream)["a"].sentence, status.sentence) == (sentence, sentence)


def test_a_shard_that_fell_behind_just_now_says_no_more(stream: Stream) -> None:
    shard = read_shard(stream, "a", caught_up_at=None, newest_change_at=ago(minutes=10))
    store_batch(shard, 1, stored=10, lag=600)
    assert found(stream)["a"].sentence == "Behind by 10 min 0 s."


# What it costs


def test_a_thousand_shards_cost_no_more_queries_than_one(stream: Stream) -> None:
    parents = [read_shard(stream, f"p{n}", ended_at=timezone.now(), ended="read") for n in range(5)]
    at = ago(seconds=1)
    Shard.objects.bulk_create(
        Shard(
            stream=stream,
            generation=1,
            arn=stream.arn,
            name=f"s{number}",
            parent=parents[number % 5],
            last_read_at=at,
            caught_up_at=at,
        )
        for number in range(1_000)
    )
    with CaptureQueriesContext(
        connection,
    ) as captured:
        (status,) = statuses()
        page = shard_statuses(stream)
    assert (status.shards_open, status.state) == (1_000, "idle")
    assert (len(page.shards), page.more) == (1_000, True)
    assert len(captured) < 12
    asked = " ".join(query["sql"] for query in captured.captured_queries)
    assert "streams_change " not in asked  # nothing counts changes
