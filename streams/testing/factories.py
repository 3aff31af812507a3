"""Things for tests and benchmarks: streams, shards and changes, made without a source."""

import itertools
import json
import time
from typing import Any

from streams.change import MODIFY, Change, microseconds, moment
from streams.item_key import canonical, item_bytes
from streams.models import Shard, Stream

_numbers = itertools.count(1)


def make_stream(name: str = "", **fields: Any) -> Stream:
    number = next(_numbers)
    given = {
        "source": "dynamodb",
        "options": {"table": f"table{number}", "region": "eu-central-1"},
        "start": Stream.Start.TRIM_HORIZON,
        "arn": f"arn:aws:dynamodb:eu-central-1:123456789012:table/table{number}/stream/1",
        "view_type": "NEW_AND_OLD_IMAGES",
        "key_schema": [["pk", "S"]],
        **fields,
    }
    return Stream.objects.create(name=name or f"stream{number}", **given)


def make_shard(stream: Stream, name: str = "", **fields: Any) -> Shard:
    given = {"generation": stream.generation, "arn": stream.arn, **fields}
    return Shard.objects.create(stream=stream, name=name or f"shard{next(_numbers)}", **given)


def make_change(
    stream_id: int,
    sequence: int,
    *,
    key: str = "a",
    operation: str = MODIFY,
    old: dict[str, Any] | None = None,
    new: dict[str, Any] | None = None,
    occurred: int | None = None,
) -> Change:
    """A change of item {"pk": {"S": key}}; its time is now, in whole seconds, if not given."""
    keys = {"pk": {"S": key}}
    if occurred is None:
        occurred = microseconds(moment(int(time.time()) * 1_000_000))
    old_names, new_names = set(old or {}), set(new or {})
    return Change(
        operation=operation,
        item=item_bytes(stream_id, canonical(keys).encode()),
        sequence=str(sequence).zfill(21),
        event_id=f"event-{sequence}",
        occurred=occurred,
        keys=json.dumps(keys).encode(),
        old=None if old is None else json.dumps(old).encode(),
        new=None if new is None else json.dumps(new).encode(),
        changed=tuple(sorted(old_names ^ new_names)),
        user_identity=None,
        size=100,
    )
