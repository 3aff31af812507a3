"""The demo's tables and streams as a file, between a clean stop and the next start."""

import base64
import json
import time
from collections import deque
from pathlib import Path
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import dynamo_json_dump

from dashboard.demo import stream
from dashboard.launch.home import write_private


def save(path: Path) -> None:
    with stream.closing():
        tables = [_written(table) for table in stream.all_tables()]
    write_private(path, dynamo_json_dump(tables))


def load(path: Path) -> None:
    """Take up what the last clean stop wrote, once.

    The file goes before it is used: a second start from it, after a crash, would give numbers again
    that a reader has already seen, and that reader would pass over what they now stand for.
    """
    try:
        tables: list[dict[str, Any]] = json.loads(path.read_text())
    except FileNotFoundError:
        return
    path.unlink()
    for table in tables:
        _read(table)


def _written(table: Table) -> dict[str, Any]:
    shard = table.stream_shard
    return {
        "account": table.account_id,
        "region": table.region_name,
        "name": table.name,
        "schema": table.schema,
        "attributes": table.attr,
        "billing_mode": table.billing_mode,
        "time_to_live": table.ttl,
        "items": [item.to_json()["Attributes"] for item in stream.all_items(table)],
        "stream": table.stream_specification,
        "label": table.latest_stream_label,
        **(_written_shard(shard) if isinstance(shard, stream.Shard) else {}),
    }


def _written_shard(shard: stream.Shard) -> dict[str, Any]:
    records = [base64.b64encode(record).decode() for _, record in shard.kept]
    return {"oldest": shard.oldest, "records": records}


def _read(saved: dict[str, Any]) -> None:
    table = dynamodb_backends[saved["account"]][saved["region"]].create_table(
        saved["name"],
        schema=saved["schema"],
        attr=saved["attributes"],
        billing_mode=saved["billing_mode"],
        throughput=None,
        global_indexes=None,
        indexes=None,
        streams=None,  # not yet: filling the table again is no change
        sse_specification=None,
        tags=[],
        deletion_protection_enabled=False,
        warm_throughput=None,
    )
    for item in saved["items"]:
        table.put_item({name: _with_bytes(value) for name, value in item.items()})
    table.ttl = saved["time_to_live"]
    table.set_stream_specification(saved["stream"])
    table.latest_stream_label = saved["label"]
    if isinstance(table.stream_shard, stream.Shard):
        table.stream_shard.oldest = saved["oldest"]
        records = [base64.b64decode(record) for record in saved["records"]]
        table.stream_shard.kept = deque((time.monotonic(), record) for record in records)


def _with_bytes(value: dict[str, Any]) -> dict[str, Any]:
    """moto holds binary values as bytes; JSON gave them back as base64."""
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: base64.b64decode(content)}
    if kind == "BS":
        return {kind: [base64.b64decode(member) for member in content]}
    if kind == "L":
        return {kind: [_with_bytes(member) for member in content]}
    if kind == "M":
        return {kind: {name: _with_bytes(member) for name, member in content.items()}}
    return value
