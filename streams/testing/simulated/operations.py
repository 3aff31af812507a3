"""The calls that describe: tables, streams and shards, as AWS answers them."""

import math
from typing import Any

from streams.testing.simulated.refusals import invalid, not_found
from streams.testing.simulated.shards import Shard
from streams.testing.simulated.streams import Stream
from streams.testing.simulated.world import ACCOUNT, Table, World

_MOST_TABLES = 100
_MOST_STREAMS = 100


def describe_table(world: World, given: dict[str, Any]) -> dict[str, Any]:
    name = str(given.get("TableName", "")).rpartition("/")[2]
    table = world.tables.get(name)
    if table is None:
        raise not_found(f"Table: {name}")
    return {"Table": _described(world, table)}


def _described(world: World, table: Table) -> dict[str, Any]:
    described: dict[str, Any] = {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in table.keys
        ],
        "TableName": table.name,
        "KeySchema": _schema(table.keys),
        "TableStatus": "ACTIVE",
        "CreationDateTime": round(table.created_at, 3),
        "ProvisionedThroughput": {
            "NumberOfDecreasesToday": 0,
            "ReadCapacityUnits": 0,
            "WriteCapacityUnits": 0,
        },
        "TableSizeBytes": 0,
        "ItemCount": len(table.items),
        "TableArn": f"arn:aws:dynamodb:{world.region}:{ACCOUNT}:table/{table.name}",
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        "DeletionProtectionEnabled": False,
    }
    if table.stream:
        # A stream that is off is still the latest one.
        described["LatestStreamLabel"] = table.stream.label
        described["LatestStreamArn"] = table.stream.arn
        if table.stream.disabled_at is None:
            described["StreamSpecification"] = {
                "StreamEnabled": True,
                "StreamViewType": table.stream.view_type,
            }
    return described


def list_tables(world: World, given: dict[str, Any]) -> dict[str, Any]:
    limit = _limit(given, _MOST_TABLES)
    after = given.get("ExclusiveStartTableName", "")
    names = sorted(name for name in world.tables if name > after)
    page: dict[str, Any] = {"TableNames": names[:limit]}
    if len(names) > limit:
        page["LastEvaluatedTableName"] = names[limit - 1]
    return page


def list_streams(world: World, given: dict[str, Any]) -> dict[str, Any]:
    limit = _limit(given, _MOST_STREAMS)
    table, after = given.get("TableName"), given.get("ExclusiveStartStreamArn", "")
    found = [
        {"StreamArn": arn, "TableName": stream.table, "StreamLabel": stream.label}
        for arn, stream in sorted(world.streams.items())
        if table in (None, stream.table) and arn > after and is_kept(world, stream)
    ]
    page: dict[str, Any] = {"Streams": found[:limit]}
    if len(found) > limit:
        page["LastEvaluatedStreamArn"] = found[limit - 1]["StreamArn"]
    return page


def describe_stream(
    world: World, given: dict[str, Any], lag_seconds: float = 0.0
) -> dict[str, Any]:
    """A page of the shards; with a lag, as a replica that is behind by so much knows them."""
    stream = find_stream(world, str(given.get("StreamArn", "")))
    limit = _limit(given, world.limits.shards_per_page)
    until = world.clock.now() - lag_seconds
    after = given.get("ExclusiveStartShardId", "")
    found = [s for s in _chosen(stream, given) if s.id > after and s.created_at <= until]
    description: dict[str, Any] = {
        "StreamArn": stream.arn,
        "StreamLabel": stream.label,
        "StreamStatus": "ENABLED" if stream.disabled_at is None else "DISABLED",
        "StreamViewType": stream.view_type,
        "CreationRequestDateTime": round(stream.created_at, 3),
        "TableName": stream.table,
        "KeySchema": _schema(stream.keys),
        "Shards": [_listed(shard, until) for shard in found[:limit]],
    }
    if len(found) > limit:
        description["LastEvaluatedShardId"] = found[limit - 1].id
    return {"StreamDescription": description}


def page_number(world: World, given: dict[str, Any]) -> int:
    """Which page of a stream's listing is asked for, from 1."""
    stream = world.streams.get(str(given.get("StreamArn", "")))
    after = str(given.get("ExclusiveStartShardId", ""))
    if stream is None or not after:
        return 1
    before = sum(name <= after for name in stream.tree.listed)
    return 1 + math.ceil(before / int(given.get("Limit") or world.limits.shards_per_page))


def find_stream(world: World, arn: str) -> Stream:
    stream = world.streams.get(arn)
    if stream is None or not is_kept(world, stream):
        raise not_found(f"Stream: {arn}")
    return stream


def is_kept(world: World, stream: Stream) -> bool:
    """A stream that is off stays for as long as its newest records."""
    off = stream.disabled_at
    return off is None or world.clock.now() < off + world.limits.keep_seconds


def _chosen(stream: Stream, given: dict[str, Any]) -> list[Shard]:
    """All shards, or the children of one, the oldest first."""
    chosen = given.get("ShardFilter")
    if not chosen:
        return list(stream.tree.listed.values())
    if chosen.get("Type") != "CHILD_SHARDS" or not chosen.get("ShardId"):
        raise invalid("One or more parameter values were invalid: ShardFilter")
    return stream.tree.children_of(chosen["ShardId"])


def _listed(shard: Shard, until: float) -> dict[str, Any]:
    sequences = {"StartingSequenceNumber": str(shard.starting)}
    if shard.closed_at is not None and shard.closed_at <= until:
        sequences["EndingSequenceNumber"] = str(shard.ending)
    listed: dict[str, Any] = {"ShardId": shard.id, "SequenceNumberRange": sequences}
    if shard.parent:
        listed["ParentShardId"] = shard.parent
    return listed


def _schema(keys: list[tuple[str, str]]) -> list[dict[str, str]]:
    types = ("HASH", "RANGE")
    return [
        {"AttributeName": name, "KeyType": type_}
        for (name, _), type_ in zip(keys, types, strict=False)
    ]


def _limit(given: dict[str, Any], most: int) -> int:
    limit = given.get("Limit")
    if limit is None:
        return most
    if not isinstance(limit, int) or limit < 1:
        raise invalid(
            f"1 validation error detected: Value '{limit}' at 'limit' failed to satisfy "
            "constraint: Member must have value greater than or equal to 1"
        )
    if limit > 100:
        raise invalid(
            "One or more parameter values were invalid: Limit cannot be greater than the "
            "maximum: 100"
        )
    return min(limit, most)
