"""A put, an update and a delete by plain boto3, for every view type and type of key: in the feed
exactly once, in the item's history with the right images, unchanged to the last digit."""

import json
from typing import Any

import pytest

from conftest import REGION
from streams.sources.dynamodb.client import boto_client
from streams.testing.stack import Stack, tail_of

pytestmark = pytest.mark.acceptance

KEYS = {"S": "ORD#1 é\u0000", "N": "12345678901234567890123456789012345678", "B": b"\x00\xff"}
WIRE_KEYS = {**KEYS, "B": "AP8="}
ITEM: dict[str, Any] = {
    "big": {"N": "-99999999999999999999999999999999999999"},
    "small": {"N": "0.00000000000000000000000000000000000001"},
    "empty": {"S": ""},
    "none": {"NULL": True},
    "nested": {"M": {"sets": {"L": [{"SS": ["a", "b"]}, {"NS": ["1", "2.5"]}, {"BOOL": False}]}}},
    "status": {"S": "new"},
}


CASES = [
    (view_type, key_type)
    for view_type in ("NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY")
    for key_type in KEYS
]


@pytest.fixture(scope="module")
def printed(stack: Stack, dynamodb_url: str) -> dict[tuple[str, str], tuple[list[Any], list[Any]]]:
    """What `tail` and `history` print of the three writes, by view type and type of key."""
    dynamodb = boto_client("dynamodb", region=REGION, endpoint_url=dynamodb_url)
    tables = {case: table_of(dynamodb, *case) for case in CASES}
    where = ("--region", REGION, "--endpoint-url", dynamodb_url)
    stack.manage_each(("add_stream", name, "--table", name, *where) for name in tables.values())
    for (_, key_type), table in tables.items():
        write(dynamodb, table, {"pk": {key_type: KEYS[key_type]}})
    stack.wait_for(
        lambda: all(stack.status()[table]["changes"] >= 3 for table in tables.values()),
        seconds=60, what="three changes of each table",
    )  # fmt: skip
    tails = stack.manage_each(tail_of(table) for table in tables.values())
    histories = stack.manage_each(
        ("history", table, json.dumps({"pk": {key_type: WIRE_KEYS[key_type]}}), "--json")
        for (_, key_type), table in tables.items()
    )
    for table in tables.values():
        dynamodb.delete_table(TableName=table)
    return {
        case: (lines(tail), lines(h)) for case, tail, h in zip(CASES, tails, histories, strict=True)
    }


def lines(printed: str) -> list[Any]:
    return [json.loads(line) for line in printed.splitlines()]


def table_of(dynamodb: Any, view_type: str, key_type: str) -> str:
    name = f"table-{view_type}-{key_type}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": key_type}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": view_type},
    )
    return name


def write(dynamodb: Any, table: str, key: dict[str, Any]) -> None:
    dynamodb.put_item(TableName=table, Item={**key, **ITEM})
    dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET #s = :paid",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":paid": {"S": "paid"}},
    )
    dynamodb.delete_item(TableName=table, Key=key)


@pytest.mark.parametrize(("view_type", "key_type"), CASES)
def test_three_writes_are_three_changes_in_feed_and_history(
    printed: dict[tuple[str, str], tuple[list[Any], list[Any]]], view_type: str, key_type: str
) -> None:
    feed, history = printed[view_type, key_type]
    wire_key = {"pk": {key_type: WIRE_KEYS[key_type]}}
    first, second = {**wire_key, **ITEM}, {**wire_key, **ITEM, "status": {"S": "paid"}}
    assert [line["operation"] for line in feed] == ["INSERT", "MODIFY", "REMOVE"]
    assert [line["keys"] for line in feed] == [wire_key] * 3
    _check_feed(feed, view_type, first, second)
    _check_history(history[::-1], view_type, first, second)


def _check_feed(
    feed: list[Any], view_type: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    given_new = view_type in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
    given_old = view_type in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES")
    assert [line["new"] for line in feed] == ([first, second, None] if given_new else [None] * 3)
    assert [line["old"] for line in feed] == ([None, first, second] if given_old else [None] * 3)


def _check_history(
    versions: list[Any], view_type: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    if view_type == "KEYS_ONLY":
        assert all("keys only" in version["note"] for version in versions)
        return
    assert [version["old"] for version in versions] == [None, first, second]
    assert [version["new"] for version in versions] == [first, second, None]
    supplied = {"NEW_IMAGE": "previous stored version", "OLD_IMAGE": "next stored version"}
    if view_type in supplied:
        assert supplied[view_type] in versions[1]["note"]
