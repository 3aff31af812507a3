"""The whole chain on the simulated service: read, matched, stored, evaluated, told; through splits
of shards and refused calls, evaluated at whatever moments. And a backtest of the same changes says
the same."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from streams.models import Alert, Delivery, Match, Rule
from streams.queries.backtest import backtest
from streams.rulebook import definition_of
from streams.stages.evaluate import evaluate
from streams.stages.make_ready import make_ready
from streams.testing.simulated.faults import Fault
from streams.testing.simulated.world import World
from streams.tests.integration.alerting import evaluated, make_destination, make_rule
from streams.tests.integration.simulated_reading import TABLE, Engine, engine_on

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = ("paid", "open", "failed")
RULES: list[dict[str, Any]] = [
    {"kind": "match", "query": "new.kind:failed", "group_by": ["item"], "resolve_seconds": 1},
    {
        "kind": "match",
        "query": "new.kind:failed",
        "resolve_seconds": 1,
        "cool_down_seconds": 3600,
    },
    {
        "kind": "count",
        "query": "new.kind:paid",
        "group_by": ["item"],
        "params": {"threshold": 3, "window": 3600},
        "resolve_seconds": 0,
    },
    {
        "kind": "sequence",
        "query": "new.kind:failed",
        "then_query": "new.kind:paid",
        "params": {"within": 3600},
    },
    {"kind": "first-seen", "params": {"what": "new.kind"}},
]


def write(world: World, count: int, begin: int = 0) -> None:
    for number in range(begin, begin + count):
        kind = KINDS[number * 7 % 11 % 3]
        item = {"pk": {"S": f"key-{number % 5}"}, "kind": {"S": kind}, "n": {"N": str(number)}}
        world.put(TABLE, item)


Row = tuple[Any, ...]


def alerts_live(rule: Rule) -> list[Row]:
    return in_order(
        (a.opened_at, a.resolved_at, a.group, a.sentence, a.count, a.suppressed, a.sample_change)
        for a in Alert.objects.filter(rule=rule)
    )


def alerts_tried(rule: Rule, engine: Engine) -> list[Row]:
    """What a backtest says."""
    now = timezone.now()
    result = backtest(definition_of(rule), since=now - timedelta(hours=1), streams=[engine.stream])
    return in_order(map(tuple, result.alerts))


def in_order(rows: Iterable[Row]) -> list[Row]:
    """By when they opened, and by group."""
    return sorted(rows, key=lambda row: (row[0], row[2]))


def things(rows: Iterable[Row]) -> list[Row]:
    """Group and sentence."""
    return sorted(row[2:4] for row in rows)


def test_live_evaluation_and_a_backtest_of_the_same_changes_agree() -> None:
    make_destination("ops")
    rules = [make_rule(destinations=["ops"], **fields) for fields in RULES]
    world = World(6)
    world.create_table(TABLE, shards=2)
    with engine_on(world) as engine:
        make_ready(rules[-1].pk)
        for round_ in range(4):
            write(world, 30, 30 * round_)
            if round_ == 1:
                world.split(TABLE)
                engine.service.faults.add(Fault("internal", ("GetRecords",), most=3))
            engine.read_all()
            if round_ % 2:
                evaluate()
        evaluated()
        engine.assert_stored_equals_written()
        assert Match.objects.exclude(outcome="").count() == Match.objects.count() > 100
        for rule in rules:
            live = alerts_live(rule)
            assert live, rule.kind
            tried = alerts_tried(rule, engine)
            if rule.kind == "first-seen":
                # Of two shards that bring a new thing at once, the one that is stored first is told
                # of; the backtest names the one that comes first in the feed.
                assert things(tried) == things(live)
            else:
                assert tried == live, rule.kind
    opened = Delivery.objects.filter(reason="opened")
    assert opened.count() == Alert.objects.count()
    assert sorted(opened.values_list("alerts", flat=True)) == sorted(
        Alert.objects.values_list("pk", flat=True)
    )
