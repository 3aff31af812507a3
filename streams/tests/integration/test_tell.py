"""Where alerts are sent and when not: destinations, digests, mutes and maintenance windows."""

from datetime import time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from streams.models import Alert, Delivery, MaintenanceWindow, Mute, Shard
from streams.queries import alerts as query
from streams.stages import answer
from streams.stages.answer import MuteRefused
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.alerting import (
    alerts_of,
    ends,
    evaluated,
    fire,
    life_of,
    make_destination,
    make_rule,
    pass_time,
    sent,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    make_destination("ops")
    make_destination("boss")
    return make_shard(make_stream())


# Destinations


def test_an_alert_without_a_destination_says_so(shard: Shard) -> None:
    alert = fire(shard, make_rule())
    assert life_of(alert) == ["opened", "quiet"]
    assert "no destination" in alert.events.get(what="quiet").note


def test_a_destination_that_is_switched_off_gets_nothing(shard: Shard) -> None:
    make_destination("off", enabled=False)
    fire(shard, make_rule(destinations=["ops", "off"]))
    assert sent() == [("opened", "ops")]


# Digests


def test_a_digest_tells_of_a_burst_in_one_message(shard: Shard) -> None:
    rule = make_rule(digest_seconds=300, group_by=["item"], destinations=["ops"])
    for group in ("a", "b", "c"):
        fire(shard, rule, group=group)
    assert sent() == []
    assert len({alert.digest_at for alert in alerts_of(rule)}) == 1
    pass_time(minutes=6)
    evaluated()
    assert sent() == [("digest", "ops")]
    (delivery,) = Delivery.objects.all()
    assert set(delivery.alerts.all()) == set(alerts_of(rule))
    assert "3 alerts" in delivery.message["subject"]
    pass_time(hours=1)
    evaluated()
    assert len(sent()) == 1


# Mutes


def test_a_mute_holds_back_and_ends_by_itself(shard: Shard) -> None:
    rule = make_rule(destinations=["ops"])
    answer.mute(rule, None, ends(hours=8), "deploy", "bob")
    alert = fire(shard, rule)
    assert (sent(), life_of(alert)) == ([], ["opened", "quiet"])
    assert "Muted by bob: deploy" in alert.events.get(what="quiet").note
    pass_time(hours=7, minutes=46)
    evaluated()
    assert sent() == [("mute-ends", "ops")]
    (notice,) = Delivery.objects.all()
    assert list(notice.alerts.all()) == [alert]
    pass_time(minutes=15)
    evaluated()
    assert sent() == [("mute-ends", "ops"), ("opened", "ops")]


def test_what_several_alerts_of_a_rule_were_held_back_for_is_told_at_once(shard: Shard) -> None:
    rule = make_rule(group_by=["item"], destinations=["ops"])
    answer.mute(None, None, ends(minutes=10), "deploy", "bob")
    for group in ("a", "b"):
        fire(shard, rule, group=group)
    pass_time(minutes=11)
    evaluated()
    assert sent() == [("digest", "ops")]


def test_a_mute_of_one_group_leaves_the_others(shard: Shard) -> None:
    rule = make_rule(group_by=["item"], destinations=["ops"])
    mute = answer.mute(rule, "a", ends(hours=1), "known", "bob")
    fire(shard, rule, group="a")
    fire(shard, rule, group="b")
    assert sent() == [("opened", "ops")]
    told = query.find(alerts_of(rule)[0].pk, timezone.now())
    assert told and told.mutes == [mute]


def test_ending_a_mute_tells_what_it_held_back(shard: Shard) -> None:
    rule = make_rule(destinations=["ops"])
    mute = answer.mute(rule, None, ends(hours=8), "deploy", "bob")
    fire(shard, rule)
    assert answer.end_mute(mute, "carol")
    assert not answer.end_mute(mute, "carol")
    evaluated()
    assert sent() == [("opened", "ops")]
    mute.refresh_from_db()
    assert mute.ended_by == "carol"


def test_what_was_acknowledged_under_a_mute_is_not_told_after_it(shard: Shard) -> None:
    rule = make_rule(destinations=["ops"])
    mute = answer.mute(rule, None, ends(hours=8), "deploy", "bob")
    alert = fire(shard, rule)
    answer.acknowledge([alert.pk], "bob")
    answer.end_mute(mute, "bob")
    evaluated()
    assert sent() == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"reason": " "}, "Say why"),
        ({"until": timedelta(0)}, "lies ahead"),
        ({"until": timedelta(days=91)}, "at most 90 days"),
        ({"rule": None, "group": "a"}, "name the rule"),
    ],
)
def test_a_mute_needs_a_reason_and_an_end(given: dict[str, Any], said: str) -> None:
    asked = {"rule": make_rule(), "group": None, "reason": "deploy", **given}
    asked["until"] = timezone.now() + given.get("until", timedelta(hours=1))
    with pytest.raises(MuteRefused, match=said):
        answer.mute(who="bob", **asked)
    assert not Mute.objects.exists()


# Maintenance windows


def test_in_a_maintenance_window_nothing_is_sent_until_it_is_over(shard: Shard) -> None:
    rule, other = make_rule(destinations=["ops"]), make_rule(destinations=["boss"])
    window = MaintenanceWindow.objects.create(
        name="backup", weekdays=list(range(7)), begins=time(0), minutes=1440
    )
    window.rules.add(rule)
    alert = fire(shard, rule)
    fire(shard, other)
    assert sent() == [("opened", "boss")]
    assert "maintenance window backup" in alert.events.get(what="quiet").note
    MaintenanceWindow.objects.update(enabled=False)
    Alert.objects.filter(pk=alert.pk).update(digest_at=timezone.now())
    evaluated()
    assert sent() == [("opened", "boss"), ("opened", "ops")]
