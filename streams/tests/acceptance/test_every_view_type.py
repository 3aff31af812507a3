"""A put, an update and a delete by plain boto3, for every view type and type of key: in the feed
exactly once, in the item's history with the right images, unchanged to the last digit."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from conftest import REGION
from streams.testing.stack import Stack

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


@pytest.mark.parametrize("key_type", ["S", "N", "B"])
@pytest.mark.parametrize("view_type", ["NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"])
def test_three_writes_are_three_changes_in_feed_and_history(
    stack: Stack, dynamodb: Any, dynamodb_url: str, make_table: Callable[..., str],
    view_type: str, key_type: str,
) -> None:  # fmt: skip
    table = make_table(view_type, key=key_type)
    stack.manage(
        *("add_stream", table, "--table", table, "--region", REGION),
        *("--endpoint-url", dynamodb_url),
    )
    key = {"pk": {key_type: KEYS[key_type]}}
    dynamodb.put_item(TableName=table, Item={**key, **ITEM})
    dynamodb.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET #s = :paid",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":paid": {"S": "paid"}},
    )
    dynamodb.delete_item(TableName=table, Key=key)
    stack.wait_for(lambda: stack.status()[table]["changes"] >= 3, what="three changes")

    wire_key = {"pk": {key_type: WIRE_KEYS[key_type]}}
    first, second = {**wire_key, **ITEM}, {**wire_key, **ITEM, "status": {"S": "paid"}}
    assert [line["operation"] for line in stack.tail(table)] == ["INSERT", "MODIFY", "REMOVE"]
    assert [line["keys"] for line in stack.tail(table)] == [wire_key] * 3
    _check_feed(stack, table, view_type, first, second)
    _check_history(stack, table, view_type, wire_key, first, second)


def _check_feed(
    stack: Stack, table: str, view_type: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    lines = list(stack.tail(table))
    given_new = view_type in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
    given_old = view_type in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES")
    assert [line["new"] for line in lines] == ([first, second, None] if given_new else [None] * 3)
    assert [line["old"] for line in lines] == ([None, first, second] if given_old else [None] * 3)


def _check_history(
    stack: Stack,
    table: str,
    view_type: str,
    key: dict[str, Any],
    first: dict[str, Any],
    second: dict[str, Any],
) -> None:
    history = stack.manage("history", table, json.dumps(key), "--json").stdout.splitlines()
    versions = [json.loads(line) for line in reversed(history)]
    if view_type == "KEYS_ONLY":
        assert all("keys only" in version["note"] for version in versions)
        return
    assert [version["old"] for version in versions] == [None, first, second]
    assert [version["new"] for version in versions] == [first, second, None]
    supplied = {"NEW_IMAGE": "previous stored version", "OLD_IMAGE": "next stored version"}
    if view_type in supplied:
        assert supplied[view_type] in versions[1]["note"]
