"""A backtest gives what live evaluation gave for the same changes: alert by alert."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from streams import rulebook
from streams.alerting.evaluate import evaluator_of
from streams.change import microseconds, moment
from streams.models import Alert, Match, Rule, RuleState, Shard
from streams.queries.backtest import backtest
from streams.queries.feed_time import head_position
from streams.stages import evaluate as stage
from streams.stages.make_ready import make_ready
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.history_of_rules import Life, Writer, at, lives_of, random_history

pytestmark = pytest.mark.django_db(transaction=True)

WEEK = 7 * 86_400
RULES: dict[str, dict[str, Any]] = {
    "match": {"query": "new.status:paid", "group_by": ["item"]},
    "cool-down": {"query": "op:MODIFY", "cool_down_seconds": 60, "resolve_seconds": 5},
    "by hand": {"query": "op:REMOVE OR new.status:lost", "resolve_seconds": 0},
    "count": {
        "kind": "count",
        "query": "new.n>0",
        "params": {"threshold": 4, "window": 30},
        "group_by": ["stream", "new.status"],
        "cool_down_seconds": 45,
    },
    "rate": {
        "kind": "rate",
        "params": {"ratio": 1.1, "window": 300, "direction": "both", "weeks": 1, "least": 1},
    },
    "absence": {"kind": "absence", "query": "new.status:lost", "params": {"seconds": 30}},
    "first seen": {"kind": "first-seen", "params": {"what": "keys.pk"}},
    "then": {
        "kind": "sequence",
        "query": "new.status:paid",
        "then_query": "new.status:shipped OR new.status:paid",
        "params": {"within": 120},
    },
    "missing": {
        "kind": "sequence",
        "query": "new.status:open",
        "then_query": "new.status:paid",
        "params": {"within": 50, "expect": "missing"},
    },
}


@pytest.fixture
def shards() -> list[Shard]:
    orders, others = make_stream("orders"), make_stream("others")
    return [make_shard(orders), make_shard(orders), make_shard(others)]


def live(rule: Rule) -> list[Life]:
    found = Alert.objects.filter(rule=rule)
    return sorted(
        (
            Life(
                microseconds(alert.opened_at),
                None if alert.resolved_at is None else microseconds(alert.resolved_at),
                alert.group,
                alert.count,
                alert.suppressed,
                alert.sample_change,
            )
            for alert in found
        ),
        reverse=True,
    )


def saved(name: str, begin: datetime) -> Rule:
    """A rule that is watching from a moment on, when the feed has come as far as it has now."""
    rule = rulebook.save({"name": name, "resolve_seconds": 20, **RULES[name]}, "alice")
    if rule.ready_at is None:
        assert make_ready(rule.pk)
    Rule.objects.filter(pk=rule.pk).update(ready_at=begin, changed_at=begin)
    step = evaluator_of(rulebook.definition_of(rule)).begin(microseconds(begin))
    if rule.kind == Rule.Kind.ABSENCE and step.state and step.due:
        RuleState.objects.create(rule=rule, state=step.state, due_at=moment(step.due))
    return rule


def test_what_was_live_is_found_again(shards: list[Shard], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "_SLICE", 10)  # many transactions
    writer = Writer(*shards)
    last = random_history(writer, 40, 3, seed=3)
    begin = at(last) + timedelta(microseconds=1)
    monkeypatch.setattr("streams.stages.make_ready.feed_now", lambda: (begin, head_position()))
    rules = [saved(name, begin) for name in RULES]
    # A week later, the same hour; among it things that are new.
    random_history(writer, 30, 3, seed=4, begin=WEEK)
    writer.write(WEEK + 2_000, ("order-99", "paid", WEEK + 2_000), ("order-1", "paid", WEEK))
    assert not stage.evaluate().more
    assert not Match.objects.filter(outcome="").exists()
    for rule in rules:
        result = backtest(rulebook.definition_of(rule), since=begin)
        assert lives_of(result) == live(rule), rule.name
        assert result.fired, rule.name
        assert result.matched == Match.objects.filter(rule=rule).count(), rule.name
