"""The contract of every source: whatever a stage relies on, each adapter must do.

A new adapter needs a rig here; without one the last test fails.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Protocol

import pytest

from conftest import REGION, wait_for
from dashboard.launch.home import unused_port
from streams.change import Change, sequence_key
from streams.errors import (
    ShardGone,
    SourceRefused,
    SourceUnavailable,
    UnreadableRecord,
)
from streams.indexing import NOTHING
from streams.sources.base import ListedShard, Origin, Page, PulledSource
from streams.sources.registry import SOURCES, open_source
from streams.testing.scripted import ScriptedSource, make_record


class Rig(Protocol):
    """A source with one stream to write to, and sources that are wrong in one way."""

    def source(self) -> PulledSource: ...
    def write(self, number: int) -> None: ...
    def turn_off(self) -> None: ...
    def unreachable(self) -> PulledSource: ...
    def wrong_table(self) -> PulledSource: ...


class ScriptedRig:
    def __init__(self) -> None:
        self._source = ScriptedSource("arn:scripted/stream/2026-11-21T10:00:00.000")
        self._shard = self._source.add("shard-1")

    def source(self) -> PulledSource:
        return self._source

    def write(self, number: int) -> None:
        image = {"pk": {"S": "a"}, "n": {"N": str(number)}}
        sequence = len(self._shard.records) + 1
        self._shard.records.append(make_record(sequence, seconds=time.time(), NewImage=image))

    def turn_off(self) -> None:
        self._shard.closed = True

    def unreachable(self) -> PulledSource:
        source = ScriptedSource("arn")
        source.down = SourceUnavailable("it does not answer")
        return source

    def wrong_table(self) -> PulledSource:
        source = ScriptedSource("arn")
        source.faults["describe"] = [SourceRefused("no table", "name it", kind="table-missing")]
        return source


class DynamoDBRig:
    def __init__(self, client: Any, url: str, table: str) -> None:
        self._client, self._url, self._table = client, url, table
        self._opened: list[PulledSource] = []

    def source(self) -> PulledSource:
        return self._open(self._table, self._url)

    def write(self, number: int) -> None:
        item = {"pk": {"S": "a"}, "n": {"N": str(number)}}
        self._client.put_item(TableName=self._table, Item=item)

    def turn_off(self) -> None:
        off = {"StreamEnabled": False}
        self._client.update_table(TableName=self._table, StreamSpecification=off)

    def unreachable(self) -> PulledSource:
        return self._open(self._table, f"http://127.0.0.1:{unused_port()}")

    def wrong_table(self) -> PulledSource:
        return self._open("no-such-table", self._url)

    def close(self) -> None:
        for source in self._opened:
            source.close()

    def _open(self, table: str, url: str) -> PulledSource:
        options = {"table": table, "region": REGION, "endpoint_url": url}
        self._opened.append(open_source("dynamodb", options))
        return self._opened[-1]


@pytest.fixture
def scripted() -> Rig:
    return ScriptedRig()


@pytest.fixture
def dynamodb_rig(
    dynamodb: Any, dynamodb_url: str, make_table: Callable[..., str]
) -> Iterator[DynamoDBRig]:
    rig = DynamoDBRig(dynamodb, dynamodb_url, make_table())
    yield rig
    rig.close()


RIGS = {"scripted": "scripted", "dynamodb": "dynamodb_rig"}


@pytest.fixture(
    params=[
        pytest.param("scripted"),
        pytest.param("dynamodb_rig", marks=pytest.mark.dynamodb_local),
    ]
)
def rig(request: pytest.FixtureRequest) -> Rig:
    found: Rig = request.getfixturevalue(request.param)
    return found


def arn_and_shards(source: PulledSource) -> tuple[str, list[ListedShard]]:
    arn = source.describe().arn
    return arn, [shard for page in source.shards(arn) for shard in page]


def open_at(source: PulledSource, start: str | Origin) -> str:
    arn, shards = arn_and_shards(source)
    return source.iterator(arn, shards[-1].name, start)


def read_all(source: PulledSource, iterator: str, number: int) -> list[Change]:
    """Read on until there are so many changes."""
    found: list[Change] = []
    place = iterator

    def enough() -> bool:
        nonlocal place
        page = source.read(place)
        found.extend(source.parse(raw, 1, NOTHING) for raw in page.records)
        place = page.iterator or place
        return len(found) >= number

    wait_for(enough, what=f"{number} changes")
    return found


def numbers(changes: list[Change]) -> list[int]:
    return [int(json.loads(change.new or b"")["n"]["N"]) for change in changes]


def test_it_describes_itself(rig: Rig) -> None:
    description = rig.source().describe()
    assert description.arn
    assert description.view_type == "NEW_AND_OLD_IMAGES"
    assert description.key_schema == [["pk", "S"]]


def test_it_lists_its_shards(rig: Rig) -> None:
    _, shards = arn_and_shards(rig.source())
    assert [(shard.parent, shard.closed) for shard in shards] == [(None, False)]


def test_from_the_oldest_it_reads_everything_in_order(rig: Rig) -> None:
    source = rig.source()
    for number in range(5):
        rig.write(number)
    changes = read_all(source, open_at(source, Origin.OLDEST), 5)
    assert numbers(changes) == [0, 1, 2, 3, 4]
    keys = [sequence_key(change.sequence) for change in changes]
    assert keys == sorted(set(keys))


def test_from_the_newest_it_reads_only_what_follows(rig: Rig) -> None:
    source = rig.source()
    rig.write(1)
    place = open_at(source, Origin.NEWEST)
    rig.write(2)
    assert numbers(read_all(source, place, 1)) == [2]


def test_after_a_sequence_it_reads_only_what_follows(rig: Rig) -> None:
    source = rig.source()
    for number in range(4):
        rig.write(number)
    changes = read_all(source, open_at(source, Origin.OLDEST), 4)
    after = open_at(source, changes[1].sequence)
    assert numbers(read_all(source, after, 2)) == [2, 3]


def test_reading_the_same_place_twice_gives_the_same(rig: Rig) -> None:
    source = rig.source()
    rig.write(1)
    place = open_at(source, Origin.OLDEST)
    assert read_all(source, place, 1) == read_all(source, place, 1)


def test_an_open_shard_has_no_end(rig: Rig) -> None:
    source = rig.source()
    page = source.read(open_at(source, Origin.OLDEST))
    assert (list(page.records), page.full) == ([], False)
    assert page.iterator


def test_a_closed_shard_ends_after_its_last_record(rig: Rig) -> None:
    source = rig.source()
    rig.write(1)
    arn, shards = arn_and_shards(source)
    place: str | None = source.iterator(arn, shards[0].name, Origin.OLDEST)
    rig.turn_off()
    pages: list[Page] = []

    def ended() -> bool:
        nonlocal place
        assert place
        pages.append(source.read(place))
        place = pages[-1].iterator
        return place is None

    wait_for(ended, what="the shard's end")
    records = [raw for page in pages for raw in page.records]
    assert numbers([source.parse(raw, 1, NOTHING) for raw in records]) == [1]
    assert all(shard.closed for listed in source.shards(arn) for shard in listed)


def test_it_parses_a_record_whole(rig: Rig) -> None:
    source = rig.source()
    rig.write(7)
    (change,) = read_all(source, open_at(source, Origin.OLDEST), 1)
    assert json.loads(change.keys) == {"pk": {"S": "a"}}
    assert abs(change.occurred / 1e6 - time.time()) < 120
    assert change.event_id


def test_a_record_that_is_none_is_unreadable(rig: Rig) -> None:
    source = rig.source()
    with pytest.raises(UnreadableRecord):
        source.parse(b'{"eventName":"INSERT"}', 1, NOTHING)
    assert source.sequence_of(b"{}") == ""


def test_an_unknown_shard_is_gone(rig: Rig) -> None:
    source = rig.source()
    arn, shards = arn_and_shards(source)
    unknown = shards[0].name[:-3] + ("001" if shards[0].name.endswith("000") else "000")
    with pytest.raises(ShardGone):
        source.iterator(arn, unknown, Origin.OLDEST)


def test_an_unknown_arn_is_gone(rig: Rig) -> None:
    source = rig.source()
    unknown = source.describe().arn[:-23] + "2001-01-01T00:00:00.000"
    with pytest.raises(ShardGone):
        list(source.shards(unknown))


def test_a_table_that_is_missing_is_told_with_a_fix(rig: Rig) -> None:
    with pytest.raises(SourceRefused) as caught:
        rig.wrong_table().describe()
    assert caught.value.kind == "table-missing"
    assert caught.value.fix


def test_what_does_not_answer_is_unavailable(rig: Rig) -> None:
    source = rig.unreachable()
    for call in (source.describe, lambda: list(source.shards("arn")), lambda: source.read("x")):
        with pytest.raises(SourceUnavailable):
            call()


def test_options_come_back_as_they_are_kept(rig: Rig) -> None:
    assert rig.source().options.as_dict()["table"]


def test_every_adapter_has_a_rig() -> None:
    assert set(SOURCES) <= set(RIGS)


# Only DynamoDB


@pytest.mark.dynamodb_local
def test_a_table_whose_stream_is_off_is_told_with_a_fix(
    dynamodb_url: str, make_table: Callable[..., str]
) -> None:
    options = {"table": make_table(None), "region": REGION, "endpoint_url": dynamodb_url}
    with (
        closing(open_source("dynamodb", options)) as source,
        pytest.raises(SourceRefused) as caught,
    ):
        source.describe()
    assert caught.value.kind == "stream-off"
    assert "StreamEnabled=true" in caught.value.fix
