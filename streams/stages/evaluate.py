"""Evaluate: matches become alerts, in the order of the feed, each match exactly once.

A match waits until its batch has its place in the feed. It is evaluated by its row: the outcome is
written in the transaction that writes the alert, the rule's memory and the deliveries. The clock
is that of the feed: a match counts when its batch got its place, and time passes up to a moment
after which no match can have an earlier clock. So a backtest of the same changes gives the same.

A rule that raises says so on its page and its matches wait; the others go on. A match whose rule
was deleted, or asks something else by now, is marked as superseded. Saving a rule first evaluates
what waits (streams/rulebook.py), so that is only what a poller still found by the rule before.
"""

import time
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import connection, transaction

from streams import locks
from streams.alerting.evaluate import Evaluator, Happening, Hit
from streams.change import microseconds
from streams.stages.alert import Alerts
from streams.stages.asked_rules import AskedRules, resting
from streams.stages.outcomes import Outcomes, Place
from streams.stages.passing import let_time_pass
from streams.stages.rule_states import RuleStates
from streams.stages.tell import tell_due
from streams.stages.tell_mutes import tell_ending_mutes

# In one transaction: worth its cost, and short enough for people who wait to acknowledge.
_SLICE = 1_000
# In one run; the next goes on. Beat runs it every second.
_SECONDS = 10.0


class Waiting(NamedTuple):
    """A match that has not been evaluated, as its row has it, with its batch's clock."""

    id: int
    rule_id: int | None
    rule_version: int
    part: int
    batch_id: int
    ordinal: int
    stream_id: int
    occurred_at: datetime
    group: str
    seen: str
    clock: datetime

    @property
    def hit(self) -> Hit:
        clock, occurred = microseconds(self.clock), microseconds(self.occurred_at)
        return Hit(clock, occurred, self.id, self.part, self.seen)


class Done(NamedTuple):
    """What a run did: matches evaluated, deliveries made. `more` if something may be left."""

    matches: int
    deliveries: int
    more: bool = False


def evaluate() -> Done:
    """Evaluate what waits, then let time pass. Safe to run twice or at once: who comes second has
    nothing to do."""
    until, done = time.monotonic() + _SECONDS, Done(0, 0)
    now, head = feed_now()
    while True:
        with transaction.atomic(durable=True):
            if not locks.free(locks.ALERTING):
                return done._replace(more=True)
            step = _evaluate_slice(head, now)
            if not step.more:
                step = step._replace(deliveries=step.deliveries + _pass_time(now))
        done = Done(done.matches + step.matches, done.deliveries + step.deliveries, step.more)
        if not step.more or time.monotonic() > until:
            return done


def evaluate_before_change() -> None:
    """Evaluate all that waits, in the transaction of somebody who is about to change a rule. From
    here to its end nobody else evaluates."""
    locks.wait(locks.ALERTING)
    with connection.cursor() as cursor:
        # The head's row is not held: the feed goes on while somebody saves a rule.
        cursor.execute("SELECT clock_timestamp(), position FROM streams_feedhead WHERE id = 1")
        row = cursor.fetchone()
    while row and _evaluate_slice(head=row[1], now=row[0]).more:
        pass


def feed_now() -> tuple[datetime, int]:
    """A moment and the feed's head: every batch that comes after it has a later clock."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO streams_feedhead (id, position) VALUES (1, 0) ON CONFLICT DO NOTHING"
        )
        # Whoever numbers batches holds this row until they are visible, and reads their clock
        # after getting it.
        cursor.execute("SELECT position FROM streams_feedhead WHERE id = 1 FOR SHARE")
        position = cursor.fetchone()[0]
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0], position


def _pass_time(now: datetime) -> int:
    """How many deliveries were made by time alone."""
    return let_time_pass(now) + tell_due(now) + tell_ending_mutes(now)


def _evaluate_slice(head: int, now: datetime) -> Done:
    waiting = _waiting(head, resting(now))
    if not waiting:
        return Done(0, 0)
    rules, alerts = AskedRules(), Alerts(now)
    rules.look_up(match.rule_id for match in waiting if match.rule_id)
    places = {m.id: Place(f"{m.batch_id}-{m.ordinal}", m.stream_id) for m in waiting}
    outcomes = Outcomes(places)
    by_rule: dict[int, list[Waiting]] = {}
    for match in waiting:
        if match.rule_id is not None and rules.asked_this(match.rule_id, match.rule_version):
            by_rule.setdefault(match.rule_id, []).append(match)
        else:
            outcomes.supersede(match.id)
    states = RuleStates({(number, m.group) for number, some in by_rule.items() for m in some})
    happened: list[tuple[Waiting, list[Happening]]] = []
    for rule_id, matches in by_rule.items():
        happened += _of_rule(rule_id, matches, rules, states, now)
    outcomes.look_up(one for _, happenings in happened for one in happenings)
    alerts.look_up((match.rule_id or 0, match.group) for match, some in happened if some)
    for match, happenings in happened:
        outcomes.count(match.id)
        outcomes.follow(rules.get(match.rule_id or 0), match.group, happenings, alerts)
    deliveries = alerts.write()
    states.write()
    outcomes.write()
    return Done(len(waiting), deliveries, more=len(waiting) == _SLICE)


def _of_rule(
    rule_id: int,
    matches: Iterable[Waiting],
    rules: AskedRules,
    states: RuleStates,
    now: datetime,
) -> list[tuple[Waiting, list[Happening]]]:
    """What happens by these matches; nothing, and they go on waiting, if the rule raises."""

    def feed(evaluator: Evaluator) -> list[tuple[Waiting, list[Happening]]]:
        fed = []
        for match in matches:
            take = partial(evaluator.feed, hit=match.hit)
            fed.append((match, states.step((rule_id, match.group), take)))
        return fed

    found = rules.attempt(rule_id, now, feed)
    if found is None:
        states.leave(rule_id)
    return found or []


def _waiting(head: int, left_out: list[int]) -> list[Waiting]:
    """The next matches in the order of the feed. Of a change in a sequence what follows comes
    first: a change does not follow itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT m.id, r.id, m.rule_version, m.part, m.batch_id, m.ordinal, m.stream_id,
                      m.occurred_at, m."group", m.seen, coalesce(b.numbered_at, b.stored_at)
               FROM streams_match m JOIN streams_batch b ON b.id = m.batch_id
               LEFT JOIN streams_rule r ON r.id = m.rule_id
               WHERE m.outcome = '' AND b.feed_position <= %s
                 AND (r.id IS NULL OR r.ready_at IS NOT NULL) AND NOT r.id = ANY(%s) IS TRUE
               ORDER BY b.feed_position, m.ordinal, m.rule_id, m.part DESC LIMIT %s""",
            [head, left_out, _SLICE],
        )
        return [Waiting(*row) for row in cursor.fetchall()]
