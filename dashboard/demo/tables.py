"""The shop's four tables: one for each view type that a demo can show well, and its stream."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from dashboard.demo import customers, orders, sessions, stock
from dashboard.demo.values import Item

REGION = "eu-central-1"

# Key names with their types, the partition key first, and what the stream carries.
TABLES: dict[str, tuple[dict[str, str], str]] = {
    orders.TABLE: ({"customer_id": "S", "order_id": "S"}, "NEW_AND_OLD_IMAGES"),
    customers.TABLE: ({"customer_no": "N"}, "NEW_AND_OLD_IMAGES"),
    sessions.TABLE: ({"session_id": "S"}, "KEYS_ONLY"),
    stock.TABLE: ({"sku": "S", "warehouse": "S"}, "NEW_IMAGE"),
}
TIME_TO_LIVE = {sessions.TABLE: "expires_at"}


def make_tables(client: Any) -> list[str]:
    """Make the tables that are missing; returns their names."""
    existing = set(client.list_tables()["TableNames"])
    made = [name for name in TABLES if name not in existing and _make(client, name)]
    for name, attribute in TIME_TO_LIVE.items():
        if name in made:
            specification = {"Enabled": True, "AttributeName": attribute}
            client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
    return made


def _make(client: Any, name: str) -> bool:
    """False if somebody else made it in the meantime."""
    keys, view = TABLES[name]
    kinds = ("HASH", "RANGE")
    try:
        client.create_table(
            TableName=name,
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(keys, kinds, strict=False)
            ],
            AttributeDefinitions=[
                {"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()
            ],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": view},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceInUseException":
            raise
        return False
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    return True


def leftovers(client: Any) -> Iterator[tuple[str, Item]]:
    """Table and key (as the wire has it) of every item an earlier shop has left."""
    for name, (keys, _) in TABLES.items():
        pages = client.get_paginator("scan").paginate(
            TableName=name,
            ProjectionExpression=", ".join(f"#{key}" for key in keys),
            ExpressionAttributeNames={f"#{key}": key for key in keys},
        )
        for page in pages:
            for key in page["Items"]:
                yield name, key
