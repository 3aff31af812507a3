"""Discover: where a new stream starts, and what happens when a table's stream gets a new ARN."""

from datetime import UTC, datetime, timedelta

import pytest

from streams.errors import SourceRefused, SourceUnavailable
from streams.indexing import next_day
from streams.models import Gap, Problem, Shard, Stream
from streams.stages import lease
from streams.testing.factories import make_stream
from streams.testing.scripted import ScriptedSource, make_record
from streams.tests.integration.test_discover import NEXT_ARN, discover, end, readable

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stream() -> Stream:
    return make_stream()


@pytest.fixture
def source(stream: Stream) -> ScriptedSource:
    source = ScriptedSource(stream.arn)
    source.add("closed", closed=True)
    source.add("open", "closed").records.append(make_record(1))
    return source


# Where it starts


def test_from_now_on_leaves_out_what_was_closed(source: ScriptedSource) -> None:
    stream = make_stream(arn=source.arn, start=Stream.Start.LATEST)
    shards = discover(stream, source, starting=True)
    assert shards["closed"].ended == Shard.Ended.BEFORE_START
    assert readable() == {"open"}


def test_from_now_on_is_pinned_where_the_shard_is_now(source: ScriptedSource) -> None:
    stream = make_stream(arn=source.arn, start=Stream.Start.LATEST)
    discover(stream, source, starting=True)
    source.streams[source.arn]["open"].records.append(make_record(2))
    leased = lease.acquire("reader", 1)[0]
    assert source.read(leased.iterator).records == [make_record(2)]
    assert leased.iterator_age is not None


def test_a_shard_found_later_is_not_pinned(source: ScriptedSource) -> None:
    stream = make_stream(arn=source.arn, start=Stream.Start.LATEST)
    discover(stream, source, starting=True)
    source.add("later")
    assert discover(stream, source)["later"].iterator == ""


@pytest.mark.parametrize("start", [Stream.Start.TRIM_HORIZON, Stream.Start.TIME])
def test_any_other_start_reads_all_there_is(source: ScriptedSource, start: str) -> None:
    stream = make_stream(arn=source.arn, start=start)
    shards = discover(stream, source, starting=True)
    assert [shard.iterator for shard in shards.values()] == ["", ""]
    assert readable() == {"closed"}


# A new ARN


def replace(stream: Stream, source: ScriptedSource) -> dict[str, Shard]:
    discover(stream, source)
    source.replace_arn(NEXT_ARN)
    source.add("new")
    return discover(stream, source)


def test_a_new_arn_begins_a_new_generation(stream: Stream, source: ScriptedSource) -> None:
    shards = replace(stream, source)
    assert (shards["new"].generation, shards["open"].generation) == (2, 1)
    stream.refresh_from_db()
    assert (stream.arn, stream.generation) == (NEXT_ARN, 2)


def test_another_key_is_indexed_from_the_next_day_on(source: ScriptedSource) -> None:
    """The attribute that has the key's index now had terms before, and the other way round."""
    stream = make_stream(arn=source.arn, key_schema=[["id", "S"]])
    discover(stream, source)
    stream.refresh_from_db()
    assert stream.key_schema == [["pk", "S"]]
    assert stream.indexed_since == next_day(datetime.now(UTC))
    same = make_stream("same", arn=source.arn)
    discover(same, source)
    same.refresh_from_db()
    assert same.indexed_since is None


def test_the_old_arn_is_read_first(stream: Stream, source: ScriptedSource) -> None:
    replace(stream, source)
    assert readable() == {"closed"}
    end(stream, "closed", "open")
    assert readable() == {"new"}


def test_shards_of_the_old_arn_are_still_found(stream: Stream, source: ScriptedSource) -> None:
    replace(stream, source)
    old = source.streams[stream.arn]
    old["late"] = type(old["open"])("late", "open", closed=True)
    late = discover(stream, source)["late"]
    assert (late.generation, late.arn) == (1, stream.arn)


def test_the_time_without_a_stream_is_a_gap(stream: Stream, source: ScriptedSource) -> None:
    discover(stream, source)
    newest = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    stream.shards.update(newest_change_at=newest)
    replace(stream, source)
    gap = Gap.objects.get(stream=stream)
    begun = datetime(2026, 11, 21, 10, 0, 0, 123_000, tzinfo=UTC)
    assert (gap.reason, gap.from_at, gap.to_at) == ("new-stream", newest, begun)
    assert Problem.objects.get(stream=stream).kind == "stream-replaced"


def test_the_gap_is_not_empty_when_nothing_was_read_before(
    stream: Stream, source: ScriptedSource
) -> None:
    replace(stream, source)
    gap = Gap.objects.get(stream=stream)
    assert gap.from_at is None or gap.from_at < gap.to_at


def test_the_first_arn_is_no_replacement(source: ScriptedSource) -> None:
    stream = make_stream(arn="")
    assert set(discover(stream, source)) == {"closed", "open"}
    stream.refresh_from_db()
    assert (stream.arn, stream.generation) == (source.arn, 1)
    assert not Gap.objects.exists()


def test_an_arn_that_is_gone_is_lost_after_two_listings(
    stream: Stream, source: ScriptedSource
) -> None:
    replace(stream, source)
    end(stream, "closed")
    del source.streams[stream.arn]
    assert discover(stream, source)["open"].ended_at is None
    assert discover(stream, source)["open"].ended == Shard.Ended.LOST
    assert Gap.objects.filter(reason="shard-lost").count() == 1
    assert readable() == {"new"}


def test_an_old_arn_that_is_read_is_not_listed_again(
    stream: Stream, source: ScriptedSource
) -> None:
    replace(stream, source)
    end(stream, "closed", "open")
    del source.streams[stream.arn]
    for _ in range(2):
        discover(stream, source)
    assert not Gap.objects.filter(reason="shard-lost").exists()


@pytest.mark.parametrize("kind", ["stream-off", "table-missing"])
def test_a_stream_that_is_off_is_still_listed(
    stream: Stream, source: ScriptedSource, kind: str
) -> None:
    """It stays readable for 24 hours: a child that was not known yet must be found."""
    discover(stream, source)
    source.add("last", "open", closed=True)
    source.faults["describe"] = [SourceRefused("off", kind=kind)]
    with pytest.raises(SourceRefused):
        discover(stream, source)
    assert stream.shards.filter(name="last").exists()


def test_a_listing_of_the_new_arn_does_not_wait_for_the_old_one(
    stream: Stream, source: ScriptedSource
) -> None:
    discover(stream, source)
    source.replace_arn(NEXT_ARN)
    source.add("new")
    source.faults["shards"] = [SourceUnavailable("the old ARN's listing")]
    assert "new" in discover(stream, source)


def test_the_gap_ends_now_if_the_arn_tells_no_time(stream: Stream, source: ScriptedSource) -> None:
    discover(stream, source)
    source.replace_arn("arn:of:something:else")
    discover(stream, source)
    age = datetime.now(UTC) - Gap.objects.get(stream=stream).to_at
    assert abs(age) < timedelta(minutes=1)
