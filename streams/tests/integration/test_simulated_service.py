"""The simulated service over HTTP: boto3 and our own client talk to it as they talk to AWS, and
its answers have the shape of DynamoDB Local's."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from conftest import REGION, wait_for
from streams.errors import (
    IteratorExpired,
    PositionTrimmed,
    ShardGone,
    SourceError,
    SourceRefused,
    SourceUnavailable,
    Throttled,
)
from streams.sources.base import Origin
from streams.sources.dynamodb.client import boto_client
from streams.sources.dynamodb.reader import DynamoDBSource
from streams.testing.simulated.faults import Fault
from streams.testing.simulated.server import serving
from streams.testing.simulated.service import Service

# What one side has and the other may leave out.
_OPTIONAL = {
    "ItemCount", "TableSizeBytes", "LastIncreaseDateTime", "LastDecreaseDateTime",
    "LastUpdateToPayPerRequestDateTime",
}  # fmt: skip


@pytest.fixture
def service() -> Service:
    made = Service()
    made.world.create_table("orders")
    return made


@pytest.fixture
def url(service: Service) -> Iterator[str]:
    with serving(service) as url:
        yield url


@contextmanager
def source_of(url: str, table: str = "orders") -> Iterator[DynamoDBSource]:
    given = {"table": table, "region": REGION, "endpoint_url": url}
    source = DynamoDBSource.from_options(given)
    yield source
    source.close()


def fill(service: Service, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        service.world.put("orders", {"pk": {"S": f"key-{number}"}})


def read_with_boto3(url: str) -> list[Any]:
    streams = boto_client("dynamodbstreams", region=REGION, endpoint_url=url)
    (stream,) = streams.list_streams(TableName="orders")["Streams"]
    found = []
    listed = streams.describe_stream(StreamArn=stream["StreamArn"])["StreamDescription"]
    for shard in listed["Shards"]:
        iterator = streams.get_shard_iterator(
            StreamArn=stream["StreamArn"],
            ShardId=shard["ShardId"],
            ShardIteratorType="TRIM_HORIZON",
        ).get("ShardIterator")
        page = streams.get_records(ShardIterator=iterator)
        found += page["Records"]
    return found


def test_boto3_reads_every_record(service: Service, url: str) -> None:
    fill(service, 30)
    service.world.split("orders")
    fill(service, 30, first=30)
    assert len(read_with_boto3(url)) == 60


def test_boto3_sees_the_code_of_an_error(url: str) -> None:
    streams = boto_client("dynamodbstreams", region=REGION, endpoint_url=url)
    with pytest.raises(ClientError) as caught:
        streams.describe_stream(StreamArn="arn:aws:dynamodb:eu-central-1:123456789012:table/x")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
    assert caught.value.response["ResponseMetadata"]["RequestId"]


def test_our_client_reads_every_record(service: Service, url: str) -> None:
    fill(service, 1_200)
    service.world.roll_over("orders")
    with source_of(url) as source:
        description = source.describe()
        assert (description.view_type, description.key_schema) == (
            "NEW_AND_OLD_IMAGES",
            [["pk", "S"]],
        )
        ((parent, child),) = source.shards(description.arn)
        assert (parent.closed, child.closed, child.parent) == (True, False, parent.name)
        first = source.read(source.iterator(description.arn, parent.name, Origin.OLDEST))
        assert (len(first.records), first.full) == (1_000, True)
        rest = source.read(first.iterator or "")
        assert (len(rest.records), rest.iterator) == (200, None)
        after = source.sequence_of(first.records[-1])
        again = source.read(source.iterator(description.arn, parent.name, after))
        assert list(again.records) == list(rest.records)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("throttled"), Throttled),
        (Fault("internal"), SourceUnavailable),
        (Fault("unavailable"), SourceUnavailable),
        (Fault("denied"), SourceRefused),
        (Fault("wrong-region"), SourceRefused),
        (Fault("cut"), SourceUnavailable),
        (Fault("reset"), SourceUnavailable),
        (Fault("garbage"), SourceUnavailable),
        (Fault("expired-iterator"), IteratorExpired),
        (Fault("trimmed"), PositionTrimmed),
        (Fault("not-found"), ShardGone),
    ],
)
def test_our_client_understands_every_fault(
    service: Service, url: str, fault: Fault, error: type[SourceError]
) -> None:
    fill(service, 5)
    with source_of(url) as source:
        arn = source.describe().arn
        ((shard,),) = source.shards(arn)
        iterator = source.iterator(arn, shard.name, Origin.OLDEST)
        service.faults.add(fault)
        with pytest.raises(error):
            source.read(iterator)
        service.faults.clear()
        assert len(source.read(iterator).records) == 5


@pytest.mark.parametrize("kind", ["cut", "garbage", "unavailable"])
def test_a_broken_listing_is_an_error_of_the_source(service: Service, url: str, kind: str) -> None:
    with source_of(url) as source:
        arn = source.describe().arn
        service.faults.add(Fault(kind))
        with pytest.raises(SourceError):
            list(source.shards(arn))
        with pytest.raises(SourceError):
            source.describe()


def test_it_runs_as_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "streams.testing.simulated"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        try:
            assert order(url, do="create-table", table="orders") is None
            assert order(url, do="fill", table="orders", count=40) == 40
            assert len(read_with_boto3(url)) == 40
            assert order(url, do="violations") == []
            shards = next(iter(order(url, do="shards", table="orders").values()))
            assert [shard["served"] for shard in shards] == [40]
        finally:
            process.terminate()
    assert process.returncode == 0


def test_canned_pages_read_as_a_stream() -> None:
    command = [sys.executable, "-m", "streams.testing.simulated", "--canned"]
    command += ["--records", "2500", "--shards", "2", "--closed"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        with source_of(process.stdout.readline().strip(), "canned") as source:
            arn = source.describe().arn
            (shards,) = source.shards(arn)
            counts = []
            for shard in shards:
                iterator: str | None = source.iterator(arn, shard.name, Origin.OLDEST)
                while iterator:
                    page = source.read(iterator)
                    iterator = page.iterator
                    counts.append(len(page.records))
            assert counts == [1_000, 250, 1_000, 250]
        process.terminate()


def order(url: str, **given: Any) -> Any:
    answer = urllib3.request("POST", f"{url}/_control", body=json.dumps(given).encode())
    return json.loads(answer.data)["result"]


@pytest.mark.dynamodb_local
def test_its_answers_have_the_shape_of_dynamodb_locals(
    dynamodb: Any, dynamodb_url: str, make_table: Callable[..., str], service: Service, url: str
) -> None:
    table = make_table(sort="N")
    service.world.create_table(table, [("pk", "S"), ("sk", "N")])
    for number, text in itertools.product(range(2), "ab"):
        item = {"pk": {"S": "one"}, "sk": {"N": str(number)}, "text": {"S": text}}
        dynamodb.put_item(TableName=table, Item=item)
        service.world.put(table, item)
    key = {"pk": {"S": "one"}, "sk": {"N": "1"}}
    dynamodb.delete_item(TableName=table, Key=key)
    service.world.delete(table, key)
    theirs = wait_for(lambda: answers_of(dynamodb_url, table, records=5), what="the records")
    ours = answers_of(url, table, records=5)
    assert ours.keys() == theirs.keys()
    for operation, answer in theirs.items():
        assert shape(ours[operation]) == shape(answer), operation


def answers_of(url: str, table: str, *, records: int) -> dict[str, Any]:
    """What reading a table's only shard gives, call by call; empty until all records are there."""
    call = caller(url)
    described = call("DynamoDB_20120810.DescribeTable", TableName=table)
    arn = described["Table"]["LatestStreamArn"]
    stream = call("DynamoDBStreams_20120810.DescribeStream", StreamArn=arn)
    shard = stream["StreamDescription"]["Shards"][0]["ShardId"]
    given = {"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    place = call("DynamoDBStreams_20120810.GetShardIterator", **given)
    page = call("DynamoDBStreams_20120810.GetRecords", **place)
    if len(page["Records"]) < records:
        return {}
    streams = call("DynamoDBStreams_20120810.ListStreams", TableName=table)
    tables = call("DynamoDB_20120810.ListTables")
    missing = call("DynamoDB_20120810.DescribeTable", TableName="no-such-table")
    return {
        "DescribeTable": described,
        "DescribeStream": stream,
        "GetShardIterator": place,
        "GetRecords": page,
        "ListStreams": streams,
        "ListTables": {**tables, "TableNames": tables["TableNames"][:1]},
        "an error": {"__type": missing["__type"]},
    }


def caller(url: str) -> Callable[..., Any]:
    """Calls with a signature nobody checks, for the bytes on the wire."""
    credentials = f"AWS4-HMAC-SHA256 Credential=testing/20270101/{REGION}/dynamodb/aws4_request"
    pool = urllib3.PoolManager()

    def call(target: str, **given: Any) -> Any:
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": target,
            "Authorization": f"{credentials}, SignedHeaders=host, Signature=0",
        }
        answer = pool.request("POST", url, body=json.dumps(given).encode(), headers=headers)
        assert answer.headers["x-amzn-requestid"]
        assert answer.headers["Content-Type"] == "application/x-amz-json-1.0"
        return json.loads(answer.data)

    return call


def shape(value: Any) -> Any:
    """The keys and the types of an answer; a number is a number, and `__type` is its own shape."""
    if isinstance(value, dict):
        return {
            name: member if name in ("__type", "eventName", "eventVersion") else shape(member)
            for name, member in value.items()
            if name not in _OPTIONAL
        }
    if isinstance(value, list):
        return [shape(member) for member in value]
    return "number" if isinstance(value, int | float) else type(value).__name__
