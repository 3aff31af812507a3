"""Store: changes, matches, ledger row and position in ONE transaction, under the lease's token.

Either all of it happened or none; so after any crash reading simply goes on at the position.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import psycopg
from django.db import connection, transaction
from django.db.utils import DataError, IntegrityError

from streams import partitions
from streams.change import (
    INSERT,
    MODIFY,
    REMOVE,
    Change,
    LedgerEntry,
    digest,
    moment,
    sequence_key,
)
from streams.errors import LeaseLost
from streams.models import PoisonRecord, Stream
from streams.stages import copy_change, match
from streams.stages.report import report
from streams.stages.rule_set import Match


@dataclass(frozen=True)
class Poison:
    """A record that is kept as it is, because it cannot be a change."""

    sequence: str
    raw: bytes
    reason: str


@dataclass(frozen=True)
class ReadBatch:
    """What one read of one shard gave, parsed and ready to store."""

    changes: Sequence[Change]
    poison: Sequence[Poison]
    first_sequence: str
    last_sequence: str
    before_start: int
    repeated: int
    ended: bool
    # Seconds since the page was read; the database's clock makes a time of it.
    read_age: float = 0.0

    def moves(self, position: str) -> bool:
        """True if there is something to store for a shard at this position."""
        return self.last_sequence != position or self.ended or bool(self.poison)

    @property
    def records(self) -> int:
        return len(self.changes) + len(self.poison) + self.before_start + self.repeated


def joined(batches: Sequence[ReadBatch]) -> ReadBatch:
    """Batches of one shard that follow each other, as one."""
    if len(batches) == 1:
        return batches[0]
    return ReadBatch(
        changes=[change for batch in batches for change in batch.changes],
        poison=[poison for batch in batches for poison in batch.poison],
        first_sequence=next((b.first_sequence for b in batches if b.first_sequence), ""),
        last_sequence=batches[-1].last_sequence,
        before_start=sum(batch.before_start for batch in batches),
        repeated=sum(batch.repeated for batch in batches),
        ended=batches[-1].ended,
    )


@dataclass(frozen=True)
class Tail:
    """The ledger's tail of a shard: what the next batch continues."""

    position: str
    number: int
    digest: bytes


@dataclass(frozen=True)
class Target:
    """The shard to store for, with the token of the lease on it."""

    stream: Stream
    shard_id: int
    generation: int
    token: int


# The days since 1970 whose leaf is known to exist, of each stream, per process.
_days_made: dict[int, set[int]] = {}
_DAY = 86_400_000_000  # microseconds


def store(shard: Target, tail: Tail, batch: ReadBatch) -> Tail:
    """Store a batch and return the shard's new tail; LeaseLost if the shard is not ours any more.

    What Postgres refuses is taken out and tried again: a change it has already is counted as
    repeated, a change it cannot hold becomes a poison record; its neighbours are never dropped.
    """
    for _ in range(3):
        try:
            _make_partitions(shard.stream.pk, batch.changes)
            # Anew for each try: where changes were taken out, the others have other places.
            matches = match.find(shard.stream, batch.changes)
            with transaction.atomic(durable=True):
                return _store(shard, tail, batch, matches)
        except IntegrityError as error:
            if isinstance(error.__cause__, psycopg.errors.CheckViolation):
                _days_made.clear()  # a leaf was dropped meanwhile
            else:
                batch = _without_stored(shard, batch)
        except DataError:
            batch = _without_refused(shard.stream.pk, batch)
    matches = match.find(shard.stream, batch.changes)
    with transaction.atomic(durable=True):
        return _store(shard, tail, batch, matches)


def store_within(shard: Target, tail: Tail, batch: ReadBatch) -> Tail:
    """Store as a part of the caller's transaction (stages/settle.py); what Postgres refuses is
    raised. LeaseLost as above."""
    return _store(shard, tail, batch, match.find(shard.stream, batch.changes))


def _store(shard: Target, tail: Tail, batch: ReadBatch, matches: Sequence[Match]) -> Tail:
    number = tail.number + 1
    operations = [change.operation for change in batch.changes]
    entry = LedgerEntry(
        stream_id=shard.stream.pk,
        shard_id=shard.shard_id,
        number=number,
        continued_from=tail.position,
        first_sequence=batch.first_sequence,
        last_sequence=batch.last_sequence,
        inserts=operations.count(INSERT),
        modifies=operations.count(MODIFY),
        removes=operations.count(REMOVE),
        before_start=batch.before_start,
        repeated=batch.repeated,
        poison=len(batch.poison),
        size=sum([change.size for change in batch.changes]),
    )
    rows = copy_change.rows(shard.stream.pk, shard.generation, batch.changes)
    new = Tail(
        position=batch.last_sequence or tail.position,
        number=number,
        digest=digest(tail.digest, entry, rows),
    )
    batch_id = _write_ledger(shard.token, tail, entry, new, batch)
    copy_change.copy(batch_id, batch.changes, rows)
    match.write(batch_id, shard.stream.pk, matches)
    if batch.poison:
        _keep_poison(shard, batch.poison)
    return new


def _write_ledger(token: int, tail: Tail, entry: LedgerEntry, new: Tail, batch: ReadBatch) -> int:
    """Move the shard's position and write the batch's row, if the lease still holds."""
    times = [change.occurred for change in batch.changes]
    oldest: datetime | None = moment(min(times)) if times else None
    newest: datetime | None = moment(max(times)) if times else None
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH shard AS (
                   UPDATE streams_shard SET position = %s, number = %s, digest = %s,
                       changes = changes + %s, last_stored_at = clock_timestamp(),
                       newest_change_at = greatest(newest_change_at, %s),
                       ended_at = CASE WHEN %s THEN clock_timestamp() END,
                       ended = CASE WHEN %s THEN 'read' ELSE '' END
                   WHERE id = %s AND lease_token = %s AND number = %s AND ended_at IS NULL
                   RETURNING id
               )
               INSERT INTO streams_batch (stream_id, shard_id, number, continued_from,
                   first_sequence, last_sequence, inserts, modifies, removes, before_start,
                   repeated, poison, size, oldest_change_at, newest_change_at, read_at,
                   lease_token, digest)
               SELECT %s, shard.id, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
                   clock_timestamp() - make_interval(secs => %s), %s, %s
               FROM shard RETURNING id""",
            [
                *(new.position, new.number, new.digest, len(batch.changes), newest),
                *(batch.ended, batch.ended, entry.shard_id, token, tail.number),
                *(entry.stream_id, entry.number, entry.continued_from),
                *(entry.first_sequence, entry.last_sequence),
                *(entry.inserts, entry.modifies, entry.removes),
                *(entry.before_start, entry.repeated, entry.poison, entry.size),
                *(oldest, newest, batch.read_age, token, new.digest),
            ],
        )
        row = cursor.fetchone()
    if row is None:
        raise LeaseLost(f"shard {entry.shard_id} was taken over; nothing was stored")
    return int(row[0])


def _keep_poison(shard: Target, poison: Iterable[Poison]) -> None:
    for record in poison:
        problem = report(
            "poison-record",
            f"A record of {shard.stream} cannot be read: {record.reason}",
            "The shard went on; its bytes are kept. Retry or skip it, here or by manage.py poison.",
            stream=shard.stream,
            about=str(shard.shard_id),
        )
        PoisonRecord.objects.create(
            problem_id=problem,
            shard_id=shard.shard_id,
            sequence=record.sequence,
            raw=record.raw,
            reason=record.reason,
        )


def _make_partitions(stream_id: int, changes: Sequence[Change]) -> None:
    made = _days_made.setdefault(stream_id, set())
    missing = {change.occurred // _DAY for change in changes} - made
    if missing:
        partitions.ensure(stream_id, [partitions.day_of(number * _DAY) for number in missing])
        made.update(missing)


def _without_stored(shard: Target, batch: ReadBatch) -> ReadBatch:
    """The batch without the changes that the store has already."""
    times = [change.occurred for change in batch.changes]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT item, sequence FROM streams_change
               WHERE stream_id = %s AND occurred_at >= %s AND occurred_at < %s
                 AND generation = %s AND item = ANY(%s) AND sequence = ANY(%s)""",
            [
                shard.stream.pk,
                # Wide enough for all of every leaf that the changes go to.
                moment(min(times) - partitions.LONGEST),
                moment(max(times) + partitions.LONGEST),
                shard.generation,
                [UUID(bytes=change.item) for change in batch.changes],
                [sequence_key(change.sequence) for change in batch.changes],
            ],
        )
        stored = {(item.bytes, sequence) for item, sequence in cursor.fetchall()}
    kept = [
        change
        for change in batch.changes
        if (change.item, sequence_key(change.sequence)) not in stored
    ]
    repeated = len(batch.changes) - len(kept)
    return replace(batch, changes=kept, repeated=batch.repeated + repeated)


def _without_refused(stream_id: int, batch: ReadBatch) -> ReadBatch:
    """The batch with the changes that Postgres cannot hold turned into poison records."""
    kept, poison = [], list(batch.poison)
    for change in batch.changes:
        reason = copy_change.refused(stream_id, change)
        if reason:
            poison.append(Poison(change.sequence, copy_change.raw(change), reason))
        else:
            kept.append(change)
    return replace(batch, changes=kept, poison=poison)
