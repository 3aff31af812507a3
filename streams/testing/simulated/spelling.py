"""Spelling: a write of an item as the stream record AWS makes of it, byte for byte on the wire."""

import base64
import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, TypeAlias

# An item in DynamoDB's typed JSON: {"pk": {"S": "a"}}
Item: TypeAlias = Mapping[str, Any]

KEYS_ONLY, NEW_IMAGE, OLD_IMAGE = "KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE"
NEW_AND_OLD_IMAGES = "NEW_AND_OLD_IMAGES"
VIEW_TYPES = (KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES)
# Who deleted an item whose time to live was over.
TIME_TO_LIVE = {"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}


def operation_of(old: Item | None, new: Item | None) -> str:
    if old is None:
        return "INSERT"
    return "REMOVE" if new is None else "MODIFY"


def record(
    *,
    arn: str,
    region: str,
    view_type: str,
    sequence: int,
    second: int,
    keys: Item,
    old: Item | None,
    new: Item | None,
    by_time_to_live: bool = False,
) -> dict[str, Any]:
    """The record of a write: what the stream's view type lets through, no more."""
    images: dict[str, Item] = {}
    if new is not None and view_type in (NEW_IMAGE, NEW_AND_OLD_IMAGES):
        images["NewImage"] = new
    if old is not None and view_type in (OLD_IMAGE, NEW_AND_OLD_IMAGES):
        images["OldImage"] = old
    spelled: dict[str, Any] = {
        "eventID": blake2b(f"{arn} {sequence}".encode(), digest_size=16).hexdigest(),
        "eventName": operation_of(old, new),
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": region,
        "dynamodb": {
            "ApproximateCreationDateTime": second,
            "Keys": keys,
            **images,
            "SequenceNumber": str(sequence),
            "SizeBytes": size_of(keys) + sum(map(size_of, images.values())),
            "StreamViewType": view_type,
        },
    }
    if by_time_to_live:
        spelled["userIdentity"] = TIME_TO_LIVE
    return spelled


def encode(value: Any) -> bytes:
    """JSON as AWS sends it: UTF-8, only what must be escaped is."""
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate can only be sent as an escape
        return json.dumps(value, separators=(",", ":")).encode()


def size_of(item: Item) -> int:
    """An item's size as DynamoDB counts it (about): its names and its values."""
    return sum(len(_utf8(name)) + _value_size(value) for name, value in item.items())


def _value_size(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    if kind == "M":
        return 3 + size_of(value) + len(value)
    if kind == "L":
        return 3 + sum(_value_size(member) + 1 for member in value)
    if kind in ("SS", "NS", "BS"):
        return sum(_value_size({kind[0]: member}) for member in value)
    if kind in ("BOOL", "NULL"):
        return 1
    if kind == "N":
        return len(value.strip("-0.")) // 2 + 2
    return len(base64.b64decode(value)) if kind == "B" else len(_utf8(value))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
