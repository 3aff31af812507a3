"""A stored history with clocks of its own, and what a rule makes of it change by change."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection

from streams.alerting.definition import Definition
from streams.alerting.evaluate import Grew, Hit, Opened, Suppressed, evaluator_of
from streams.alerting.grouping import group_of
from streams.change import INSERT, MODIFY, REMOVE, microseconds
from streams.models import Batch, Shard, Stream
from streams.queries.backtest_result import Result
from streams.queries.event import Matching
from streams.queries.rows import fetch
from streams.stages.publish import number_batches
from streams.testing.factories import make_change
from streams.tests.integration.storing import last_batch, store_in

BEGIN = datetime(2025, 11, 17, tzinfo=UTC)  # a Monday
STATUSES = ("open", "paid", "paid", "shipped", "lost")


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


class Writer:
    """Stores changes of orders, and numbers them at the given time."""

    def __init__(self, *shards: Shard) -> None:
        self._shards, self._sequence = shards, 0

    def write(self, seconds: float, *changes: tuple[str, str, float], shard: int = 0) -> Batch:
        """Changes of (key, status, seconds when it occurred), as one batch that got its place in
        the feed at so many seconds; the status REMOVE removes the item."""
        stored = self._shards[shard]
        made = [self._change(stored.stream_id, *each) for each in changes]
        store_in(stored, *made)
        number_batches()
        batch = last_batch(stored)
        Batch.objects.filter(pk=batch.pk).update(numbered_at=at(seconds), stored_at=at(seconds))
        return batch

    def _change(self, stream_id: int, key: str, status: str, occurred: float) -> Any:
        self._sequence += 1
        new = {"pk": {"S": key}, "status": {"S": status}, "n": {"N": str(self._sequence)}}
        old = {**new, "status": {"S": "before"}}
        return make_change(
            stream_id,
            self._sequence,
            key=key,
            operation=REMOVE if status == REMOVE else MODIFY if self._sequence % 3 else INSERT,
            old=old,
            new=None if status == REMOVE else new,
            occurred=microseconds(at(occurred)),
        )


def random_history(
    writer: Writer, batches: int, shards: int, seed: int = 1, begin: float = 0.0
) -> float:
    """Some changes a batch, a few of them late; until when it goes, in seconds."""
    dice, clock = random.Random(seed), begin
    for _ in range(batches):
        clock += dice.choice((0.2, 1, 5, 40))
        changes = [
            (
                f"order-{dice.randrange(6)}",
                dice.choice(STATUSES),
                max(0.0, clock - dice.choice((0, 0, 1, 2, 90))),
            )
            for _ in range(dice.randrange(1, 6))
        ]
        writer.write(clock, *changes, shard=dice.randrange(shards))
    return clock


class Life(NamedTuple):
    """An alert as it was: when it opened and resolved, its group, its matches, its firings that
    were held back, and the change that opened it."""

    opened: int
    resolved: int | None
    group: str
    matches: int
    suppressed: int
    change: str


def lives_of(result: Result) -> list[Life]:
    """The alerts of a backtest, the newest first."""
    return sorted(
        (
            Life(
                microseconds(alert.opened_at),
                None if alert.resolved_at is None else microseconds(alert.resolved_at),
                alert.group,
                alert.matches,
                alert.suppressed,
                alert.change,
            )
            for alert in result.alerts
        ),
        reverse=True,
    )


class Told:
    """The alerts of a rule, as they happen."""

    def __init__(self) -> None:
        self.lives: list[Life] = []
        self._last: dict[str, int] = {}

    def follow(self, group: str, happenings: Sequence[Any]) -> None:
        for each in happenings:
            if isinstance(each, Opened):
                self._last[group] = len(self.lives)
                change = each.refs[-1] if each.refs else ""
                self.lives.append(Life(each.at, None, group, each.count, 0, change))
            elif group in self._last:
                place = self._last[group]
                self.lives[place] = self._further(self.lives[place], each)

    @staticmethod
    def _further(life: Life, each: Any) -> Life:
        match each:
            case Grew():
                return life._replace(matches=life.matches + 1)
            case Suppressed():
                return life._replace(suppressed=life.suppressed + 1)
        return life._replace(resolved=each.at)


def one_by_one(definition: Definition, until: datetime) -> list[Life]:
    """What the rule makes of all stored changes, fed one by one in the feed's order; the newest
    alert first."""
    evaluator = evaluator_of(definition)
    begun = evaluator.begin(microseconds(BEGIN)).state
    states: dict[str, Any] = {} if begun is None else {"": begun}
    told = Told()
    for group, hit in _hits(definition):
        step = evaluator.feed(states.get(group), hit)
        states[group] = step.state
        told.follow(group, step.happenings)
    for group, state in states.items():
        told.follow(group, evaluator.advance(state, microseconds(until)).happenings)
    return sorted(told.lives, reverse=True)


def _hits(definition: Definition) -> Iterator[tuple[str, Hit]]:
    """Every match, in the feed's order, of one change the second part first."""
    filters = sorted(definition.filters().items(), reverse=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, coalesce(numbered_at, stored_at) FROM streams_batch")
        clocks = {id_: microseconds(clock) for id_, clock in cursor.fetchall()}
    streams = Stream.objects.in_bulk()
    matching = {
        (pk, part): Matching(stream, filter_)
        for pk, stream in streams.items()
        for part, filter_ in filters
    }
    everything = fetch(
        "WHERE c.stream_id = ANY(%s) ORDER BY b.feed_position, c.ordinal", [list(streams)]
    )
    for change in everything:
        for part, _ in filters:
            if matching[change.stream_id, part](change):
                batch = int(change.id.partition("-")[0])
                occurred = microseconds(change.occurred_at)
                group = group_of(definition.group_by, change.stream, change)
                yield group, Hit(clocks[batch], occurred, change.id, part)
