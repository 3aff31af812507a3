"""Retention: what each leaf of a stream holds, when it will be dropped, or why it is held."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import Max

from streams import partitions
from streams.models import Drop, Stream
from streams.partitions import Leaf

# A change's time is the source's and roughly ordered; a leaf this far behind is surely over.
MARGIN = timedelta(hours=1)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class PlannedLeaf:
    """One leaf. `rows` is Postgres' estimate and `size` in bytes, with indexes. `drops_at` is when
    its last change is past retention, None for never; `held` says why it stays even then."""

    name: str
    from_at: datetime
    to_at: datetime
    rows: int
    size: int
    drops_at: datetime | None
    due: bool
    held: str

    @property
    def fate(self) -> str:
        """When it will be dropped, in words."""
        if self.drops_at is None:
            return "never: changes are kept for ever"
        if self.due:
            return "within a minute or two"
        return f"held: {self.held}" if self.held else f"{self.drops_at:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True)
class Bounds:
    """Up to when nothing is missing in the store, and why not further; None for no bound."""

    now: datetime
    until: datetime | None
    reason: str


_ROWS = """
    SELECT c.relname, greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint,
           coalesce(pg_total_relation_size(c.oid), 0)
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = to_regclass(%s)
"""
# What may still come: from the shard that is least far, into a gap that still grows, and what was
# stored but has no place in the feed yet. The overview's lag is reckoned the same way.
_BOUNDS = """
    (SELECT coalesce(greatest(s.caught_up_at, s.newest_change_at),
                     greatest(p.caught_up_at, p.newest_change_at)) AS until, 'shard', s.name
     FROM streams_shard s LEFT JOIN streams_shard p ON p.id = s.parent_id
     WHERE s.stream_id = %(stream)s AND s.ended_at IS NULL
     ORDER BY 1 NULLS FIRST LIMIT 1)
    UNION ALL
    (SELECT from_at, 'gap', '' FROM streams_gap WHERE stream_id = %(stream)s AND growing
     ORDER BY 1 NULLS FIRST LIMIT 1)
    UNION ALL
    (SELECT oldest_change_at, 'feed', '' FROM streams_batch
     WHERE feed_position IS NULL AND stream_id = %(stream)s AND oldest_change_at IS NOT NULL
     ORDER BY 1 LIMIT 1)
    ORDER BY 1 NULLS FIRST LIMIT 1
"""


def plan(stream: Stream, keep_days: int | None) -> list[PlannedLeaf]:
    """Every leaf, the oldest first, as it would be if the stream kept so many days."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, [partitions.parent_of(stream.pk)])
        found = {name: (rows, size) for name, rows, size in cursor.fetchall()}
    limits = bounds(stream)
    return [
        _planned(leaf, *found.get(leaf.name, (0, 0)), limits, keep_days)
        for leaf in partitions.leaves_of(stream.pk)
    ]


def bounds(stream: Stream) -> Bounds:
    """How far the stream is surely stored."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
        cursor.execute(_BOUNDS, {"stream": stream.pk})
        row = cursor.fetchone()
    if row is None:
        return Bounds(now, None, "")
    until, what, name = row
    return Bounds(now, until or _NEVER, _reason(what, name, until))


def drops_at(leaf: Leaf, keep_days: int | None) -> datetime | None:
    return None if keep_days is None else leaf.to_at + timedelta(days=keep_days)


def held(leaf: Leaf, limits: Bounds) -> str:
    """Why this leaf may not be dropped whatever its age; "" if nothing is in the way."""
    if limits.until is None or limits.until >= leaf.to_at + MARGIN:
        return ""
    return limits.reason


def due(leaf: Leaf, keep_days: int | None, limits: Bounds) -> bool:
    """True if the leaf is to be dropped now."""
    at = drops_at(leaf, keep_days)
    return at is not None and at <= limits.now and not held(leaf, limits)


def foretold(stream: Stream, keep_days: int) -> str:
    """What keeping only so many days would drop, in words."""
    leaves = plan(stream, keep_days)
    over = [leaf for leaf in leaves if leaf.due or leaf.held]
    if over:
        rows, size = sum(leaf.rows for leaf in over), sum(leaf.size for leaf in over)
        return (
            f"With {keep_days} days, what happened from {_day(over[0].from_at)} up to "
            f"{_day(over[-1].to_at)} (UTC) will be dropped in the next minutes: about {rows:,} "
            f"changes, {spelled_size(size)}."
        )
    if leaves:
        return (
            f"With {keep_days} days, nothing will be dropped at once; the oldest changes, from "
            f"{_day(leaves[0].from_at)} on, will be dropped at {leaves[0].fate}."
        )
    return f"With {keep_days} days, nothing will be dropped at once: no change is stored."


def spelled_size(size: float) -> str:
    """`812 bytes`, `4.1 kB`, `1.2 GB`."""
    if size < 1_000:
        return f"{size:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        size /= 1_000
        if size < 1_000:
            return f"{size:.1f} {unit}"
    return f"{size / 1_000:.1f} TB"


def dropped_until(stream_id: int) -> datetime | None:
    """Changes before this moment were dropped; None if none were."""
    found: datetime | None = Drop.objects.filter(stream_id=stream_id).aggregate(at=Max("to_at"))[
        "at"
    ]
    return found


def _planned(
    leaf: Leaf, rows: int, size: int, limits: Bounds, keep_days: int | None
) -> PlannedLeaf:
    at = drops_at(leaf, keep_days)
    return PlannedLeaf(
        name=leaf.name,
        from_at=leaf.from_at,
        to_at=leaf.to_at,
        rows=rows,
        size=size,
        drops_at=at,
        due=due(leaf, keep_days, limits),
        held=held(leaf, limits) if at and at <= limits.now else "",
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _reason(what: str, name: str, until: datetime | None) -> str:
    at = f"{until:%Y-%m-%d %H:%M} UTC" if until else ""
    if what == "gap":
        return f"A gap that began {f'at {at}' if at else 'at an unknown time'} still grows."
    if what == "feed":
        return f"Changes from {at} on have no place in the feed yet."
    if not at:
        return f"Shard {name} has not been read yet."
    return f"Shard {name} is read only up to {at}; what happened after may still come."
