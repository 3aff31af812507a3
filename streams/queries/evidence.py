"""What proves a stretch of an item's history: its versions, where each stands in the ledger, and
the digests by which anybody can check that nothing was altered."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

import msgspec

from streams.change import sequence_key
from streams.models import Batch, Gap, Stream
from streams.queries.change import gaps_of
from streams.queries.history import affordable
from streams.queries.rows import StoredChange, fetch_versions
from streams.queries.spelled import line, spelled

# So many versions are on one page of evidence.
MOST = 200
_AT_ONCE = 20


class Entry(NamedTuple):
    """A version. `sha256` is over its JSON as the API gives it, in hexadecimal like all digests;
    `number` is its batch in the ledger of its shard, and `digest` that batch's."""

    id: str
    operation: str
    occurred_at: datetime
    stored_at: datetime
    sequence: str
    event_id: str
    shard: str
    number: int
    digest: str
    sha256: str


class Evidence(NamedTuple):
    """Oldest first. `sha256` is over the JSON of all versions, a line each; `gaps` touch the
    stretch. `complete` is False if it has more versions than one page of evidence holds."""

    entries: list[Entry]
    gaps: list[Gap]
    sha256: str
    complete: bool


def evidence(stream: Stream, older: StoredChange, newer: StoredChange) -> Evidence:
    """Of the versions from one to another of the same item, both included."""
    whole = sha256()
    found: list[tuple[StoredChange, str]] = []
    for change in islice(_between(stream, older, newer), MOST):
        text = line(spelled(change)).encode()
        whole.update(text + b"\n")
        found.append((_without_images(change), sha256(text).hexdigest()))
    ids = {_batch_of(change) for change, _ in found}
    batches = Batch.objects.only("number", "digest").in_bulk(ids)
    entries = [_entry(change, batches[_batch_of(change)], digest) for change, digest in found]
    begin, end = older.occurred_at, newer.occurred_at
    gaps = [g for g in gaps_of(stream.pk) if g.to_at >= begin and (g.from_at or begin) <= end]
    return Evidence(entries, gaps, whole.hexdigest(), entries[-1].id == newer.id)


def _between(stream: Stream, older: StoredChange, newer: StoredChange) -> Iterator[StoredChange]:
    yield older
    place, last = _key(older), _key(newer)
    while place < last:
        limit = affordable(stream.pk, older.item, place, _AT_ONCE, newer=True)
        rows = fetch_versions(stream.pk, older.item, place, limit, newer=True)
        if not rows:
            return
        yield from (row for row in rows if _key(row) <= last)
        place = _key(rows[-1])


def _entry(change: StoredChange, batch: Batch, digest: str) -> Entry:
    same = ("id", "operation", "occurred_at", "stored_at", "sequence", "event_id", "shard")
    facts = {name: getattr(change, name) for name in same}
    return Entry(**facts, number=batch.number, digest=bytes(batch.digest).hex(), sha256=digest)


def _without_images(change: StoredChange) -> StoredChange:
    return msgspec.structs.replace(change, old=None, new=None)


def _batch_of(change: StoredChange) -> int:
    return int(change.id.partition("-")[0])


def _key(change: StoredChange) -> tuple[int, str]:
    return change.generation, sequence_key(change.sequence)
