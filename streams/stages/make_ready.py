"""Make ready: what came before a rule is read for the kinds that must know it, once.

Until then the rule's matches wait. Pollers find some while the past is being read, so what was
counted here, or proves to have been seen before, is taken from them.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

import orjson
from django.db import connection, transaction

from streams import locks
from streams.alerting.definition import Definition, FirstSeen, RuleError
from streams.alerting.evaluate import Step, evaluator_of
from streams.alerting.rate import WEEK, RateEvaluator
from streams.change import microseconds, moment
from streams.models import Match, Rule, Sighting, Stream
from streams.queries.feed_time import head_position
from streams.queries.matched import Place
from streams.queries.past import Thing, first_places, usual
from streams.rulebook import definition_of
from streams.stages.evaluate import feed_now

# The past is read for so long, from the newest change on. What only older changes have counts as
# not seen, and older weeks as not watched.
_SECONDS = 120.0
_MOST_KNOWN = 100_000
# In one statement: a storing transaction that has found the same thing waits that long.
_AT_ONCE = 1_000


def make_ready(rule_id: int) -> bool:
    """True if the rule is ready now; False if it was already, cannot work, was changed meanwhile,
    or somebody else is at it."""
    with locks.alone(locks.MAKING_READY, rule_id) as mine:
        rule = Rule.objects.filter(pk=rule_id, ready_at=None).first() if mine else None
        if rule is None:
            return False
        try:
            definition = definition_of(rule)
        except RuleError:
            return False  # stages/match.py says so on the rule's page
        if isinstance(definition.params, FirstSeen):
            return _know_what_was_seen(rule, definition)
        return _know_the_usual(rule, definition)


# First seen


def _know_what_was_seen(rule: Rule, definition: Definition) -> bool:
    places = first_places(
        definition,
        list(Stream.objects.all()),
        head_position(),
        most=_MOST_KNOWN,
        deadline=time.monotonic() + _SECONDS,
    )
    _store_sightings(rule, places)
    with transaction.atomic():
        if not _held(rule):
            return False
        known = [
            (number, thing)
            for number, thing, position, ordinal in _waiting(rule)
            if (place := places.get(thing)) and place[:2] < (position, ordinal)
        ]
        Match.objects.filter(pk__in=[number for number, _ in known]).delete()
        for _, thing in known:
            Sighting.objects.filter(rule=rule, stream=thing.stream_id, what=thing.what).update(
                change="", first_at=moment(places[thing].occurred)
            )
        _set_ready(rule)
    return True


def _store_sightings(rule: Rule, places: dict[Thing, Place]) -> None:
    """Sorted within a stream, as stages/match.py does: whoever waits for another never waits in a
    ring."""
    for stream_id, things in groupby(sorted(places), key=lambda thing: thing.stream_id):
        every = list(things)
        for first in range(0, len(every), _AT_ONCE):
            some = every[first : first + _AT_ONCE]
            with connection.cursor() as cursor:
                cursor.execute(
                    """INSERT INTO streams_sighting (rule_id, stream_id, what, first_at, change)
                       SELECT r.id, %s, s.what, s.first_at, ''
                       FROM unnest(%s::text[], %s::timestamptz[]) AS s(what, first_at),
                            (SELECT id FROM streams_rule WHERE id = %s AND version = %s
                             FOR KEY SHARE) r
                       ON CONFLICT DO NOTHING""",
                    [
                        stream_id,
                        [thing.what for thing in some],
                        [moment(places[thing].occurred) for thing in some],
                        rule.pk,
                        rule.version,
                    ],
                )


def _waiting(rule: Rule) -> Sequence[tuple[int, Thing, float, int]]:
    """The matches that wait, with their places in the feed: beyond all where they have none yet."""
    rows = Match.objects.filter(rule=rule, outcome=Match.Outcome.WAITING).values_list(
        "pk", "stream_id", "seen", "batch__feed_position", "ordinal"
    )
    return [
        (pk, Thing(stream_id, seen), float("inf") if position is None else position, ordinal)
        for pk, stream_id, seen, position, ordinal in rows
    ]


# Rate


def _know_the_usual(rule: Rule, definition: Definition) -> bool:
    since, head = feed_now()
    evaluator = evaluator_of(definition)
    assert isinstance(evaluator, RateEvaluator)  # noqa: S101 - no other kind needs the past
    past = usual(
        definition,
        list(Stream.objects.all()),
        since,
        since + timedelta(microseconds=WEEK),
        time.monotonic() + _SECONDS,
    )
    step = evaluator.begin_with(past.first, past.counts, microseconds(since))
    with transaction.atomic():
        if not _held(rule):
            return False
        Match.objects.filter(
            rule=rule, outcome=Match.Outcome.WAITING, batch__feed_position__lte=head
        ).update(outcome=Match.Outcome.COUNTED)
        _begin_with(rule, step)
        _set_ready(rule)
    return True


def _begin_with(rule: Rule, step: Step) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO streams_rulestate (rule_id, "group", state, due_at)
               VALUES (%s, '', %s, %s) ON CONFLICT (rule_id, "group") DO UPDATE
               SET state = excluded.state, due_at = excluded.due_at""",
            [
                rule.pk,
                orjson.dumps(step.state).decode(),
                None if step.due is None else moment(step.due),
            ],
        )


# Both


def _held(rule: Rule) -> bool:
    """Hold the rule until the transaction's end, while nobody evaluates; False if it is another one
    by now. Storing does not wait for it."""
    locks.wait(locks.ALERTING)
    rows = Rule.objects.select_for_update(no_key=True)
    return bool(list(rows.filter(pk=rule.pk, version=rule.version, ready_at=None)))


def _set_ready(rule: Rule) -> None:
    Rule.objects.filter(pk=rule.pk).update(ready_at=_now())


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
        return at
