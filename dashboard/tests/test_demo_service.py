"""The demo's DynamoDB: its stream behaves as AWS's does, and forgets."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from conftest import wait_for
from dashboard.demo import service, snapshot, stream
from dashboard.launch.home import unused_port
from streams.sources.dynamodb.client import boto_client

REGION = "eu-central-1"
KEY = {"pk": {"S": "one"}}


class Demo:
    def __init__(self, url: str) -> None:
        self.table = boto_client("dynamodb", region=REGION, endpoint_url=url)
        self.streams = boto_client("dynamodbstreams", region=REGION, endpoint_url=url)

    def make_table(self) -> str:
        made = self.table.create_table(
            TableName="things",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        return str(made["TableDescription"]["LatestStreamArn"])

    def put(self, **values: Any) -> None:
        self.table.put_item(TableName="things", Item={**KEY, **values})

    def shard(self, arn: str) -> str:
        (shard,) = self.streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        return str(shard["ShardId"])

    def iterator(self, arn: str, kind: str = "TRIM_HORIZON", **place: str) -> str:
        answer = self.streams.get_shard_iterator(
            StreamArn=arn, ShardId=self.shard(arn), ShardIteratorType=kind, **place
        )
        return str(answer["ShardIterator"])

    def records(self, arn: str, kind: str = "TRIM_HORIZON", **place: str) -> list[dict[str, Any]]:
        answer = self.streams.get_records(ShardIterator=self.iterator(arn, kind, **place))
        return list(answer["Records"])


@pytest.fixture
def demo() -> Iterator[Demo]:
    port = unused_port()
    server = service.make(port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    demo = Demo(f"http://127.0.0.1:{port}")
    yield demo
    for table in demo.table.list_tables()["TableNames"]:
        demo.table.delete_table(TableName=table)
    demo.table.close()
    demo.streams.close()
    server.shutdown()
    thread.join()
    server.server_close()


def code_of(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_every_value_arrives_as_it_was_written(demo: Demo) -> None:
    arn = demo.make_table()
    image = {
        "n": {"N": "12345678901234567890123456789012345678"},
        "empty": {"S": ""},
        "nothing": {"NULL": True},
        "bytes": {"B": b"\x00\xff"},
        "sets": {"L": [{"BS": [b"a", b"b"]}, {"NS": ["1", "2"]}, {"SS": ["a", "b"]}]},
    }
    demo.put(**image)
    (record,) = demo.records(arn)
    assert record["dynamodb"]["NewImage"] == {**KEY, **image}
    assert record["awsRegion"] == REGION


def test_reading_goes_on_where_it_ended(demo: Demo) -> None:
    arn = demo.make_table()
    for number in range(5):
        demo.put(n={"N": str(number)})
    first = demo.streams.get_records(ShardIterator=demo.iterator(arn), Limit=2)
    second = demo.streams.get_records(ShardIterator=first["NextShardIterator"])
    seen = [r["dynamodb"]["NewImage"]["n"]["N"] for r in first["Records"] + second["Records"]]
    assert seen == ["0", "1", "2", "3", "4"]
    place = first["Records"][-1]["dynamodb"]["SequenceNumber"]
    assert demo.records(arn, "AFTER_SEQUENCE_NUMBER", SequenceNumber=place) == second["Records"]
    assert demo.records(arn, "LATEST") == []


def test_a_page_holds_a_megabyte(demo: Demo) -> None:
    arn = demo.make_table()
    for _ in range(8):
        demo.put(text={"S": "x" * 150_000})
    assert len(demo.records(arn)) == 3  # the first has one image, each other one two


def test_an_old_record_is_dropped_and_the_others_keep_their_numbers(demo: Demo) -> None:
    arn = demo.make_table()
    demo.put(n={"N": "1"})
    demo.put(n={"N": "2"})
    first, second = demo.records(arn)
    shard = shard_of("things")
    shard.trim(before=shard.kept[1][0])
    assert demo.records(arn) == [second]
    demo.put(n={"N": "3"})
    numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in demo.records(arn)]
    assert numbers == [int(first["dynamodb"]["SequenceNumber"]) + step for step in (1, 2)]


def test_reading_what_was_dropped_is_refused(demo: Demo) -> None:
    arn = demo.make_table()
    demo.put()
    before = demo.iterator(arn)
    place = demo.records(arn)[0]["dynamodb"]["SequenceNumber"]
    shard_of("things").trim(before=time.monotonic())
    with pytest.raises(ClientError) as refused:
        demo.streams.get_records(ShardIterator=before)
    assert code_of(refused) == "TrimmedDataAccessException"
    with pytest.raises(ClientError) as refused:
        demo.iterator(arn, "AT_SEQUENCE_NUMBER", SequenceNumber=place)
    assert code_of(refused) == "TrimmedDataAccessException"
    # What follows the last record that was read is still there: nothing is missing.
    assert demo.records(arn, "AFTER_SEQUENCE_NUMBER", SequenceNumber=place) == []


def test_an_old_arn_is_not_taken_for_the_new_stream(demo: Demo) -> None:
    old = demo.make_table()
    iterator = demo.iterator(old)
    demo.table.delete_table(TableName="things")
    assert demo.make_table() != old
    for call in (lambda: demo.shard(old), lambda: demo.streams.get_records(ShardIterator=iterator)):
        with pytest.raises(ClientError) as refused:
            call()
        assert code_of(refused) == "ResourceNotFoundException"


def test_an_iterator_expires(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    iterator = demo.iterator(demo.make_table())
    monkeypatch.setattr(stream, "ITERATOR_LIFE", -1)
    with pytest.raises(ClientError) as refused:
        demo.streams.get_records(ShardIterator=iterator)
    assert code_of(refused) == "ExpiredIteratorException"


def test_a_deletion_by_time_to_live_says_so(demo: Demo) -> None:
    arn = demo.make_table()
    demo.table.update_time_to_live(
        TableName="things",
        TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
    )
    demo.put(expires_at={"N": str(int(time.time()) - 1)})
    over = threading.Event()
    sweeper = threading.Thread(target=service.sweep, args=[over, 0.01])
    sweeper.start()
    _, removed = wait_for(lambda: records if len(records := demo.records(arn)) == 2 else None)
    over.set()
    sweeper.join()
    assert removed["eventName"] == "REMOVE"
    assert removed["userIdentity"] == {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}
    demo.put()
    demo.table.delete_item(TableName="things", Key=KEY)
    assert "userIdentity" not in demo.records(arn)[-1]


def test_writers_at_the_same_time_get_different_numbers(demo: Demo) -> None:
    arn = demo.make_table()

    def write() -> None:
        for _ in range(20):
            demo.put()

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    numbers = [record["dynamodb"]["SequenceNumber"] for record in demo.records(arn)]
    assert len(set(numbers)) == 80


def test_it_keeps_no_list_of_everything_it_ever_made(demo: Demo) -> None:
    from moto.core.model_instances import model_data

    demo.make_table()
    demo.put()
    kept = [len(model.instances_tracked) for model in model_data["dynamodb"].values()]  # type: ignore[attr-defined]
    assert sum(kept) == 0


def test_after_a_clean_stop_everything_goes_on_where_it_was(demo: Demo, tmp_path: Path) -> None:
    arn = demo.make_table()
    binary = {"one": {"B": b"\x00"}, "some": {"BS": [b"a"]}, "list": {"L": [{"B": b"c"}]}}
    demo.put(nested={"M": binary}, big={"N": "1" * 38}, **binary)
    before, item = demo.records(arn), demo.table.get_item(TableName="things", Key=KEY)["Item"]
    following = demo.streams.get_records(ShardIterator=demo.iterator(arn))["NextShardIterator"]
    snapshot.save(tmp_path / "state")
    demo.table.delete_table(TableName="things")
    stream.take_over()
    snapshot.load(tmp_path / "state")
    assert demo.records(arn) == before
    assert demo.table.scan(TableName="things", ProjectionExpression="nested")["Items"] == [
        {"nested": item["nested"]}
    ]
    demo.put(n={"N": "2"})
    (record,) = demo.streams.get_records(ShardIterator=following)["Records"]
    assert record["dynamodb"]["OldImage"] == item


def test_a_saved_state_is_taken_up_only_once(demo: Demo, tmp_path: Path) -> None:
    demo.make_table()
    snapshot.save(tmp_path / "state")
    demo.table.delete_table(TableName="things")
    snapshot.load(tmp_path / "state")
    demo.table.delete_table(TableName="things")
    snapshot.load(tmp_path / "state")
    assert demo.table.list_tables()["TableNames"] == []


def test_nothing_is_written_once_the_state_is_saved(demo: Demo, tmp_path: Path) -> None:
    arn = demo.make_table()
    snapshot.save(tmp_path / "state")
    with pytest.raises(ClientError):
        demo.put()
    assert demo.records(arn) == []


def shard_of(name: str) -> stream.Shard:
    (table,) = [table for table in stream.all_tables() if table.name == name]
    assert isinstance(table.stream_shard, stream.Shard)
    return table.stream_shard
