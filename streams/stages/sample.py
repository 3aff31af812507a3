"""What an alert shows of its change: the differences, kept with it when the change is dropped."""

import re
from collections.abc import Collection
from typing import Any

import orjson

from streams.change import INSERT, REMOVE
from streams.diff import diff
from streams.image import Unreadable, read
from streams.models import Batch
from streams.queries.rows import Extent, StoredChange, fetch_of

MOST_DIFFERENCES = 20
# A value that is longer is cut: the change itself is a click away.
_MOST_CHARACTERS = 500
# What jsonb cannot hold: NUL and lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

Sample = list[dict[str, Any]]


def samples_of(changes: Collection[str]) -> dict[str, Sample]:
    """By permalink: up to twenty differences, {"path", "old", "new"} each, with DynamoDB JSON or
    None. A change that is not stored any more is left out."""
    places = {change: tuple(map(int, change.split("-"))) for change in changes}
    batches = {batch for batch, _ in places.values()}
    extents = Batch.objects.filter(pk__in=batches).values_list("pk", *Extent._fields[1:])
    found = fetch_of(
        [Extent(*extent) for extent in extents],
        "WHERE (c.batch_id, c.ordinal) IN (SELECT * FROM unnest(%s::bigint[], %s::int[]))",
        [[batch for batch, _ in places.values()], [ordinal for _, ordinal in places.values()]],
    )
    return {change.id: sample(change) for change in found}


def sample(change: StoredChange) -> Sample:
    """The change's differences; none where the stream did not send both images."""
    if change.old is None and change.operation != INSERT:
        return []
    if change.new is None and change.operation != REMOVE:
        return []
    try:
        old, new = (read(image) if image else None for image in (change.old, change.new))
    except Unreadable:
        return []
    return [
        {"path": _storable(path), "old": _short(was), "new": _short(is_)}
        for path, _, was, is_ in diff(old, new)[:MOST_DIFFERENCES]
    ]


def _short(value: Any) -> Any:
    """A typed value, as text if it is too long to be kept whole."""
    if value is None:
        return None
    value = _storable(value)
    if len(spelled := orjson.dumps(value)) <= _MOST_CHARACTERS:
        return value
    text = value["S"] if "S" in value else spelled.decode()
    return {"S": f"{text[:_MOST_CHARACTERS]}…"}


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_storable(name): _storable(part) for name, part in value.items()}
    return [_storable(part) for part in value] if isinstance(value, list) else value
