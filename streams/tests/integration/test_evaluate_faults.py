"""Faults while matches wait: a rule that raises, a crash, several at once; and rules that are
changed or deleted meanwhile. Nothing is lost silently."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, transaction

from streams import locks, rulebook
from streams.alerting.each import EachEvaluator
from streams.models import Alert, Match, Rule, RuleState, Shard
from streams.stages import rule_states
from streams.stages.asked_rules import FAILED
from streams.stages.evaluate import evaluate, feed_now
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
    pass_time,
    sent,
)
from streams.tests.integration.storing import in_threads

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream())


# Faults


def test_a_rule_that_raises_says_so_and_the_others_go_on(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = make_rule(), make_rule("count", params={"threshold": 1, "window": 60})
    matching(shard, bad, 2)
    matching(shard, good, 2)
    with monkeypatch.context() as patch:
        patch.setattr(EachEvaluator, "feed", _raise)
        evaluated()
    bad.refresh_from_db()
    assert bad.error.startswith(FAILED) and "no such thing" in bad.error and bad.fix
    assert outcomes(bad) == ["", ""]
    assert outcomes(good) == ["alert", "alert"]
    # It rests for a minute, then it is tried again, and nothing was lost.
    assert evaluated() == 0
    Rule.objects.filter(pk=bad.pk).update(error_at=bad.created_at - timedelta(days=1))
    assert evaluated() == 2
    bad.refresh_from_db()
    assert (bad.error, bad.fix, outcomes(bad)) == ("", "", ["alert", "alert"])


def test_a_rule_that_raises_when_time_passes_keeps_what_it_remembers(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = make_rule(resolve_seconds=60)
    matching(shard, rule)
    evaluated()
    let_rules_wait(rule, 61)
    with monkeypatch.context() as patch:
        patch.setattr(EachEvaluator, "advance", _raise)
        evaluated()
    assert RuleState.objects.filter(rule=rule).exists()
    rule.refresh_from_db()
    assert rule.error.startswith(FAILED)
    make_rule(rule=rule, note="saved again: tried at once")
    evaluated()
    assert [alert.state for alert in alerts_of(rule)] == ["resolved"]


def test_a_crash_before_the_commit_leaves_everything_to_the_next_run(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_destination("ops")
    rule = make_rule(destinations=["ops"])
    matching(shard, rule, 3)
    with monkeypatch.context() as patch:
        patch.setattr(rule_states.RuleStates, "write", _lose_the_database)
        with pytest.raises(OperationalError):
            evaluated()
    assert (outcomes(rule), alerts_of(rule), sent()) == (["", "", ""], [], [])
    evaluated()
    assert [alert.count for alert in alerts_of(rule)] == [3]
    assert sent() == [("opened", "ops")]


def test_one_at_a_time(shard: Shard) -> None:
    rule = make_rule()
    matching(shard, rule, 5)
    number_batches()
    done = in_threads(*[evaluate] * 3)
    evaluate()
    assert sum(one.matches for one in done) <= 5
    assert [alert.count for alert in alerts_of(rule)] == [5]


def test_it_leaves_the_work_to_whoever_is_at_it(shard: Shard) -> None:
    rule = make_rule()
    matching(shard, rule)
    number_batches()
    with transaction.atomic():
        locks.wait(locks.ALERTING)
        (done,) = in_threads(evaluate)
    assert (done.matches, done.more) == (0, True)


def test_every_later_batch_has_a_later_clock(shard: Shard) -> None:
    rule = make_rule()
    now, head = feed_now()
    (match,) = matching(shard, rule)
    number_batches()
    match.batch.refresh_from_db()
    assert match.batch.numbered_at and match.batch.numbered_at > now
    assert match.batch.feed_position and match.batch.feed_position > head


# Rules that are changed or deleted while matches wait


def test_saving_a_rule_evaluates_first_what_it_found_before(shard: Shard) -> None:
    rule = make_rule(query="op:MODIFY")
    matching(shard, rule, 2)
    number_batches()
    changed = make_rule(rule=rule, query="op:REMOVE")
    (alert,) = alerts_of(rule)
    assert (alert.rule_version, alert.count) == (1, 2)
    assert (changed.version, outcomes(rule)) == (2, ["alert", "alert"])


def test_what_a_poller_finds_by_the_rule_before_is_superseded(shard: Shard) -> None:
    rule = make_rule(query="op:MODIFY")
    make_rule(rule=rule, query="op:REMOVE")
    matching(shard, rule, version=1)
    evaluated()
    assert (outcomes(rule), alerts_of(rule)) == (["superseded"], [])


def test_a_rule_that_finds_the_same_changes_takes_up_what_waits(shard: Shard) -> None:
    rule = make_rule("count", params={"threshold": 9, "window": 60})
    make_rule(rule=rule, params={"threshold": 2, "window": 60})
    matching(shard, rule, 2, version=1)
    evaluated()
    assert [alert.rule_version for alert in alerts_of(rule)] == [2]


def test_the_alert_of_an_earlier_version_grows_and_ends_by_time(shard: Shard) -> None:
    rule = make_rule("match", resolve_seconds=600)
    matching(shard, rule)
    evaluated()
    changed = make_rule(rule=rule, query="op:MODIFY")
    matching(shard, changed)
    evaluated()
    (alert,) = alerts_of(rule)
    assert (alert.count, life_of(alert)[-1]) == (2, "noted")
    make_rule(rule=rule, query="op:REMOVE")
    pass_time(minutes=11)
    evaluated()
    assert [alert.state for alert in alerts_of(rule)] == ["resolved"]


def test_deleting_a_rule_evaluates_what_waits_and_ends_its_alerts(shard: Shard) -> None:
    rule = make_rule()
    matches = matching(shard, rule, 2)
    number_batches()
    rulebook.delete(rule, "alice")
    (alert,) = Alert.objects.all()
    assert (alert.rule, alert.count, alert.rule_name) == (None, 2, rule.name)
    evaluated()
    alert.refresh_from_db()
    assert alert.state == "resolved" and "deleted" in alert.events.get(what="resolved").note
    assert alert.matches.count() == len(matches)


def test_what_waits_for_a_rule_that_was_deleted_is_superseded(shard: Shard) -> None:
    rule = make_rule()
    (match,) = matching(shard, rule)
    Match.objects.update(rule=None)
    assert evaluated() == 1
    match.refresh_from_db()
    assert match.outcome == "superseded"


# More than one slice


def test_many_matches_are_evaluated_in_slices(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.stages.evaluate._SLICE", 4)
    rule = make_rule("count", params={"threshold": 10, "window": 60})
    matching(shard, rule, 10)
    assert evaluated() == 10
    assert [alert.count for alert in alerts_of(rule)] == [10]
    assert outcomes(rule) == ["alert"] * 10


def _raise(*_: Any, **__: Any) -> None:
    raise KeyError("no such thing")


def _lose_the_database(*_: Any) -> None:
    raise OperationalError("the database is away")
