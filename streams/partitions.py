"""The partitions of the change table: one for each stream, and in it a leaf for each span of days.

A leaf holds one stream's changes of whole days in UTC, so retention drops a leaf and nothing else.
Its name says its range. The indexes are the leaves' own: within a leaf an item's change is unique
by generation and sequence alone, because a change's time is the same on every read.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from django.db import connection, transaction

from streams import locks
from streams.indexing import key_expression

# A leaf is dropped as a whole, so it spans a small part of what is kept; but a stream has few
# leaves, because a query that cannot be bounded in time looks into each.
_SHORT_DAYS = 31
_SHORT_SPAN, _LONG_SPAN = 1, 7
# No leaf spans more microseconds than this.
LONGEST = _LONG_SPAN * 86_400_000_000
_EPOCH = date(1970, 1, 1)
# New entries are collected and put in place together; a search reads so many kB of them in full.
_PENDING = "WITH (gin_pending_list_limit = 1024)"
_NAME = re.compile(r"streams_change_s(\d+)_(\d{8})_(\d{8})\Z")


class Leaf(NamedTuple):
    """A stream's changes from the day `begin` up to, not including, the day `end`."""

    stream_id: int
    begin: date
    end: date

    @property
    def name(self) -> str:
        return f"{parent_of(self.stream_id)}_{self.begin:%Y%m%d}_{self.end:%Y%m%d}"

    @property
    def from_at(self) -> datetime:
        return datetime.combine(self.begin, time.min, UTC)

    @property
    def to_at(self) -> datetime:
        return datetime.combine(self.end, time.min, UTC)


def day_of(microseconds: int) -> date:
    """The day, in UTC, of a time in microseconds since 1970."""
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).date()


def parent_of(stream_id: int) -> str:
    """The name of the table that holds a stream's leaves."""
    return f"streams_change_s{stream_id}"


def span_of(keep_days: int | None) -> int:
    """How many days a new leaf spans, for a stream that keeps so many (None: for ever)."""
    return _SHORT_SPAN if keep_days is not None and keep_days <= _SHORT_DAYS else _LONG_SPAN


def fitting(stream_id: int, day: date, span: int, leaves: Sequence[Leaf]) -> Leaf:
    """The new leaf for a day that no leaf holds: as wide as the span, clipped by its neighbours."""
    begin = day - timedelta(days=(day - _EPOCH).days % span)
    end = begin + timedelta(days=span)
    return Leaf(
        stream_id,
        max([begin, *(leaf.end for leaf in leaves if leaf.end <= day)]),
        min([end, *(leaf.begin for leaf in leaves if leaf.begin > day)]),
    )


def leaves_of(stream_id: int) -> list[Leaf]:
    """A stream's leaves, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = to_regclass(%s)""",
            [parent_of(stream_id)],
        )
        matches = [_NAME.match(row[0]) for row in cursor.fetchall()]
    return sorted(_leaf(match) for match in matches if match)


def ensure(stream_id: int, days: Iterable[date]) -> None:
    """Make the leaves of these days that do not exist yet."""
    wanted = sorted(set(days))
    if not _without_leaf(wanted, leaves_of(stream_id)):
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [locks.MAKING_LEAVES, stream_id])
        leaves = leaves_of(stream_id)
        cursor.execute(
            "SELECT keep_days, key_schema FROM streams_stream WHERE id = %s", [stream_id]
        )
        row = cursor.fetchone()
        span = span_of(row[0] if row else None)
        key = key_expression(json.loads(row[1])) if row else ""
        _make_parent(stream_id)
        while missing := _without_leaf(wanted, leaves):
            leaf = fitting(stream_id, missing[0], span, leaves)
            _make(leaf, key)
            leaves.append(leaf)


def _leaf(match: re.Match[str]) -> Leaf:
    begin, end = (date.fromisoformat(text) for text in match.group(2, 3))
    return Leaf(int(match[1]), begin, end)


def _without_leaf(days: Iterable[date], leaves: Sequence[Leaf]) -> list[date]:
    return [day for day in days if not any(leaf.begin <= day < leaf.end for leaf in leaves)]


# ATTACH locks the parent less than CREATE … PARTITION OF, which would wait for every reader of the
# table, with all later readers waiting behind it.


def _make_parent(stream_id: int) -> None:
    name = parent_of(stream_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NULL", [name])
        if not cursor.fetchone()[0]:
            return
        cursor.execute(
            f"""CREATE TABLE {name} (LIKE streams_change INCLUDING DEFAULTS)
                PARTITION BY RANGE (occurred_at)"""
        )
        cursor.execute(
            f"ALTER TABLE streams_change ATTACH PARTITION {name} FOR VALUES IN ({stream_id})"
        )


def _make(leaf: Leaf, key: str) -> None:
    name = leaf.name
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {name} (LIKE streams_change INCLUDING DEFAULTS)")
        # An item's history in the source's order, and at the same time: each change once.
        cursor.execute(f"CREATE UNIQUE INDEX {name}_item ON {name} (item, generation, sequence)")
        # The changes of a batch. Batches are many rows under one key, which B-tree deduplication
        # keeps at about seven bytes a change.
        cursor.execute(f"CREATE INDEX {name}_batch ON {name} (batch_id)")
        # Search (queries/search.py): newest first, by changed attributes, by terms, by the key's
        # beginning. A row that an index names is still decided by the filter.
        cursor.execute(f"CREATE INDEX {name}_time ON {name} (occurred_at)")
        cursor.execute(f"CREATE INDEX {name}_changed ON {name} USING gin (changed) {_PENDING}")
        # Without the rows that have no terms, each of which would be an entry.
        cursor.execute(
            f"""CREATE INDEX {name}_terms ON {name} USING gin (terms) {_PENDING}
                WHERE terms IS NOT NULL"""
        )
        if key:
            cursor.execute(f'CREATE INDEX {name}_key ON {name} (({key}) COLLATE "C")')
        cursor.execute(
            f"""ALTER TABLE {parent_of(leaf.stream_id)} ATTACH PARTITION {name}
                FOR VALUES FROM ('{leaf.begin} 00:00:00+00') TO ('{leaf.end} 00:00:00+00')"""
        )
