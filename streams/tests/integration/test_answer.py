"""What people do about alerts; alerts of health; and an alert with all that belongs to it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from streams.models import Alert, Rule, RuleState, Shard
from streams.queries import alerts as query
from streams.stages import answer
from streams.stages.alert import Alerts, open_health, resolve_health
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.alerting import (
    alerts_of,
    evaluated,
    fire,
    life_of,
    make_destination,
    make_rule,
    matching,
    pass_time,
    sent,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    make_destination("ops")
    make_destination("boss")
    return make_shard(make_stream())


# Acknowledge, resolve, note


def test_acknowledged_it_is_not_repeated_and_does_not_escalate(shard: Shard) -> None:
    rule = make_rule(
        repeat_seconds=300, escalate_seconds=600, destinations=["ops"], escalate_to=["boss"]
    )
    alert = fire(shard, rule)
    pass_time(minutes=6)
    evaluated()
    assert sent() == [("opened", "ops"), ("repeat", "ops")]
    assert answer.acknowledge([alert.pk], "bob", "I am at it") == 1
    alert.refresh_from_db()
    assert (alert.state, alert.owner) == ("acknowledged", "bob") and alert.acknowledged_at
    pass_time(hours=1)
    evaluated()
    assert len(sent()) == 2
    assert life_of(alert) == ["opened", "sent", "repeated", "acknowledged"]
    # Somebody else may take it over; the same person once is enough.
    assert answer.acknowledge([alert.pk], "bob") == 0
    assert answer.acknowledge([alert.pk], "carol") == 1


def test_nobody_acknowledges_it_so_it_escalates_and_is_repeated_to_all(shard: Shard) -> None:
    rule = make_rule(
        repeat_seconds=600, escalate_seconds=300, destinations=["ops"], escalate_to=["boss"]
    )
    alert = fire(shard, rule)
    pass_time(minutes=6)
    evaluated()
    assert sent()[1:] == [("escalation", "boss")]
    pass_time(minutes=11)
    evaluated()
    assert sent()[2:] == [("repeat", "ops"), ("repeat", "boss")]
    answer.resolve_by_hand([alert.pk], "bob")
    assert sent()[4:] == [("resolved", "ops"), ("resolved", "boss")]


def test_resolved_by_hand_the_rule_knows_and_opens_another(shard: Shard) -> None:
    rule = make_rule(destinations=["ops"])
    alert = fire(shard, rule)
    assert answer.resolve_by_hand([alert.pk], "bob", "reverted the deploy") == 1
    assert answer.resolve_by_hand([alert.pk], "bob") == 0
    alert.refresh_from_db()
    assert (alert.state, alert.resolved_by) == ("resolved", "bob")
    assert alert.events.get(what="resolved").note == "reverted the deploy"
    assert answer.acknowledge([alert.pk], "bob") == 0
    second = fire(shard, rule)
    assert second.pk != alert.pk and second.state == "open"


def test_resolving_by_hand_does_not_end_the_cool_down(shard: Shard) -> None:
    rule = make_rule(cool_down_seconds=3600)
    alert = fire(shard, rule)
    answer.resolve_by_hand([alert.pk], "bob")
    assert fire(shard, rule) == alert
    assert Alert.objects.get().suppressed == 1


def test_a_note_is_a_row_of_its_life(shard: Shard) -> None:
    alert = fire(shard, make_rule())
    assert answer.note([alert.pk, 0], "bob", "seen this before") == 1
    assert alert.events.get(what="noted").note == "seen this before"


# Health


def done(now: datetime, deed: Callable[..., bool], *said: Any) -> bool:
    """What a look at the streams' health does, in a transaction of its own."""
    with transaction.atomic():
        alerts = Alerts(now)
        result = deed(alerts, *said)
        alerts.write()
    return result


def test_a_health_alert_opens_once_says_what_is_new_and_ends(shard: Shard) -> None:
    rule = _health_rule()
    now = _now()
    assert done(now, open_health, rule, "orders", "It is late.", "Look.", shard.stream_id)
    assert not done(
        now, open_health, rule, "orders", "It is later.", "Look again.", shard.stream_id
    )
    (alert,) = alerts_of(rule)
    assert (alert.sentence, alert.fix, alert.stream) == (
        "It is later.",
        "Look again.",
        shard.stream,
    )
    evaluated()
    assert [one.state for one in alerts_of(rule)] == ["open"]
    assert done(now, resolve_health, rule, "orders", "It is read again.")
    assert not done(now, resolve_health, rule, "orders", "It is read again.")
    assert sent() == [("opened", "ops"), ("resolved", "ops")]


def test_a_health_alert_comes_again_only_after_the_cool_down(shard: Shard) -> None:
    rule, now = _health_rule(cool_down_seconds=600), _now()
    assert done(now, open_health, rule, "", "It is late.", "", None)
    assert done(now, resolve_health, rule, "", "It is read again.")
    assert not done(now + timedelta(minutes=9), open_health, rule, "", "It is late.", "", None)
    assert done(now + timedelta(minutes=11), open_health, rule, "", "It is late.", "", None)
    assert not RuleState.objects.exists()


def _health_rule(**fields: Any) -> Rule:
    return make_rule("health", params={"what": "lag", "limit": 60}, destinations=["ops"], **fields)


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now


# An alert with everything


def test_an_alert_tells_its_life_its_changes_and_what_was_sent(shard: Shard) -> None:
    rule = make_rule(destinations=["ops"])
    matching(shard, rule, 3)
    evaluated()
    (alert,) = alerts_of(rule)
    told = query.find(alert.pk, timezone.now())
    assert told and told.version and told.version.version == 1
    assert [event.what for event in told.events] == ["sent", "opened"]
    assert [delivery.reason for delivery in told.deliveries] == ["opened"]
    first, following = query.changes_of(alert, 0, 2)
    assert following is not None
    rest, end = query.changes_of(alert, following, 2)
    assert end is None
    assert [m.change.id for m in [*first, *rest] if m.change] == [
        match.change for match in alert.matches.order_by("pk")
    ]
    assert query.find(0, timezone.now()) is None
