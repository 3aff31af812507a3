"""Changes and statuses as lines of JSON, the same for every command and the API."""

import dataclasses
import json
from typing import Any

from streams.queries.change import Images
from streams.queries.overview import StreamStatus
from streams.queries.rows import StoredChange


def change_line(change: StoredChange, images: Images | None = None) -> str:
    """One change as one line of JSON. Keys and images are the stream's own bytes: DynamoDB JSON,
    in which numbers are strings, so nothing is rounded."""
    facts = {
        "stream": change.stream,
        "shard": change.shard,
        "sequence": change.sequence,
        "event_id": change.event_id,
        "operation": change.operation,
        "occurred_at": change.occurred_at.isoformat(),
        "stored_at": change.stored_at.isoformat(),
        "cursor": str(change.cursor) if change.cursor else None,
        "id": change.id,
        "ttl": change.ttl,
        "changed": change.changed,
    }
    if images:
        facts |= {
            "old_from": images.old_from,
            "new_from": images.new_from,
            "note": images.sentence or None,
        }
    old, new = (images.old, images.new) if images else (change.old, change.new)
    raw = {"keys": change.keys, "old": old, "new": new}
    spelled = ", ".join(
        f'"{name}": {"null" if value is None else value.decode()}' for name, value in raw.items()
    )
    return f"{json.dumps(facts)[:-1]}, {spelled}}}"


def status_dict(status: StreamStatus) -> dict[str, Any]:
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in dataclasses.asdict(status).items()
    }
