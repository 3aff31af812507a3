"""Recomputing the ledger: is every batch there, in order, and is every change as it was stored?"""

from collections.abc import Iterator
from typing import NamedTuple

from streams.change import Change, LedgerEntry, digest, microseconds
from streams.models import Batch, Shard, Stream
from streams.queries.rows import StoredChange, fetch


class Verdict(NamedTuple):
    """`broken` is a sentence about the first batch that does not fit, None if all do."""

    batches: int
    changes: int
    broken: str | None


def verify(stream: Stream) -> Verdict:
    """Walk every shard's chain; memory holds one batch at a time."""
    batches = changes = 0
    for shard in Shard.objects.filter(stream=stream).order_by("pk"):
        previous: Batch | None = None
        for batch, stored in _batches(shard):
            batches, changes = batches + 1, changes + len(stored)
            if broken := _fault(previous, batch, stored):
                return Verdict(
                    batches, changes, f"Shard {shard.name}, batch {batch.number}: {broken}"
                )
            previous = batch
        if broken := _tail_fault(shard, previous):
            return Verdict(batches, changes, f"Shard {shard.name}: {broken}")
    return Verdict(batches, changes, None)


def _batches(shard: Shard) -> Iterator[tuple[Batch, list[StoredChange]]]:
    for batch in Batch.objects.filter(shard=shard).order_by("number").iterator(chunk_size=500):
        yield batch, fetch("WHERE c.batch_id = %s ORDER BY c.ordinal", [batch.pk])


def _fault(previous: Batch | None, batch: Batch, stored: list[StoredChange]) -> str | None:
    number = previous.number + 1 if previous else 1
    if batch.number != number:
        return f"batch {number} is missing."
    if batch.continued_from != _position(previous):
        return f"it continues from {batch.continued_from!r}, not from {_position(previous)!r}."
    if len(stored) != batch.inserts + batch.modifies + batch.removes:
        return f"{len(stored)} changes are stored, the ledger counts another number."
    entry = LedgerEntry(**{name: getattr(batch, name) for name in LedgerEntry.__struct_fields__})
    before = bytes(previous.digest) if previous else b""
    if digest(before, entry, map(_as_parsed, stored)) != bytes(batch.digest):
        return "its row or one of its changes was altered after it was stored."
    return None


def _tail_fault(shard: Shard, last: Batch | None) -> str | None:
    number, tail = (last.number, bytes(last.digest)) if last else (0, b"")
    if (shard.number, bytes(shard.digest)) != (number, tail):
        return f"the shard ends at batch {shard.number}, the ledger at {number}."
    return None


def _position(batch: Batch | None) -> str:
    return batch.last_sequence if batch else ""


def _as_parsed(stored: StoredChange) -> Change:
    """The change as the digest saw it when it was stored."""
    return Change(
        operation=stored.operation,
        item=stored.item,
        sequence=stored.sequence,
        event_id=stored.event_id,
        occurred=microseconds(stored.occurred_at),
        keys=stored.keys,
        old=stored.old,
        new=stored.new,
        changed=stored.changed,
        user_identity=stored.user_identity,
        size=stored.size,
    )
