"""The stored changes that filters match, portion by portion down the feed, however many there are.

An index narrows where one fits, and every change is decided as the match stage decides it. Within a
portion the changes come in no order; between portions from the newest to the oldest.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from django.db import connection, transaction
from psycopg.types.string import ByteaBinaryLoader

from streams.change import OPERATION_NAME, Change, microseconds, sequence_text
from streams.models import Stream
from streams.partitions import Leaf
from streams.queries.search_plan import Plan, plan
from streams.queries.search_statement import LeafGone, leaf_may_go
from streams.rules.errors import EventError
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import PLAIN_IMAGES, RECORD_IMAGES, Wanted
from streams.rules.filter import Filter
from streams.rules.matching.change_matcher import ChangeMatcher

# Rows that are fetched at a time.
_ROWS = 2_000


class Batch(NamedTuple):
    """A batch of the ledger. `clock` is when it got its place in the feed, in microseconds."""

    id: int
    stream_id: int
    position: int
    clock: int
    oldest: datetime | None
    newest: datetime | None
    changes: int


class Found(NamedTuple):
    """A change that matches. Of it only the parts that were asked for are there."""

    batch: Batch
    ordinal: int
    stream: Stream
    change: Change
    parts: tuple[int, ...]


class Place(NamedTuple):
    """Where in the feed a change is, and when: its clock and its own time, in microseconds."""

    position: int
    ordinal: int
    batch: int
    clock: int
    occurred: int

    @classmethod
    def of(cls, found: Found) -> "Place":
        batch = found.batch
        return cls(batch.position, found.ordinal, batch.id, batch.clock, found.change.occurred)

    @property
    def change(self) -> str:
        """The permalink of the change."""
        return f"{self.batch}-{self.ordinal}"


class Portion(NamedTuple):
    """Batches that lie next to each other in the feed, the newest first, with nothing between
    them and what was read before: all from place `first` on has been read then."""

    batches: Sequence[Batch]
    first: int
    changes: int


class Pace:
    """How large portions are: they grow while they are quick."""

    _QUICK, _SLOW = 0.5, 1.5  # seconds
    _MOST = 32

    def __init__(self) -> None:
        self._size = 1
        self._begun = time.monotonic()

    @property
    def changes(self) -> int:
        return 20_000 * self._size

    @property
    def batches(self) -> int:
        return 1_000 * self._size

    def took_one(self) -> None:
        now = time.monotonic()
        seconds, self._begun = now - self._begun, now
        if seconds < self._QUICK:
            self._size = min(self._size * 2, self._MOST)
        elif seconds > self._SLOW:
            self._size = max(self._size // 2, 1)


def is_over(deadline: float | None) -> bool:
    """True after a deadline of time.monotonic; None is none."""
    return deadline is not None and time.monotonic() >= deadline


def portions(first: int, last: int, streams: Sequence[Stream] | None) -> Iterator[Portion]:
    """The ledger of these streams (None: all) from a feed position down to another, both
    included."""
    pace = Pace()
    while last >= first:
        portion = _portion(first, last, streams, pace)
        yield portion
        pace.took_one()
        last = portion.first - 1


def _portion(first: int, last: int, streams: Sequence[Stream] | None, pace: Pace) -> Portion:
    of = "" if streams is None else "AND stream_id = ANY(%s)"
    given = [] if streams is None else [[stream.pk for stream in streams]]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT id, stream_id, feed_position, coalesce(numbered_at, stored_at),
                       oldest_change_at, newest_change_at, inserts + modifies + removes
                FROM streams_batch WHERE feed_position BETWEEN %s AND %s {of}
                ORDER BY feed_position DESC LIMIT %s""",
            [first, last, *given, pace.batches],
        )
        rows = cursor.fetchall()
    batches: list[Batch] = []
    changes = 0
    for id_, stream_id, position, clock, *rest in rows:
        batches.append(Batch(id_, stream_id, position, microseconds(clock), *rest))
        changes += batches[-1].changes
        if changes >= pace.changes:
            return Portion(batches, position, changes)
    return Portion(batches, batches[-1].position if len(rows) == pace.batches else first, changes)


class Matched:
    """Finds the changes of these streams that match filters by their parts (1, 2). `images` are
    what else of a change is wanted of those that match: "keys", "old", "new"."""

    def __init__(
        self, filters: Mapping[int, Filter], streams: Sequence[Stream], images: Collection[str]
    ) -> None:
        either = Filter(tuple(c for f in filters.values() for c in f.form), "", "expression")
        columns = _columns(Wanted.of([either.form]), images)
        planned = [(stream, plan(either, stream)) for stream in streams]
        self._sources = {
            stream.pk: _Source(how, filters, columns) for stream, how in planned if how is not None
        }

    def within(self, portion: Portion) -> Iterator[Found]:
        """The changes of a portion that match. What retention drops meanwhile is left out."""
        of_stream: dict[int, dict[int, Batch]] = {}
        for batch in portion.batches:
            if batch.oldest is not None:
                of_stream.setdefault(batch.stream_id, {})[batch.id] = batch
        for stream_id, batches in of_stream.items():
            source = self._sources.get(stream_id)
            if source is not None:
                yield from source.within(batches)


class _Source:
    """One stream."""

    def __init__(self, how: Plan, filters: Mapping[int, Filter], columns: str) -> None:
        self._plan, self._filters, self._columns = how, filters, columns
        self._matcher = ChangeMatcher(filters, how.facts)

    def within(self, batches: Mapping[int, Batch]) -> Iterator[Found]:
        oldest = min(batch.oldest for batch in batches.values() if batch.oldest)
        newest = max(batch.newest for batch in batches.values() if batch.newest)
        for leaf in self._plan.leaves:
            if leaf.from_at <= newest and oldest < leaf.to_at:
                try:
                    yield from self._of_leaf(leaf, batches)
                except LeafGone:
                    continue  # retention has dropped it

    def _of_leaf(self, leaf: Leaf, batches: Mapping[int, Batch]) -> Iterator[Found]:
        condition, rest = self._plan.condition(leaf), self._plan.rest
        also = [f"AND {sql}" for sql in (condition.sql, rest[0]) if sql]
        sql = f"""SELECT {self._columns} FROM {leaf.name} c
                  WHERE c.batch_id = ANY(%s) {" ".join(also)}"""
        stream = self._plan.stream
        for rows in _rows(sql, [list(batches), *condition.given, *rest[1]]):
            changes = [_change(row) for row in rows]
            for place, parts in self._match(changes).items():
                batch, ordinal, *_ = rows[place]
                yield Found(batches[batch], ordinal, stream, changes[place], tuple(sorted(parts)))

    def _match(self, changes: Sequence[Change]) -> Mapping[int, Collection[int]]:
        try:
            return self._matcher.match_all(changes)
        except EventError:
            # One is nested too deep for one of the filters, as stages/match.py would find.
            found = {n: self._alone(change) for n, change in enumerate(changes)}
            return {n: parts for n, parts in found.items() if parts}

    def _alone(self, change: Change) -> list[int]:
        found = []
        for part, one in self._filters.items():
            with suppress(EventError):
                events = ChangeEvents(self._plan.facts, Wanted.of([one.form]))
                if one.matches(events.of(change)):
                    found.append(part)
        return found


def _columns(wanted: Wanted, images: Collection[str]) -> str:
    """The columns of a change, NULL for those that nobody looks into."""
    asked = {
        name
        for name, record in zip(PLAIN_IMAGES, RECORD_IMAGES, strict=True)
        if name in wanted or record in wanted or name in images
    }
    if "ttl" in wanted or "userIdentity" in wanted:
        asked.add("user_identity")
    texts = [f"c.{n}::text" if n in asked else "NULL" for n in ("keys", "old", "new")]
    identity = "c.user_identity::text" if "user_identity" in asked else "NULL"
    # As varchar it is read as text, while text itself is read as bytes.
    changed = "c.changed::varchar[]" if "changed" in wanted else "NULL"
    record = any(part in wanted for part in ("dynamodb.SequenceNumber", "eventID"))
    sequence = "c.sequence::varchar, c.event_id::varchar" if record else "NULL, NULL"
    return f"""c.batch_id, c.ordinal, (extract(epoch FROM c.occurred_at) * 1000000)::bigint,
        c.operation::varchar, {", ".join(texts)}, {changed}, {identity}, c.size, {sequence}"""


def _rows(sql: str, given: Sequence[Any]) -> Iterator[list[tuple[Any, ...]]]:
    """What the SELECT finds, some rows at a time."""
    with leaf_may_go(), connection.wrap_database_errors, transaction.atomic():
        raw: psycopg.Connection[Any] = connection.connection
        with raw.cursor() as settings:
            # An index names the batches; statistics of a young leaf say nothing of them.
            settings.execute(
                """SELECT set_config('enable_seqscan', 'off', true),
                          set_config('jit', 'off', true)"""
            )
        with raw.cursor("matched", binary=True) as cursor:
            cursor.adapters.register_loader("text", ByteaBinaryLoader)
            cursor.execute(sql, given)
            while rows := cursor.fetchmany(_ROWS):
                yield rows


def _change(row: Sequence[Any]) -> Change:
    _, _, at, operation, keys, old, new, changed, identity, size, sequence, event_id = row
    return Change(
        operation=OPERATION_NAME[operation],
        item=b"",
        sequence=sequence_text(sequence or ""),
        event_id=event_id or "",
        occurred=at,
        keys=keys or b"{}",
        old=old,
        new=new,
        changed=None if changed is None else tuple(changed),
        user_identity=identity,
        size=size,
    )
