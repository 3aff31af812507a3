"""What exists: the table, its stream and the stream's shards."""

import difflib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from streams.errors import ShardGone, SourceError, SourceRefused
from streams.sources.base import Description, ListedShard
from streams.sources.dynamodb.client import Client, known_regions
from streams.sources.dynamodb.options import DynamoDBOptions

_LISTED_TABLES = 10


def describe(client: Client, options: DynamoDBOptions) -> Description:
    """The table's current stream; SourceRefused says what is missing and how to mend it."""
    table = _table(client, options)
    specification = table.get("StreamSpecification") or {}
    arn = table.get("LatestStreamArn")
    if not arn or not specification.get("StreamEnabled"):
        raise SourceRefused(
            f"Table {options.table} has no stream that is on.",
            "Turn it on: aws dynamodb update-table "
            f"--table-name {options.table} --region {client.region} --stream-specification "
            "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES",
            kind="stream-off",
        )
    types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
    schema = sorted(table["KeySchema"], key=lambda part: part["KeyType"] != "HASH")
    return Description(
        arn=arn,
        view_type=specification.get("StreamViewType", ""),
        key_schema=[[part["AttributeName"], types[part["AttributeName"]]] for part in schema],
    )


def list_shards(client: Client, arn: str) -> Iterator[list[ListedShard]]:
    """The stream's shards, a page (up to 100) at a time, in the order the service lists them."""
    start: str | None = None
    while True:
        arguments = {"StreamArn": arn, "Limit": 100}
        if start:
            arguments["ExclusiveStartShardId"] = start
        answer = json.loads(client.call("dynamodbstreams", "DescribeStream", arguments))
        stream = answer["StreamDescription"]
        yield [_listed(shard) for shard in stream.get("Shards", [])]
        start = stream.get("LastEvaluatedShardId")
        if not start:
            return


def _listed(shard: dict[str, Any]) -> ListedShard:
    return ListedShard(
        name=shard["ShardId"],
        parent=shard.get("ParentShardId"),
        closed="EndingSequenceNumber" in shard.get("SequenceNumberRange", {}),
    )


def _table(client: Client, options: DynamoDBOptions) -> dict[str, Any]:
    try:
        answer = client.call("dynamodb", "DescribeTable", {"TableName": options.table})
    except ShardGone as error:
        raise _table_missing(client, options) from error
    table: dict[str, Any] = json.loads(answer)["Table"]
    return table


def _table_missing(client: Client, options: DynamoDBOptions) -> SourceRefused:
    elsewhere = _regions_with(options, client.region)
    if elsewhere:
        return SourceRefused(
            f"Table {options.table} is not in {client.region}, but in {', '.join(elsewhere)}.",
            f"Use --region {elsewhere[0]}.",
            kind="wrong-region",
        )
    try:
        listed = json.loads(client.call("dynamodb", "ListTables", {"Limit": 100}))["TableNames"]
    except SourceError:  # naming the other tables is a courtesy and needs its own permission
        listed = []
    near = difflib.get_close_matches(options.table, listed, n=_LISTED_TABLES, cutoff=0.3)
    shown = near or listed[:_LISTED_TABLES]
    return SourceRefused(
        f"There is no table {options.table} in {client.region}.",
        f"Tables there: {', '.join(shown)}. Check the name and the region."
        if shown
        else "Check the name, the region and the account.",
        kind="table-missing",
    )


def _regions_with(options: DynamoDBOptions, region: str) -> list[str]:
    """The other regions that have the table, asked all at once; one that refuses does not count."""

    def has(other: str) -> bool:
        client = None
        try:
            client = Client(replace(options, region=other))
            client.call("dynamodb", "DescribeTable", {"TableName": options.table})
        except SourceError:
            return False
        finally:
            if client:
                client.close()
        return True

    others = [name for name in known_regions() if name != region]
    with ThreadPoolExecutor(len(others)) as pool:
        return [name for name, found in zip(others, pool.map(has, others), strict=True) if found]
