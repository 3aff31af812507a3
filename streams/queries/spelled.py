"""Changes as JSON and as cells of CSV, spelled the same by every command, file and the API.

Keys and images are the stream's own bytes: DynamoDB JSON, in which numbers are strings, so nothing
is rounded and no image is re-spelled.
"""

from datetime import datetime
from typing import Any

import msgspec

from streams.queries.change import Images
from streams.queries.rows import StoredChange

_SAME = (
    *("stream", "shard", "sequence", "event_id", "operation", "changed", "ttl"),
    *("occurred_at", "stored_at", "size", "id"),
)


class SpelledChange(msgspec.Struct):
    """One change; `cursor` is null until the change has its place in the feed."""

    stream: str
    shard: str
    sequence: str
    event_id: str
    operation: str
    keys: msgspec.Raw
    old: msgspec.Raw | None
    new: msgspec.Raw | None
    changed: tuple[str, ...] | None
    user_identity: msgspec.Raw | None
    ttl: bool
    occurred_at: datetime
    stored_at: datetime
    size: int
    id: str
    cursor: str | None


class SpelledVersion(SpelledChange):
    """A change in its item's history: images that the stream did not send may be supplied by a
    neighbouring version; `old_from`, `new_from` and `note` say so."""

    old_from: str
    new_from: str
    note: str


def spelled(change: StoredChange) -> SpelledChange:
    return SpelledChange(**_fields(change, change.old, change.new))


def spelled_version(change: StoredChange, images: Images) -> SpelledVersion:
    return SpelledVersion(
        **_fields(change, images.old, images.new),
        old_from=images.old_from,
        new_from=images.new_from,
        note=images.sentence,
    )


def line(value: object) -> str:
    """The value as one line of JSON."""
    return msgspec.json.encode(value).decode()


def file_line(value: object) -> str:
    """The same with its end, for a file of lines."""
    # A line end in an image stands between its parts, where a space says the same.
    return line(value).replace("\n", " ").replace("\r", " ") + "\n"


def cells(change: StoredChange, old: bytes | None, new: bytes | None) -> dict[str, str]:
    """What a cell of CSV cannot say as it is; the other attributes of a change can."""
    return {
        "occurred_at": change.occurred_at.isoformat(),
        "stored_at": change.stored_at.isoformat(),
        "keys": _text(change.keys),
        "old": _text(old),
        "new": _text(new),
        "changed": "" if change.changed is None else line(change.changed),
        "ttl": "true" if change.ttl else "false",
    }


def _text(image: bytes | None) -> str:
    return "" if image is None else image.decode("utf-8", "replace")


def _fields(change: StoredChange, old: bytes | None, new: bytes | None) -> dict[str, Any]:
    return {
        **{name: getattr(change, name) for name in _SAME},
        "keys": msgspec.Raw(change.keys),
        "old": _raw(old),
        "new": _raw(new),
        "user_identity": _raw(change.user_identity),
        "cursor": str(change.cursor) if change.cursor else None,
    }


def _raw(image: bytes | None) -> msgspec.Raw | None:
    return None if image is None else msgspec.Raw(image)
