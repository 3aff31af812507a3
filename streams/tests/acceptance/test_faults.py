"""Nothing lost, nothing twice: writes at full speed while workers are killed and the services
restart. `make faults` runs it with 100,000 writes; DELTAWATCH_FAULT_WRITES sets another number.
"""

import json
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conftest import REGION
from streams.sources.dynamodb.client import boto_client
from streams.testing.stack import Stack
from streams.tests.acceptance.chaos import Chaos, plain, records

pytestmark = pytest.mark.acceptance

WRITES = int(os.environ.get("DELTAWATCH_FAULT_WRITES", "6000"))
_BATCH = 25


def test_stored_changes_equal_the_streams_records_through_kills_and_restarts(
    stack: Stack, dynamodb_url: str, make_table: Callable[..., str]
) -> None:
    tables = [make_table(), make_table("NEW_IMAGE"), make_table("KEYS_ONLY", sort="N")]
    for table in tables:
        stack.manage(
            *("add_stream", table, "--table", table, "--region", REGION),
            *("--endpoint-url", dynamodb_url, "--start", "trim-horizon"),
        )
    written = threading.Event()
    writers = [
        threading.Thread(target=_write, args=(dynamodb_url, table, -(-WRITES // len(tables))))
        for table in tables
    ]
    chaos = Chaos(stack, written)
    for thread in (*writers, chaos):
        thread.start()
    for writer in writers:
        writer.join()
    written.set()
    chaos.join()
    truth = {table: list(_records(dynamodb_url, table)) for table in tables}
    _wait_until_stored(stack, {table: len(records) for table, records in truth.items()})
    for table in tables:
        assert list(map(_stored, stack.tail(table))) == truth[table]
    print(stack.manage("verify").stdout)  # noqa: T201 - the report of the run
    sys.stdout.write(f"{sum(map(len, truth.values()))} records; {chaos.report}\n")
    assert chaos.kills and chaos.restarts == ["postgres", "valkey"]


def _write(url: str, table: str, number: int) -> None:
    """Puts, changes and deletes of a few hundred items, with keys that need both attributes."""
    client = boto_client("dynamodb", region=REGION, endpoint_url=url)
    schema = client.describe_table(TableName=table)["Table"]["KeySchema"]
    dice = random.Random(table)
    sent = 0
    while sent < number:
        requests: dict[str, Any] = {}
        for count in range(sent, sent + _BATCH):
            key = {"pk": {"S": f"item-{dice.randrange(400)}"}}
            if len(schema) > 1:
                key["sk"] = {"N": str(dice.randrange(3))}
            item = {**key, "count": {"N": str(count)}, "text": {"S": 'é\u0000"\\' * 5}}
            put: dict[str, Any] = {"PutRequest": {"Item": item}}
            delete = {"DeleteRequest": {"Key": key}}
            # One request a key: a batch may not name an item twice.
            requests[json.dumps(key)] = delete if dice.random() < 0.2 else put
        client.batch_write_item(RequestItems={table: list(requests.values())})
        sent += len(requests)


def _records(url: str, table: str) -> Iterator[tuple[Any, ...]]:
    """The stream's records, as `_stored` spells what is stored of them."""
    for shard, record in records(url, table):
        data = record["dynamodb"]
        images = (data.get(name) for name in ("Keys", "OldImage", "NewImage"))
        yield (
            *(shard, data["SequenceNumber"], record["eventID"]),
            *(record["eventName"], *map(plain, images)),
        )


def _stored(line: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(
        line[name] for name in ("shard", "sequence", "event_id", "operation", "keys", "old", "new")
    )


def _wait_until_stored(stack: Stack, expected: dict[str, int]) -> None:
    def stored() -> bool:
        found = stack.status()
        return all(found[table]["changes"] >= number for table, number in expected.items())

    begun = time.monotonic()
    stack.wait_for(stored, seconds=180, what=f"{expected} stored changes")
    sys.stdout.write(f"all stored {time.monotonic() - begun:.1f} s after the last write\n")
