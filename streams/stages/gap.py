"""Gaps: every loss becomes a row that says from when to when, and why."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q

from streams.change import sequence_key
from streams.clocks import proven
from streams.models import Gap, PoisonRecord, Shard, Stream
from streams.sources.registry import RETENTION
from streams.stages.report import report
from streams.stages.store import Target

# A parent that can still be read was closed less than the retention ago, so its child is not older
# either; pauses between two reads, and clocks, may differ by this much.
_MARGIN = timedelta(minutes=1)


def record_trimmed(target: Target, position: str) -> None:
    """The records after the position were deleted by the source before they were read."""
    shard = _shard(target.shard_id)
    again = Q(growing=True) | Q(reason=Gap.Reason.TRIMMED, from_sequence=position)
    # A source that deleted what is younger than it promised is believed nothing any more.
    as_promised = shard.begun and shard.begun < shard.kept_from
    to_at = shard.kept_from if as_promised else shard.now
    _put(shard, again, Gap.Reason.TRIMMED, position, to_at)


def end_trimmed(target: Target, position: str, first_sequence: str) -> None:
    """Reading goes on after what was trimmed, with this sequence ("" if there is no record yet):
    what was trimmed until now belongs to the gap."""
    gap = Gap.objects.filter(
        shard_id=target.shard_id, reason=Gap.Reason.TRIMMED, from_sequence=position
    ).first()
    if gap:
        gap.to_sequence = first_sequence
        gap.to_at = max(gap.to_at, _shard(target.shard_id).kept_from)
        gap.save(update_fields=["to_sequence", "to_at"])


def record_begun_late(target: Target) -> None:
    """A shard without a position is read from its oldest record, which never fails: if it was not
    read for longer than its records are kept, the first ones may be gone."""
    shard = _shard(target.shard_id)
    growing = Gap.objects.filter(shard_id=shard.id, growing=True).exists()
    if shard.unread_from > shard.kept_from - (timedelta(0) if growing else _MARGIN):
        return
    if not growing and _widen(shard):
        return
    _put(shard, Q(growing=True), Gap.Reason.UNREAD, "", shard.kept_from)
    since = f"{shard.unread_from:%Y-%m-%d %H:%M} UTC"
    report(
        "unread",
        f"Changes of {target.stream} since {since} may be missing: {Gap.Reason.UNREAD.label}.",
        "The gap says from when to when.",
        stream=target.stream,
        about="unread",
    )


def record_lost(shard: Shard) -> None:
    """The shard was gone from the source before it was read to its end."""
    found = _shard(shard.pk)
    growing = Gap.objects.filter(shard_id=shard.pk, growing=True).exists()
    if growing or not _went_with_its_line(found):
        to_at = found.kept_from if growing else found.now
        _put(found, Q(growing=True), Gap.Reason.SHARD_LOST, shard.position, to_at)


@dataclass(frozen=True)
class _Shard:
    """What its clocks say. `begun` is since when changes may be missing, None if that is unknown.
    The source still has what happened since `kept_from`; if nothing was read since `unread_from`
    for longer than that, changes since `lost_from` may be missing."""

    id: int
    stream_id: int
    now: datetime
    kept_from: datetime
    begun: datetime | None
    unread_from: datetime
    lost_from: datetime
    was_read: bool


def _shard(shard_id: int) -> _Shard:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT s.stream_id, st.source, clock_timestamp(), {proven("s")},
                      CASE WHEN s.unread_from <= st.created_at THEN st.start_at
                           ELSE s.unread_from END,
                      st.start <> '{Stream.Start.LATEST}' AND s.unread_from <= st.created_at,
                      st.start_at, s.unread_from, {proven("p")},
                      CASE WHEN p.ended = 'read' THEN p.ended_at END,
                      (SELECT max(g.to_at) FROM streams_gap g WHERE g.stream_id = s.stream_id
                       AND g.reason = 'new-stream' AND s.generation > 1)
               FROM streams_shard s JOIN streams_stream st ON st.id = s.stream_id
               LEFT JOIN streams_shard p ON p.id = s.parent_id WHERE s.id = %s""",
            [shard_id],
        )
        stream_id, source, now, newest, start, was_there, *signs = cursor.fetchone()
    kept = RETENTION[source]
    start_at, first, parent, parent_end, replaced = signs
    known = [first, parent, parent_end and parent_end - kept, replaced]
    unread_from = newest or max(sign for sign in known if sign)
    # What was kept when the stream was added was there to be read, unless it begins later.
    before = min(first, start_at or first - kept) if was_there else first
    return _Shard(
        id=shard_id,
        stream_id=stream_id,
        now=now,
        kept_from=now - kept,
        begun=newest or start,
        unread_from=unread_from,
        lost_from=before if unread_from == first else unread_from,
        was_read=newest is not None,
    )


def _put(shard: _Shard, again: Q, reason: str, position: str, to_at: datetime) -> None:
    """Write a gap of the shard, or bring the one up to date that tells the same loss `again`."""
    with transaction.atomic():
        told = Gap.objects.select_for_update().filter(again, shard_id=shard.id, harmless_at=None)
        gap = told.order_by("-growing", "-id").first() or Gap(
            stream_id=shard.stream_id,
            shard_id=shard.id,
            from_at=shard.lost_from if reason == Gap.Reason.UNREAD else shard.begun,
            to_at=to_at,
        )
        gap.reason, gap.from_sequence, gap.growing = reason, position, False
        gap.to_at = max(gap.to_at, to_at)
        gap.detected_at = gap.detected_at or shard.now
        gap.save()


def _widen(shard: _Shard) -> bool:
    """True if a gap of the whole stream or of an ancestor is about the same time. It is made to
    end when this one would. A sibling's says nothing of this shard."""
    ancestors = _ancestors(shard.id)
    # Beyond an ancestor that was never listed the line is unknown: any gap may be of its shards.
    whole = all(listed for _, listed in ancestors)
    line = Q(shard=None) | Q(shard__in=[id_ for id_, _ in ancestors]) if whole else Q()
    same = Gap.objects.filter(
        line,
        stream_id=shard.stream_id,
        harmless_at=None,
        from_at__lte=shard.unread_from + _MARGIN,
        to_at__gte=shard.kept_from - timedelta(hours=1),
    ).first()
    if same and same.to_at < shard.kept_from:
        same.to_at = shard.kept_from
        same.save(update_fields=["to_at"])
    return same is not None


def _ancestors(shard_id: int) -> list[tuple[int, bool]]:
    """The ancestors that are known, and whether each was in a listing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """WITH RECURSIVE older AS (
                   SELECT p.id, p.parent_id, p.listed FROM streams_shard s
                   JOIN streams_shard p ON p.id = s.parent_id WHERE s.id = %s
                   UNION SELECT p.id, p.parent_id, p.listed
                   FROM older o JOIN streams_shard p ON p.id = o.parent_id
               )
               SELECT id, listed FROM older""",
            [shard_id],
        )
        return [(int(id_), bool(listed)) for id_, listed in cursor.fetchall()]


def _went_with_its_line(shard: _Shard) -> bool:
    """True if nobody had read the shard, and the gaps of those before it cover its loss: shards
    that came and went while nothing was read."""
    if shard.was_read or shard.begun is None:
        return False
    before = Gap.objects.filter(
        stream_id=shard.stream_id, growing=True, from_at__lte=shard.begun + _MARGIN
    )
    # The children of one that was read to its end are in no other shard's gap.
    orphaned = Shard.objects.filter(
        stream_id=shard.stream_id, ended=Shard.Ended.READ, children=None
    )
    return before.exists() and not orphaned.exists()


_SKIPPED = """
    WITH own AS (
        -- the batch it came in: by its sequence, or else by when it was kept
        SELECT id, number, stream_id, oldest_change_at, newest_change_at FROM streams_batch
        WHERE shard_id = %(shard)s AND poison > 0
          AND (length(last_sequence), last_sequence) >= (length(%(sequence)s), %(sequence)s)
        ORDER BY CASE WHEN %(sequence)s = ''
                      THEN abs(extract(epoch FROM stored_at - %(seen_at)s)) END,
                 number
        LIMIT 1
    ), near AS (
        SELECT max(c.occurred_at) FILTER (WHERE c.sequence < %(key)s) AS before,
               min(c.occurred_at) FILTER (WHERE c.sequence > %(key)s) AS after
        FROM streams_change c JOIN own ON own.id = c.batch_id AND own.stream_id = c.stream_id
             AND c.occurred_at BETWEEN own.oldest_change_at AND own.newest_change_at
        WHERE %(key)s <> '' AND c.stream_id = %(stream)s
    ), around AS (
        -- not those stored later than their turn: they continue from where they end
        SELECT (SELECT b.newest_change_at FROM streams_batch b, own
                WHERE b.shard_id = %(shard)s AND b.number < own.number
                  AND b.last_sequence <> b.continued_from
                  AND b.newest_change_at IS NOT NULL
                ORDER BY b.number DESC LIMIT 1) AS before,
               (SELECT b.oldest_change_at FROM streams_batch b, own
                WHERE b.shard_id = %(shard)s AND b.number > own.number
                  AND b.last_sequence <> b.continued_from
                  AND b.oldest_change_at IS NOT NULL
                ORDER BY b.number LIMIT 1) AS after
    )
    INSERT INTO streams_gap (stream_id, shard_id, reason, from_sequence, to_sequence,
                             from_at, to_at, detected_at, growing, note)
    SELECT s.stream_id, s.id, %(reason)s, %(sequence)s, %(sequence)s,
           coalesce(near.before, around.before, st.start_at),
           coalesce(near.after, around.after, %(seen_at)s), clock_timestamp(), false, %(note)s
    FROM streams_shard s JOIN streams_stream st ON st.id = s.stream_id, near, around
    WHERE s.id = %(shard)s
"""


def record_skipped(record: PoisonRecord, note: str) -> None:
    """One record is given up. It happened between its nearest stored neighbours in the shard; if
    there is none after it, before it was read. Its own time may be what cannot be read."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SKIPPED,
            {
                "stream": record.shard.stream_id,
                "shard": record.shard_id,
                "sequence": record.sequence,
                "key": sequence_key(record.sequence),
                "seen_at": record.seen_at,
                "reason": Gap.Reason.SKIPPED,
                "note": note,
            },
        )
