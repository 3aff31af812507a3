"""Random lives of an item: what was written, what each view type sends of it, and the states."""

import json
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from hypothesis import strategies as st

from streams.change import INSERT, MODIFY, REMOVE, Change, moment, sequence_key
from streams.item_key import canonical, item_bytes, item_id
from streams.models import Stream
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.storing import store_in

BEGIN = 1_800_000_000_000_000
SECOND = 1_000_000
VIEWS = ("NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY")
KEY = {"pk": {"S": "a"}}

Image = dict[str, Any]

_scalars = st.sampled_from(
    [{"S": "x"}, {"S": ""}, {"N": "1"}, {"N": "2.5"}, {"NULL": True}, {"SS": ["a", "b"]}]
)
_maps = st.dictionaries(st.sampled_from(["x", "y"]), _scalars).map(lambda members: {"M": members})
_attributes = st.dictionaries(st.sampled_from(["a", "b", "m\0"]), _scalars)
_images = st.builds(lambda some, inner: {**KEY, **some, "in": inner}, _attributes, _maps)
# (seconds since the write before, the image it left or None for a deletion)
writes = st.lists(
    st.tuples(st.integers(0, 2), st.none() | _images), min_size=1, max_size=12
)  # fmt: skip


class Write(NamedTuple):
    at: datetime
    operation: str
    before: Image | None
    after: Image | None


class Life(NamedTuple):
    stream: Stream
    item: Any
    writes: list[Write]


def live(view: str, steps: list[tuple[int, Image | None]]) -> Life:
    """Store what a stream of this view type tells of these writes, in one shard."""
    stream = make_stream(view_type=view)
    found = _written(steps)
    changes = [_change(stream.pk, view, n, write) for n, write in enumerate(found, 1)]
    if changes:
        store_in(make_shard(stream), *changes)
    return Life(stream, item_id(stream.pk, canonical(KEY)), found)


def forget(sequence: int) -> None:
    """Take a change out of the store, as if it had come before the recording began."""
    with connection.cursor() as cursor:
        key = sequence_key(str(sequence).zfill(21))
        cursor.execute("DELETE FROM streams_change WHERE sequence = %s", [key])


def differing(write: Write) -> set[str]:
    """The top-level names with another value."""
    before, after = write.before or {}, write.after or {}
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def _written(steps: list[tuple[int, Image | None]]) -> list[Write]:
    found: list[Write] = []
    image: Image | None = None
    at = BEGIN
    for seconds, after in steps:
        at += seconds * SECOND
        if after == image:
            continue  # DynamoDB sends no record for a write that changes nothing
        operation = INSERT if image is None else REMOVE if after is None else MODIFY
        found.append(Write(moment(at), operation, image, after))
        image = after
    return found


def _change(stream_id: int, view: str, sequence: int, write: Write) -> Change:
    old = write.before if view in ("NEW_AND_OLD_IMAGES", "OLD_IMAGE") else None
    new = write.after if view in ("NEW_AND_OLD_IMAGES", "NEW_IMAGE") else None
    both = write.operation != MODIFY or (old is not None and new is not None)
    names = differing(write) if both and (old or new) else None
    return Change(
        operation=write.operation,
        item=item_bytes(stream_id, canonical(KEY).encode()),
        sequence=str(sequence).zfill(21),
        event_id=f"event-{sequence}",
        occurred=int(write.at.timestamp()) * SECOND,
        keys=json.dumps(KEY).encode(),
        old=None if old is None else json.dumps(old).encode(),
        new=None if new is None else json.dumps(new).encode(),
        changed=None if names is None else tuple(n.replace("\0", "\\u0000") for n in sorted(names)),
        user_identity=None,
        size=100,
    )
