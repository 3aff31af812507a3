"""Settle: what an operator does about a record that could not be read: try it again, or skip it.

A record is settled once, in one transaction that holds its row; doing it again changes nothing.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.db.models.functions import Now

from streams import partitions
from streams.change import Change, moment, sequence_key
from streams.errors import ReasonMissing, UnreadableRecord
from streams.models import PoisonRecord, Problem, Shard
from streams.sources.registry import parse_record
from streams.stages import copy_change, gap
from streams.stages.add import record_edit
from streams.stages.handle import note_settled
from streams.stages.publish import number_batches, wake
from streams.stages.store import ReadBatch, Tail, Target, store_within

Outcome = PoisonRecord.Outcome


def readable(record: PoisonRecord) -> str:
    """What a retry would do: "" if it would store the record, else why not. Stores nothing; only
    the leaf that the change belongs to is made."""
    try:
        _storable(record)
    except UnreadableRecord as error:
        return str(error)
    return ""


def retry(record: PoisonRecord, who: str) -> bool:
    """Read the raw bytes with today's parser and store the change; the shard's position stays.

    False if the record was settled before. UnreadableRecord says why it still cannot be stored;
    nothing has changed then.
    """
    change = _storable(record)
    with transaction.atomic(durable=True):
        if not _claim(record):
            return False
        taken = _take(record.shard)
        if not _is_stored(change, taken.target):
            store_within(taken.target, taken.tail, _batch_of(change, taken.tail))
        _give_back(taken)
        _settle(record, Outcome.STORED, who)
    position = number_batches()
    if position is not None:
        wake(position)
    return True


def skip(record: PoisonRecord, who: str, reason: str) -> bool:
    """Give the record up: a gap says so in every history that it may touch.

    False if the record was settled before. ReasonMissing if no reason is given.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("Skipping loses a change for ever: say why it is right to do so.")
    with transaction.atomic(durable=True):
        if not _claim(record):
            return False
        gap.record_skipped(record, reason)
        about = f"record {record.sequence or record.pk}"
        record_edit(who, record.shard.stream, {about: ["open", f"skipped: {reason}"]})
        _settle(record, Outcome.SKIPPED, who)
    return True


def _storable(record: PoisonRecord) -> Change:
    """The change, if it can be read and Postgres can hold it; else UnreadableRecord."""
    stream_id, change = record.shard.stream_id, _read(record)
    partitions.ensure(stream_id, [partitions.day_of(change.occurred)])
    if reason := copy_change.refused(stream_id, change):
        raise UnreadableRecord(reason)
    return change


def _read(record: PoisonRecord) -> Change:
    raw = bytes(record.raw)
    try:
        # What Postgres refused had been parsed already, and was kept as the change it was.
        return msgspec.json.decode(raw, type=Change)
    except msgspec.MsgspecError:
        stream = record.shard.stream
        return parse_record(stream.source, raw, stream.pk, stream.indexed)


def _claim(record: PoisonRecord) -> bool:
    """Lock the record's row; False if it was settled before."""
    return PoisonRecord.objects.select_for_update().filter(pk=record.pk, outcome="").exists()


class _Taken(NamedTuple):
    target: Target
    tail: Tail
    ended_at: datetime | None
    ended: str
    stored_at: datetime | None


def _take(shard: Shard) -> _Taken:
    """Take the shard's lease for the length of this transaction.

    The token moves on, so a poller that holds the shard can store nothing for it any more; it
    leases it anew, and reads the ledger's tail with it. A shard that has ended is open while we
    store, for this transaction alone.
    """
    row = Shard.objects.select_for_update().select_related(None).get(pk=shard.pk)
    token = row.lease_token + 1
    Shard.objects.filter(pk=row.pk).update(
        lease_owner="", lease_token=token, lease_expires_at=None, ended_at=None, ended=""
    )
    return _Taken(
        Target(shard.stream, row.pk, row.generation, token),
        Tail(row.position, row.number, bytes(row.digest)),
        row.ended_at,
        row.ended,
        row.last_stored_at,
    )


def _give_back(taken: _Taken) -> None:
    # The clocks say what was read from the source, and nothing was.
    Shard.objects.filter(pk=taken.target.shard_id).update(
        ended_at=taken.ended_at, ended=taken.ended, last_stored_at=taken.stored_at
    )


def _is_stored(change: Change, target: Target) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT EXISTS (SELECT FROM streams_change
                              WHERE stream_id = %s AND occurred_at >= %s AND occurred_at < %s
                                AND generation = %s AND item = %s AND sequence = %s)""",
            [
                target.stream.pk,
                # Wide enough for all of the leaf that the change goes to.
                moment(change.occurred - partitions.LONGEST),
                moment(change.occurred + partitions.LONGEST),
                target.generation,
                *(UUID(bytes=change.item), sequence_key(change.sequence)),
            ],
        )
        return bool(cursor.fetchone()[0])


def _batch_of(change: Change, tail: Tail) -> ReadBatch:
    """A batch that ends where the shard stands, because the change is from before."""
    return ReadBatch(
        changes=[change],
        poison=[],
        first_sequence=change.sequence,
        last_sequence=tail.position,
        before_start=0,
        repeated=0,
        ended=False,
    )


def _settle(record: PoisonRecord, outcome: str, who: str) -> None:
    """Note what became of the record; its problem is gone with the last one."""
    PoisonRecord.objects.filter(pk=record.pk).update(
        outcome=outcome, settled_at=Now(), settled_by=who
    )
    # Locked first: of two who settle the last two records, the second must see the first's.
    problem = Problem.objects.select_for_update().get(pk=record.problem_id)
    if not problem.records.filter(outcome="").exists():
        note_settled(problem, who)
