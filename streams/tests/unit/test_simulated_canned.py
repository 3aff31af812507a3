"""Canned pages: prepared bytes that read as one long, gapless stream of changes."""

import json

import pytest

from streams.indexing import NOTHING
from streams.sources.dynamodb import records
from streams.testing.simulated.canned import TABLE, CannedService, Recording
from streams.testing.simulated.exchange import Request


def ask(service: CannedService, operation: str, **given: object) -> dict[str, object]:
    body = json.dumps(given).encode()
    answer = service.answer(Request("/", f"DynamoDBStreams_20120810.{operation}", "", body))
    result = json.loads(answer.body)
    assert isinstance(result, dict)
    return result


def sequences(body: bytes) -> list[str]:
    found = json.loads(body)["Records"]
    return [record["dynamodb"]["SequenceNumber"] for record in found]


def test_a_page_holds_a_thousand_records_of_the_wanted_size() -> None:
    body = Recording(records=1_000).body(0, 0)
    assert len(json.loads(body)["Records"]) == 1_000
    assert 750 < len(body) / 1_000 < 850
    assert Recording(record_bytes=4_000).page_records == 262  # a megabyte


def test_its_records_are_changes_of_our_client() -> None:
    for raw in json.loads(Recording(records=20).body(0, 0))["Records"]:
        change = records.parse(json.dumps(raw).encode(), 1, NOTHING)
        assert (change.operation, change.changed) == ("MODIFY", ("status", "version"))
        assert change.old and change.new


def test_sequence_numbers_ascend_over_all_pages_and_are_never_given_twice() -> None:
    recording = Recording(records=5_500, shards=2)
    for shard in range(2):
        found = [s for body in recording.pages(shard) for s in sequences(body)]
        assert len(found) == 2_750
        assert found == sorted(set(found))


def test_the_same_recording_is_the_same_bytes() -> None:
    assert list(Recording(records=2_000).pages()) == list(Recording(records=2_000).pages())


@pytest.mark.parametrize("prepare", [False, True])
@pytest.mark.parametrize("closed", [False, True])
def test_a_reader_gets_every_record_once_from_any_position(closed: bool, prepare: bool) -> None:
    recording = Recording(records=2_300, closed=closed)
    service = CannedService(recording, prepare=prepare)
    whole = [s for body in recording.pages() for s in sequences(body)]
    arn = ask(service, "DescribeTable", TableName=TABLE)["Table"]["LatestStreamArn"]  # type: ignore[index]
    (shard,) = ask(service, "DescribeStream", StreamArn=arn)["StreamDescription"]["Shards"]  # type: ignore[index]
    for after in (-1, 0, 998, 999, 1_234, 2_298):
        given = {"ShardIteratorType": "TRIM_HORIZON"}
        if after >= 0:
            given = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "SequenceNumber": whole[after],
            }
        iterator: object = ask(
            service, "GetShardIterator", StreamArn=arn, ShardId=shard["ShardId"], **given
        )["ShardIterator"]
        found: list[str] = []
        while iterator:
            page = ask(service, "GetRecords", ShardIterator=iterator)
            iterator = page.get("NextShardIterator")
            found += [r["dynamodb"]["SequenceNumber"] for r in page["Records"]]  # type: ignore[attr-defined]
            if not page["Records"]:
                break
        assert found == whole[after + 1 :]
        assert (iterator is None) == closed


def test_the_newest_place_is_after_the_last_record() -> None:
    service = CannedService(Recording(records=1_500))
    shard = f"shardId-{0:020}-00000000"
    given = {"ShardId": shard, "ShardIteratorType": "LATEST"}
    iterator = ask(service, "GetShardIterator", **given)["ShardIterator"]
    assert ask(service, "GetRecords", ShardIterator=iterator)["Records"] == []
