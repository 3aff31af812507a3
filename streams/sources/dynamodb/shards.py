"""What exists: the table, its stream and the stream's shards."""

import difflib
import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from streams.errors import ShardGone, SourceError, SourceRefused, SourceUnavailable, Throttled
from streams.sources.base import Description, ListedShard
from streams.sources.dynamodb.client import Client, known_regions
from streams.sources.dynamodb.options import DynamoDBOptions

_LISTED_TABLES = 10
# DescribeStream may be called ten times a second for all readers together.
_UNPACED_PAGES = 2
_BETWEEN_PAGES = 0.2
_PAUSES = (0.5, 1.0, 2.0)


def describe(client: Client, options: DynamoDBOptions) -> Description:
    """The table's current stream; SourceRefused says what is missing and how to mend it."""
    return description_of(_table(client, options), options, client.region)


def description_of(table: dict[str, Any], options: DynamoDBOptions, region: str) -> Description:
    """The current stream of a table as DescribeTable answers it; SourceRefused if it has none."""
    specification = table.get("StreamSpecification") or {}
    arn = table.get("LatestStreamArn")
    if not arn or not specification.get("StreamEnabled"):
        raise SourceRefused(
            f"Table {options.table} has no stream that is on.",
            f"Turn it on: {turn_on(options, region)}",
            kind="stream-off",
        )
    return Description(
        arn=arn,
        view_type=specification.get("StreamViewType", ""),
        key_schema=_key_schema(table),
    )


def turn_on(options: DynamoDBOptions, region: str) -> str:
    """The command that turns a table's stream on."""
    return _update(options, region, "StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES")


def turn_off(options: DynamoDBOptions, region: str) -> str:
    return _update(options, region, "StreamEnabled=false")


def _update(options: DynamoDBOptions, region: str, specification: str) -> str:
    endpoint = f" --endpoint-url {options.endpoint_url}" if options.endpoint_url else ""
    return (
        f"aws dynamodb update-table --table-name {options.table} --region {region}{endpoint} "
        f"--stream-specification {specification}"
    )


def part_of(answer: bytes, name: str) -> Any:
    """The named part of an answer; SourceUnavailable if this is another server's."""
    try:
        return json.loads(answer)[name]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise _no_answer(error) from error


def _key_schema(table: dict[str, Any]) -> list[list[str]]:
    try:
        types = {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]}
        schema = sorted(table["KeySchema"], key=lambda part: part["KeyType"] != "HASH")
        return [[part["AttributeName"], types[part["AttributeName"]]] for part in schema]
    except (LookupError, TypeError) as error:
        raise _no_answer(error) from error


def list_shards(client: Client, arn: str) -> Iterator[list[ListedShard]]:
    """The stream's shards, a page (up to 100) at a time, in the order the service lists them."""
    start: str | None = None
    for number in itertools.count(1):
        arguments = {"StreamArn": arn, "Limit": 100}
        if start:
            arguments["ExclusiveStartShardId"] = start
        stream = _part(_describe_stream(client, arguments), "StreamDescription")
        yield _listed(stream)
        start = stream.get("LastEvaluatedShardId")
        if not start:
            return
        if number > _UNPACED_PAGES:
            time.sleep(_BETWEEN_PAGES)


def _describe_stream(client: Client, arguments: dict[str, Any]) -> bytes:
    """One page; when throttled, the same page again, so that a long listing comes to its end."""
    for pause in _PAUSES:
        try:
            return client.call("dynamodbstreams", "DescribeStream", arguments)
        except Throttled:
            time.sleep(pause)
    return client.call("dynamodbstreams", "DescribeStream", arguments)


def _listed(stream: dict[str, Any]) -> list[ListedShard]:
    try:
        return [
            ListedShard(
                name=shard["ShardId"],
                parent=shard.get("ParentShardId"),
                closed="EndingSequenceNumber" in shard.get("SequenceNumberRange", {}),
            )
            for shard in stream.get("Shards", [])
        ]
    except (LookupError, TypeError, AttributeError) as error:
        raise _no_answer(error) from error


def _part(answer: bytes, name: str) -> dict[str, Any]:
    """The object of that name in an answer; SourceUnavailable if this is another server's."""
    part = part_of(answer, name)
    if not isinstance(part, dict):
        raise _no_answer(TypeError(name))
    return part


def _no_answer(error: Exception) -> SourceUnavailable:
    return SourceUnavailable(
        f"The answer is none of DynamoDB's ({type(error).__name__}).", "Check the endpoint URL."
    )


def _table(client: Client, options: DynamoDBOptions) -> dict[str, Any]:
    try:
        answer = client.call("dynamodb", "DescribeTable", {"TableName": options.table})
    except ShardGone as error:
        raise _table_missing(client, options) from error
    return _part(answer, "Table")


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
    # Naming the other tables is a courtesy, and needs its own permission.
    except (SourceError, ValueError, LookupError, TypeError):
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
