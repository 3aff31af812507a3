"""Matches become alerts: each exactly once, in the feed's order, together with what is sent."""

import pytest
from django.db import connection

from streams.models import Delivery, Match, Rule, RuleState, Shard
from streams.stages.evaluate import evaluate
from streams.stages.make_ready import make_ready
from streams.stages.publish import number_batches
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.alerting import (
    alerts_of,
    evaluated,
    let_rules_wait,
    life_of,
    make_destination,
    make_rule,
    matching,
    outcomes,
    sent,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream())


# From a match to what is sent


def test_a_match_opens_an_alert_with_its_evidence_and_what_is_sent(shard: Shard) -> None:
    make_destination("ops")
    rule = make_rule(destinations=["ops"])
    (match,) = matching(shard, rule)
    assert evaluated() == 1
    (alert,) = alerts_of(rule)
    assert (alert.state, alert.count, alert.stream) == ("open", 1, shard.stream)
    assert (alert.rule_name, alert.rule_version) == (rule.name, rule.version)
    assert alert.sample_change == match.change
    assert [row["path"] for row in alert.sample] == ["n"]
    assert list(alert.matches.all()) == [match]
    assert life_of(alert) == ["opened", "sent"]
    (delivery,) = alert.deliveries.all()
    assert (delivery.reason, delivery.destination.name) == ("opened", "ops")
    assert rule.name in delivery.message["subject"]
    assert f"/alerts/{alert.pk}" in delivery.message["text"]


def test_later_matches_of_its_group_belong_to_it(shard: Shard) -> None:
    rule = make_rule(group_by=["item"])
    matching(shard, rule, 2, group="a")
    matching(shard, rule, 1, group="b")
    evaluated()
    matching(shard, rule, 3, group="a")
    evaluated()
    assert [(alert.group, alert.count) for alert in alerts_of(rule)] == [("a", 5), ("b", 1)]
    assert outcomes(rule) == ["alert"] * 6


def test_nothing_is_evaluated_twice(shard: Shard) -> None:
    rule = make_rule()
    matching(shard, rule, 3)
    assert [evaluated(), evaluated()] == [3, 0]
    assert [alert.count for alert in alerts_of(rule)] == [3]


def test_a_count_takes_the_matches_that_made_it_into_the_alert(shard: Shard) -> None:
    rule = make_rule("count", params={"threshold": 3, "window": 60})
    matching(shard, rule, 2)
    evaluated()
    assert outcomes(rule) == ["counted", "counted"]
    matching(shard, rule, 1)
    evaluated()
    (alert,) = alerts_of(rule)
    assert outcomes(rule) == ["alert"] * 3
    assert (alert.count, alert.matches.count()) == (3, 3)


def test_what_is_not_in_the_feed_yet_waits(shard: Shard) -> None:
    rule = make_rule()
    matching(shard, rule)
    assert evaluate().matches == 0
    assert evaluated() == 1


def test_a_rule_that_is_not_ready_waits(shard: Shard) -> None:
    rule = make_rule("first-seen", params={"what": "new.status"})
    assert rule.ready_at is None
    matching(shard, rule, seen="new")
    assert evaluated() == 0
    Rule.objects.update(ready_at=rule.changed_at)
    assert evaluated() == 1


def test_a_change_in_a_sequence_does_not_follow_itself(shard: Shard) -> None:
    rule = make_rule("sequence", query="", then_query="op:MODIFY", params={"within": 60})
    (first,) = matching(shard, rule, group="item", part=1)
    Match.objects.create(
        **{
            field: getattr(first, field)
            for field in ("rule", "rule_version", "batch", "ordinal", "stream", "item", "group")
        },
        occurred_at=first.occurred_at,
        part=2,
    )
    evaluated()
    assert alerts_of(rule) == []


# The end, and the cool-down


def test_it_resolves_by_itself_and_says_so(shard: Shard) -> None:
    make_destination("ops")
    rule = make_rule(resolve_seconds=600, destinations=["ops"])
    matching(shard, rule)
    evaluated()
    let_rules_wait(rule, 601)
    evaluated()
    (alert,) = alerts_of(rule)
    assert (alert.state, alert.resolved_by) == ("resolved", "")
    assert life_of(alert)[-1:] == ["sent"] and "resolved" in life_of(alert)
    assert sent() == [("opened", "ops"), ("resolved", "ops")]
    assert not RuleState.objects.exists()


def test_the_cool_down_holds_back_and_counts(shard: Shard) -> None:
    make_destination("ops")
    rule = make_rule(resolve_seconds=60, cool_down_seconds=3600, destinations=["ops"])
    matching(shard, rule)
    evaluated()
    let_rules_wait(rule, 61)
    evaluated()
    matching(shard, rule, 2)
    evaluated()
    (alert,) = alerts_of(rule)
    assert (alert.state, alert.count, alert.suppressed) == ("resolved", 1, 2)
    assert outcomes(rule) == ["alert", "suppressed", "suppressed"]
    assert [reason for reason, _ in sent()] == ["opened", "resolved"]


def test_a_group_may_open_and_end_and_open_again_in_one_run(shard: Shard) -> None:
    make_destination("ops")
    rule = make_rule(resolve_seconds=1, destinations=["ops"])
    for _ in range(2):
        matching(shard, rule)
        number_batches()
        _age_batches(10)
    evaluated()
    assert [alert.state for alert in alerts_of(rule)] == ["resolved", "resolved"]
    assert [reason for reason, _ in sent()] == ["opened", "resolved"] * 2
    for delivery in Delivery.objects.filter(reason="opened"):
        assert [alert["state"] for alert in delivery.message["facts"]["alerts"]] == ["open"]


# Rules that wait without a match


def test_absence_begins_when_the_rule_was_saved(shard: Shard) -> None:
    rule = make_rule("absence", params={"seconds": 60})
    evaluated()
    assert alerts_of(rule) == []
    let_rules_wait(rule, 61)
    evaluated()
    (alert,) = alerts_of(rule)
    assert (alert.state, alert.count, alert.stream) == ("open", 0, None)
    matching(shard, rule)
    evaluated()
    alert.refresh_from_db()
    assert alert.state == "resolved"


def test_a_rule_that_is_switched_off_forgets_and_begins_anew() -> None:
    rule = make_rule("absence", params={"seconds": 60})
    evaluated()
    make_rule(rule=rule, enabled=False)
    let_rules_wait(rule, 61)
    evaluated()
    assert alerts_of(rule) == [] and not RuleState.objects.exists()
    make_rule(rule=rule, enabled=True)
    evaluated()
    assert alerts_of(rule) == []
    let_rules_wait(rule, 61)
    evaluated()
    assert len(alerts_of(rule)) == 1


def test_a_rate_that_was_switched_off_reads_the_past_anew() -> None:
    rule = make_rule("rate", params={"ratio": 2.0})
    assert make_ready(rule.pk)
    assert RuleState.objects.filter(rule=rule).exists()
    make_rule(rule=rule, enabled=False)
    evaluated()
    rule.refresh_from_db()
    assert rule.ready_at is None and not RuleState.objects.exists()
    make_rule(rule=rule, enabled=True)
    assert make_ready(rule.pk)


def _age_batches(seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE streams_batch SET numbered_at = numbered_at - make_interval(secs => %s)",
            [seconds],
        )
