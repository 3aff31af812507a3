"""Recomputing the ledger: is every batch there, in order, and is every change as it was stored?

What retention dropped may be missing, and only that: a drop says from when to when, a remainder
what was left of a batch on both sides of the border, a cut where a shard's ledger begins since.
"""

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from streams.change import Change, LedgerEntry, digest, microseconds
from streams.models import Batch, Cut, Drop, Remainder, Shard, Stream
from streams.queries.rows import Extent, StoredChange, fetch, fetch_of
from streams.stages import copy_change


class Verdict(NamedTuple):
    """`broken` is a sentence about the first batch that does not fit, None if all do."""

    batches: int
    changes: int
    broken: str | None


class Link(NamedTuple):
    """What a batch continues: number, last sequence and digest of the one before it."""

    number: int
    position: str
    digest: bytes

    @classmethod
    def after(cls, batch: Batch) -> "Link":
        return cls(batch.number, batch.last_sequence, bytes(batch.digest))


class Retained(NamedTuple):
    """What retention has left of a shard's ledger; without a cut it begins at its first batch."""

    cut: Cut | None
    drops: Sequence[Drop]

    @property
    def start(self) -> Link:
        if self.cut is None:
            return Link(0, "", b"")
        return Link(self.cut.number, self.cut.position, bytes(self.cut.digest))


def verify(stream: Stream) -> Verdict:
    """Walk every shard's chain; memory holds one batch at a time."""
    batches = changes = 0
    for shard_id in Shard.objects.filter(stream=stream).order_by("pk").values_list("pk", flat=True):
        found = _verify_shard(shard_id)
        batches, changes = batches + found.batches, changes + found.changes
        if found.broken:
            return Verdict(batches, changes, found.broken)
    return Verdict(batches, changes, _stray(stream))


def retained(shard_id: int, stream_id: int) -> Retained:
    cut = Cut.objects.filter(shard_id=shard_id).first()
    return Retained(cut, list(Drop.objects.filter(stream_id=stream_id).order_by("pk")))


def stored_of(batch: Batch) -> list[StoredChange]:
    """A batch's changes that are stored, in order."""
    if batch.oldest_change_at is None:
        return fetch("WHERE c.stream_id = %s AND c.batch_id = %s", [batch.stream_id, batch.pk])
    extent = Extent(batch.pk, batch.stream_id, batch.oldest_change_at, batch.newest_change_at)
    return fetch_of([extent], "ORDER BY c.ordinal", [])


def fits(batch: Batch, stored: Sequence[StoredChange]) -> bool:
    """True if a batch and its stored changes are as they were stored, or as drops left them."""
    kept = retained(batch.shard_id, batch.stream_id)
    before = Batch.objects.filter(shard=batch.shard_id, number=batch.number - 1).first()
    return _fault(Link.after(before) if before else kept.start, batch, stored, kept.drops) is None


def remainder_digest(batch: Batch, left: Sequence[StoredChange]) -> bytes:
    """A digest over what is left of a batch, which its own digest can no longer be checked by."""
    return _digest(bytes(batch.digest), batch, left)


def _verify_shard(shard_id: int) -> Verdict:
    while True:
        # Read anew for each shard: what is stored from here on is for the next time.
        shard = Shard.objects.get(pk=shard_id)
        kept = retained(shard_id, shard.stream_id)
        found = _walk(shard, kept)
        now = retained(shard_id, shard.stream_id)
        if found.broken is None or (now.start, now.drops) == (kept.start, kept.drops):
            return found
        # Retention was at work meanwhile: look again with what it says.


def _walk(shard: Shard, kept: Retained) -> Verdict:
    batches = changes = 0
    if kept.cut and not _explained(kept.cut, kept.drops):
        broken = f"the ledger begins after batch {kept.cut.number}, and no drop explains that."
        return Verdict(0, 0, f"Shard {shard.name}: {broken}")
    last = kept.start
    rows = Batch.objects.filter(shard=shard, number__lte=shard.number).order_by("number")
    for batch in rows.iterator(chunk_size=500):
        stored = stored_of(batch)
        batches, changes = batches + 1, changes + len(stored)
        if fault := _fault(last, batch, stored, kept.drops):
            return Verdict(batches, changes, f"Shard {shard.name}, batch {batch.number}: {fault}")
        last = Link.after(batch)
    fault = _tail_fault(shard, last)
    return Verdict(batches, changes, f"Shard {shard.name}: {fault}" if fault else None)


def _explained(cut: Cut, drops: Sequence[Drop]) -> bool:
    """True if retention may have cut the ledger there."""
    at = cut.newest_change_at
    return any(at is None or drop.from_at <= at < drop.to_at for drop in drops)


def _fault(
    last: Link, batch: Batch, stored: Sequence[StoredChange], drops: Sequence[Drop]
) -> str | None:
    if batch.number != last.number + 1:
        return f"batch {last.number + 1} is missing."
    if batch.continued_from != last.position:
        return f"it continues from {batch.continued_from!r}, not from {last.position!r}."
    touching = [drop for drop in drops if _touches(drop, batch)]
    if any(_holds(drop, batch) for drop in touching):
        return f"{len(stored)} changes are stored that were dropped." if stored else None
    count, expected = batch.inserts + batch.modifies + batch.removes, bytes(batch.digest)
    before = last.digest
    if touching and (remainder := Remainder.objects.filter(batch=batch).first()):
        count, expected, before = remainder.changes, bytes(remainder.digest), expected
    if len(stored) != count:
        return f"{len(stored)} changes are stored, the ledger counts another number."
    if _digest(before, batch, stored) != expected:
        return "its row or one of its changes was altered after it was stored."
    return None


def _touches(drop: Drop, batch: Batch) -> bool:
    """True if changes of the batch may have gone with the drop."""
    oldest, newest = batch.oldest_change_at, batch.newest_change_at
    if oldest is None or newest is None or batch.stored_at >= drop.dropped_at:
        return False
    return drop.from_at <= newest and oldest < drop.to_at


def _holds(drop: Drop, batch: Batch) -> bool:
    """True if all changes of a batch that the drop touches lay in its range."""
    oldest, newest = batch.oldest_change_at, batch.newest_change_at
    return bool(oldest and newest and drop.from_at <= oldest and newest < drop.to_at)


def _digest(before: bytes, batch: Batch, stored: Sequence[StoredChange]) -> bytes:
    entry = LedgerEntry(**{name: getattr(batch, name) for name in LedgerEntry.__struct_fields__})
    rows = [copy_change.row(c.stream_id, c.generation, _as_parsed(c)) for c in stored]
    return digest(before, entry, rows)


def _tail_fault(shard: Shard, last: Link) -> str | None:
    if (shard.number, bytes(shard.digest)) != (last.number, last.digest):
        return f"the shard ends at batch {shard.number}, the ledger at {last.number}."
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT max(b.number) FROM streams_batch b JOIN streams_shard s ON s.id = b.shard_id
               WHERE s.id = %s AND b.number > s.number""",
            [shard.pk],
        )
        beyond = cursor.fetchone()[0]
    return f"the shard ends before batch {beyond} of the ledger." if beyond else None


def _stray(stream: Stream) -> str | None:
    """A change that no batch of the ledger knows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.batch_id, c.ordinal FROM streams_change c
               LEFT JOIN streams_batch b ON b.id = c.batch_id AND b.stream_id = c.stream_id
                   AND c.occurred_at BETWEEN b.oldest_change_at AND b.newest_change_at
               WHERE c.stream_id = %s AND b.id IS NULL LIMIT 1""",
            [stream.pk],
        )
        row = cursor.fetchone()
    return f"The change {row[0]}-{row[1]} is in no batch of the ledger." if row else None


def _as_parsed(stored: StoredChange) -> Change:
    """The change as the digest saw it when it was stored."""
    return Change(
        operation=stored.operation,
        item=stored.item.bytes,
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
