"""Discover: which shards there are. Every page of a listing is kept as soon as it is read, so a
listing that fails half way still makes progress; only a complete one proves that a shard is gone.
"""

import logging
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from streams import locks
from streams.errors import ShardGone, SourceError
from streams.models import Gap, Shard, Stream
from streams.sources.base import Description, ListedShard, Origin, PulledSource
from streams.stages import gap
from streams.stages.report import report, report_error, resolve

log = logging.getLogger(__name__)

# How often the shards are listed without a cause; a shard that ended is a cause.
EVERY_SECONDS = 15
# A stream that was turned off, alone or with its table, stays readable for 24 hours.
_STILL_READABLE = timedelta(hours=24)
_OFF = ("stream-off", "table-missing")
_LABEL = re.compile(r"/stream/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)")


def discover(stream: Stream, source: PulledSource, *, starting: bool = False) -> None:
    """Bring the stream's shards up to date; SourceError if the source did not tell.

    With `starting` the stream was added this moment: its "from now on" is pinned by iterators.
    While another process lists the stream it does nothing: it is due again then.
    """
    with _alone(stream, wait=starting) as alone:
        if alone:
            stream.refresh_from_db()  # another process may have found a new ARN meanwhile
            _discover(stream, source, starting)
        else:
            make_due(stream.pk)


@contextmanager
def _alone(stream: Stream, *, wait: bool) -> Iterator[bool]:
    """One listing of a stream at a time: two together would call DescribeStream too often, and
    find a new ARN twice. The lock ends with the connection: a killed process keeps nobody out."""
    lock = "pg_advisory_lock" if wait else "pg_try_advisory_lock"  # the first gives no value
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {lock}(%s, %s)::text <> 'false'", [locks.LISTING, stream.pk])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [locks.LISTING, stream.pk])


def _discover(stream: Stream, source: PulledSource, starting: bool) -> None:
    try:
        description = source.describe()
    except SourceError as error:
        report_error(error, stream=stream)
        if error.kind in _OFF:
            for arn in _arns(stream) if stream.arn else []:
                _list(stream, source, arn)
        raise
    _follow(stream, description)
    complete = True
    for arn in _arns(stream):
        complete &= _list(stream, source, arn)
    if starting and stream.start == Stream.Start.LATEST:
        _pin(stream, source)
    if complete:
        resolve(stream=stream, about="")
        _note_discovered(stream)


def _follow(stream: Stream, description: Description) -> None:
    """Take over what the source says of itself; a new ARN begins a new generation."""
    replaced = bool(stream.arn) and stream.arn != description.arn
    with transaction.atomic():
        if replaced:
            _record_replaced(stream, description.arn)
            stream.generation += 1
        stream.arn = description.arn
        stream.view_type = description.view_type
        stream.take_key_schema(description.key_schema)
        stream.save(update_fields=["arn", "generation", "view_type", "key_schema", "indexed_since"])


def _record_replaced(stream: Stream, arn: str) -> None:
    """The time between the old ARN and the new one was recorded by neither."""
    label = _LABEL.search(arn)
    begun = datetime.fromisoformat(label[1] + "+00:00") if label else timezone.now()
    # The last signs of the old one: a change, or that it was found to be on.
    newest = stream.shards.aggregate(newest=Max("newest_change_at"))["newest"]
    signs = [sign for sign in (newest, stream.discovered_at) if sign and sign < begun]
    Gap.objects.create(
        stream=stream,
        reason=Gap.Reason.NEW_STREAM,
        from_at=max(signs, default=None),
        to_at=begun,
    )
    report(
        "stream-replaced",
        f"The table's stream was off or replaced: {stream} goes on with the new one.",
        "Writes made while it was off are in no stream; the gap says from when to when.",
        stream=stream,
        about=arn,
    )


def _arns(stream: Stream) -> list[str]:
    """The ARNs to list: earlier ones as long as they may be readable, then the current one."""
    ended_lately = Q(ended_at__gt=Now() - _STILL_READABLE)
    shards = stream.shards.filter(Q(ended_at__isnull=True) | ended_lately).exclude(arn=stream.arn)
    earlier = shards.order_by("generation").values_list("arn", flat=True)
    return [*dict.fromkeys(earlier), stream.arn]


def _list(stream: Stream, source: PulledSource, arn: str) -> bool:
    """List one ARN's shards; True if the listing was complete."""
    known = set(_unfinished(stream, arn).values_list("name", flat=True))
    named: set[str] = set()
    seen: set[str] = set()
    generation = stream.generation if arn == stream.arn else _generation_of(stream, arn)
    try:
        for page in source.shards(arn):
            _keep(stream, arn, generation, page)
            seen.update(shard.name for shard in page)
            named.update(shard.parent for shard in page if shard.parent)
    except ShardGone as error:
        if arn == stream.arn:
            report_error(error, stream=stream)
            return False
        seen.clear()  # an earlier ARN that is gone altogether
    except SourceError as error:
        _report_unlisted(stream, error)
        return False
    # Only what was known before: a shard that appeared meanwhile may be too new for this listing.
    _end_unlisted(stream, arn, (known | named) - seen)
    return True


def _report_unlisted(stream: Stream, error: SourceError) -> None:
    report(
        error.kind,
        f"The shards of {stream} cannot be listed, so new ones are not read: {error.sentence}",
        error.fix or "It is tried again every few seconds.",
        stream=stream,
    )


def _generation_of(stream: Stream, arn: str) -> int:
    return stream.shards.filter(arn=arn).values_list("generation", flat=True)[0]


def _keep(stream: Stream, arn: str, generation: int, page: Collection[ListedShard]) -> None:
    """Write a page of a listing. A parent that was not listed yet gets a row of its own, so that
    its child waits until a complete listing shows whether it still exists."""
    parents = {shard.parent for shard in page if shard.parent}
    names = parents | {shard.name for shard in page}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO streams_shard (stream_id, generation, arn, name, listed, closed, ended,
                   position, iterator, number, digest, changes, lease_owner, lease_token,
                   unread_from)
               SELECT st.id, %s, %s, n.name, false, false, '', '', '', 0, '', 0, '', 0,
                      coalesce(st.discovered_at, st.created_at)
               FROM unnest(%s::text[]) AS n(name), streams_stream st
               WHERE st.id = %s ORDER BY n.name
               ON CONFLICT (stream_id, arn, name) DO NOTHING""",
            [generation, arn, sorted(names), stream.pk],
        )
        cursor.execute(
            """UPDATE streams_shard s SET listed = true, closed = g.closed, parent_id = p.id
               FROM unnest(%s::text[], %s::text[], %s::bool[]) AS g(name, parent, closed)
               LEFT JOIN streams_shard p
                   ON p.stream_id = %s AND p.arn = %s AND p.name = g.parent
               WHERE s.stream_id = %s AND s.arn = %s AND s.name = g.name
                 AND (s.listed, s.closed) IS DISTINCT FROM (true, g.closed)""",
            [
                [shard.name for shard in page],
                [shard.parent or "" for shard in page],
                [shard.closed for shard in page],
                *(stream.pk, arn, stream.pk, arn),
            ],
        )


def _end_unlisted(stream: Stream, arn: str, missing: Collection[str]) -> None:
    """After a complete listing: a shard that it does not name can never be read any more.

    One that was listed before gets a second chance, because listings may lag behind each other.
    """
    for shard in _unfinished(stream, arn).filter(name__in=missing).order_by("name"):
        if shard.listed:
            Shard.objects.filter(pk=shard.pk).update(listed=False)
            make_due(stream.pk)
        elif stream.discovered_at is None:
            _end(shard, Shard.Ended.BEFORE_START)
        elif _may_follow_unread(shard):
            make_due(stream.pk)  # its children are younger still, and must not be read yet
        else:
            _lose(stream, shard)


def _may_follow_unread(shard: Shard) -> bool:
    """True while its parent, or any closed one if its parent is unknown, is still to be read."""
    if shard.parent:
        return shard.parent.ended_at is None
    closed = _unfinished(shard.stream, shard.arn).filter(listed=True, closed=True)
    return closed.filter(Q(parent=None) | Q(parent__ended_at__isnull=False)).exists()


def _lose(stream: Stream, shard: Shard) -> None:
    with transaction.atomic():
        if not _end(shard, Shard.Ended.LOST):
            return
        gap.record_lost(shard)
        report(
            "shard-lost",
            f"Shard {shard.name} of {stream} was gone before it was read to its end.",
            "The gap says from when to when changes may be missing.",
            stream=stream,
            about=shard.name,
        )


def _pin(stream: Stream, source: PulledSource) -> None:
    """ "From now on": closed shards are over, and open ones are read from where they are now.

    The iterator keeps that place. Should it expire before it is used, the shard is read from its
    oldest record and what happened before the start is left out by time (stages/parse.py).
    """
    for shard in _unfinished(stream, stream.arn):
        if shard.closed:
            _end(shard, Shard.Ended.BEFORE_START)
        else:
            place = source.iterator(shard.arn, shard.name, Origin.NEWEST)
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE streams_shard SET iterator = %s, iterator_at = clock_timestamp() "
                    "WHERE id = %s",
                    [place, shard.pk],
                )


def _unfinished(stream: Stream, arn: str) -> "QuerySet[Shard]":
    return Shard.objects.filter(stream=stream, arn=arn, ended_at__isnull=True)


def _end(shard: Shard, how: str) -> bool:
    """End a shard without reading it; False if it ended by itself meanwhile. The token moves on,
    so that a poller that still holds the shard cannot store for it any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE streams_shard SET ended = %s, ended_at = clock_timestamp(),
                   lease_token = lease_token + 1, lease_expires_at = NULL
               WHERE id = %s AND ended_at IS NULL""",
            [how, shard.pk],
        )
        return bool(cursor.rowcount == 1)


def _note_discovered(stream: Stream) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE streams_stream SET discovered_at = clock_timestamp() WHERE id = %s",
            [stream.pk],
        )


def claim(stream_id: int) -> bool:
    """True if the shards of this stream are due to be listed, and it is for the caller to do."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE streams_stream
               SET discover_after = clock_timestamp() + make_interval(secs => %s)
               WHERE id = %s AND paused_at IS NULL
                 AND (discover_after IS NULL OR discover_after <= clock_timestamp())""",
            [EVERY_SECONDS, stream_id],
        )
        return bool(cursor.rowcount == 1)


def has_children(shard_id: int) -> bool:
    """True if a listing has named a child of the shard, so none is needed to go on."""
    return Shard.objects.filter(parent_id=shard_id).exists()


def make_due(stream_id: int) -> None:
    """Ask for a listing now: a shard ended or is gone."""
    Stream.objects.filter(pk=stream_id).update(discover_after=None)
