"""Discover: which shards there are, however the source lists them; what is lost makes a gap."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streams.errors import ShardGone, SourceRefused, SourceUnavailable
from streams.models import Gap, Problem, Shard, Stream
from streams.stages import discover as discovery
from streams.stages import lease
from streams.testing.factories import make_stream
from streams.testing.scripted import ScriptedSource

pytestmark = pytest.mark.django_db(transaction=True)

NEXT_ARN = "arn:aws:dynamodb:eu-central-1:1:table/t/stream/2026-11-21T10:00:00.123"


@pytest.fixture
def stream() -> Stream:
    return make_stream()


@pytest.fixture
def source(stream: Stream) -> ScriptedSource:
    return ScriptedSource(stream.arn)


def discover(stream: Stream, source: ScriptedSource, **options: Any) -> dict[str, Shard]:
    """List, and return the shards by their names."""
    discovery.discover(Stream.objects.get(pk=stream.pk), source, **options)
    return {shard.name: shard for shard in stream.shards.select_related("parent")}


def end(stream: Stream, *names: str) -> None:
    stream.shards.filter(name__in=names).update(ended_at=datetime.now(UTC), ended="read")


def readable() -> set[str]:
    return {leased.name for leased in lease.acquire("anybody", 100)}


def test_it_finds_every_shard_with_its_parent(stream: Stream, source: ScriptedSource) -> None:
    source.add("a", closed=True)
    source.add("b", "a")
    shards = discover(stream, source)
    assert shards["b"].parent == shards["a"]
    assert (shards["a"].closed, shards["b"].closed) == (True, False)
    assert all(shard.listed and shard.ended_at is None for shard in shards.values())


def test_listing_again_changes_nothing(stream: Stream, source: ScriptedSource) -> None:
    source.add("a", closed=True)
    source.add("b", "a")
    before = [vars(shard) for shard in discover(stream, source).values()]
    after = [vars(shard) for shard in discover(stream, source).values()]
    unlike = {"_state"}
    assert [{k: v for k, v in row.items() if k not in unlike} for row in before] == [
        {k: v for k, v in row.items() if k not in unlike} for row in after
    ]


def test_it_notes_a_shard_that_was_closed(stream: Stream, source: ScriptedSource) -> None:
    shard = source.add("a")
    discover(stream, source)
    shard.closed = True
    assert discover(stream, source)["a"].closed


def test_a_child_listed_on_a_page_before_its_parent_waits_for_it(
    stream: Stream, source: ScriptedSource
) -> None:
    source.listed_per_page = 1
    source.add("child", "parent")
    source.add("parent", closed=True)
    shards = discover(stream, source)
    assert shards["child"].parent == shards["parent"]
    assert readable() == {"parent"}


def test_a_child_waits_for_a_parent_on_a_page_that_failed(
    stream: Stream, source: ScriptedSource
) -> None:
    source.listed_per_page = 1
    source.add("child", "parent")
    source.add("parent", closed=True)
    source.faults["page"] = [SourceUnavailable("half way")]
    shards = discover(stream, source)
    assert not shards["parent"].listed
    assert readable() == set()
    discover(stream, source)
    assert readable() == {"parent"}


def test_a_listing_that_fails_half_way_keeps_what_it_got(
    stream: Stream, source: ScriptedSource
) -> None:
    source.listed_per_page = 2
    for name in "abc":
        source.add(name)
    source.faults["page"] = [SourceUnavailable("half way")]
    assert set(discover(stream, source)) == {"a", "b"}
    assert Problem.objects.get(stream=stream).kind == "unreachable"
    assert set(discover(stream, source)) == {"a", "b", "c"}
    assert not Problem.objects.filter(resolved_at=None).exists()


def test_a_listing_that_fails_half_way_proves_no_shard_gone(
    stream: Stream, source: ScriptedSource
) -> None:
    source.listed_per_page = 1
    for name in "abc":
        source.add(name)
    discover(stream, source)
    source.faults["page"] = [SourceUnavailable("1"), SourceUnavailable("2")]
    discover(stream, source)
    assert all(s.listed and not s.ended_at for s in discover(stream, source).values())


def test_a_shard_is_lost_only_after_two_listings_without_it(
    stream: Stream, source: ScriptedSource
) -> None:
    source.add("a")
    discover(stream, source)
    del source.streams[stream.arn]["a"]
    once = discover(stream, source)["a"]
    assert (once.listed, once.ended_at) == (False, None)
    assert not Gap.objects.exists()
    assert discover(stream, source)["a"].ended == Shard.Ended.LOST


def test_a_missing_shard_makes_a_listing_due(stream: Stream, source: ScriptedSource) -> None:
    source.add("a")
    assert discovery.claim(stream.pk)
    discover(stream, source)
    assert not discovery.claim(stream.pk)
    del source.streams[stream.arn]["a"]
    discover(stream, source)
    assert discovery.claim(stream.pk)


def test_a_shard_that_is_listed_again_goes_on(stream: Stream, source: ScriptedSource) -> None:
    source.add("a")
    discover(stream, source)
    gone = source.streams[stream.arn].pop("a")
    discover(stream, source)
    source.streams[stream.arn]["a"] = gone
    shard = discover(stream, source)["a"]
    assert (shard.listed, shard.ended) == (True, "")


def test_a_lost_shard_makes_a_gap_and_a_problem(stream: Stream, source: ScriptedSource) -> None:
    source.add("a")
    discover(stream, source)
    caught_up = datetime.now(UTC) - timedelta(hours=30)
    stream.shards.update(position="42", caught_up_at=caught_up)
    source.streams[stream.arn].clear()
    for _ in range(2):
        discover(stream, source)
    gap = Gap.objects.get(stream=stream)
    assert (gap.reason, gap.from_sequence, gap.from_at) == ("shard-lost", "42", caught_up)
    assert Problem.objects.get(kind="shard-lost").resolved_at is None


def test_nobody_can_store_for_a_lost_shard(stream: Stream, source: ScriptedSource) -> None:
    source.add("a")
    discover(stream, source)
    token = lease.acquire("reader", 1)[0].token
    source.streams[stream.arn].clear()
    for _ in range(2):
        shard = discover(stream, source)["a"]
    assert shard.lease_token > token


def test_a_read_shard_that_is_trimmed_is_no_loss(stream: Stream, source: ScriptedSource) -> None:
    source.add("a", closed=True)
    source.add("b", "a")
    discover(stream, source)
    end(stream, "a")
    del source.streams[stream.arn]["a"]
    for _ in range(3):
        shards = discover(stream, source)
    assert shards["a"].ended == Shard.Ended.READ
    assert readable() == {"b"}
    assert not Gap.objects.exists()


def test_a_parent_trimmed_before_the_first_listing_is_no_loss(
    stream: Stream, source: ScriptedSource
) -> None:
    source.add("b", "trimmed")
    assert discover(stream, source)["trimmed"].ended == Shard.Ended.BEFORE_START
    assert readable() == {"b"}
    assert not Gap.objects.exists()


def test_a_parent_that_came_and_went_unseen_is_lost(stream: Stream, source: ScriptedSource) -> None:
    source.add("a")
    discover(stream, source)
    source.add("c", "b")
    for _ in range(2):
        shards = discover(stream, source)
    assert shards["b"].ended == Shard.Ended.LOST
    assert Gap.objects.get().shard == shards["b"]
    assert readable() == {"a", "c"}


def test_a_source_that_does_not_answer_is_a_problem(stream: Stream, source: ScriptedSource) -> None:
    source.faults["describe"] = [SourceRefused("no", "do that", kind="access-denied")]
    with pytest.raises(SourceRefused):
        discover(stream, source)
    problem = Problem.objects.get(stream=stream)
    assert (problem.kind, problem.sentence, problem.fix) == ("access-denied", "no", "do that")


def test_a_stream_without_a_current_arn_makes_no_progress_but_a_problem(
    stream: Stream, source: ScriptedSource
) -> None:
    source.add("a")
    source.faults["shards"] = [ShardGone("no such stream")]
    assert discover(stream, source) == {}
    assert Problem.objects.get(stream=stream).kind == "shard-gone"


def test_one_listing_at_a_time(stream: Stream) -> None:
    assert discovery.claim(stream.pk)
    assert not discovery.claim(stream.pk)
    discovery.make_due(stream.pk)
    assert discovery.claim(stream.pk)
