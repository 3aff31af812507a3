"""The health rules: what opens their alerts, what resolves them, and what does neither."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from streams import rulebook
from streams.alerting.definition import HEALTH
from streams.models import Alert, Heartbeat, Poller, Rule, RuleState, Shard, Stream
from streams.stages.health import check_health
from streams.stages.report import report
from streams.testing.elapse import let_pass
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.unwell import (
    NAMES,
    ago,
    everybody_is_there,
    hold,
    is_read,
    make_default_rules,
    make_read_stream,
    opened,
    rule,
    the,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def default_rules() -> None:
    make_default_rules(hours=1)
    everybody_is_there()


@pytest.fixture
def stream() -> Stream:
    return make_read_stream()


def test_every_default_rule_is_one_that_could_be_saved() -> None:
    assert {rule.name for rule in Rule.objects.all()} == set(NAMES.values())
    for each in Rule.objects.all():
        content = rulebook.content_of(each)
        rulebook.check(content)
        assert each.versions.get().content == content
        assert (each.enabled, each.version, bool(each.ready_at)) == (True, 1, True)
        before = each.version
        assert rulebook.save(content, "alice", rule=each).version == before
    assert {each.params["what"] for each in Rule.objects.all()} == set(HEALTH)


def test_a_stream_that_is_well_has_no_alert(stream: Stream) -> None:
    hold()
    assert (opened(), RuleState.objects.count()) == (set(), 0)
    assert Heartbeat.objects.filter(name="health").exists()


def test_a_stream_that_is_not_read_is_stalled_then_lags_then_loses(stream: Stream) -> None:
    let_pass(stream, seconds=40)
    check_health()
    assert opened() == set(), "it did not last yet"
    hold()
    assert opened() == {"stalled"}
    assert the("stalled").sentence.startswith("orders: Nothing has been read for 4")
    assert (the("stalled").stream, the("stalled").group) == (stream, "orders")
    let_pass(stream, minutes=10)
    hold()
    assert opened() == {"stalled", "lag"}
    assert the("lag").sentence.startswith("orders is behind by 10 min")
    let_pass(stream, hours=13)
    hold()
    assert opened() == {"stalled", "lag", "loss 12"}
    let_pass(stream, hours=8)
    hold()
    assert opened() == {"stalled", "lag", "loss 12", "loss 4"}, "losing does not hide the stall"
    assert the("loss 4").sentence.startswith("orders: unread changes will be lost in 2 h")


def test_everything_resolves_when_it_is_read_again(stream: Stream) -> None:
    let_pass(stream, hours=21)
    hold()
    is_read()
    check_health()
    assert opened() == {"stalled", "lag", "loss 12", "loss 4"}, "it may come back at once"
    hold()
    assert opened() == set()
    assert the("stalled").events.latest("pk").note == "It is read again."
    assert Alert.objects.count() == 4


def test_what_comes_and_goes_opens_nothing(stream: Stream) -> None:
    for _ in range(3):
        Shard.objects.update(last_read_at=ago(seconds=40))
        check_health()
        is_read()
        check_health()
    assert (opened(), RuleState.objects.count()) == (set(), 0)


def test_looking_again_opens_nothing_twice(stream: Stream) -> None:
    let_pass(stream, minutes=1)
    hold()
    hold()
    assert Alert.objects.count() == 1


def test_an_open_alert_says_how_things_stand(stream: Stream) -> None:
    let_pass(stream, minutes=1)
    hold()
    let_pass(stream, hours=2)
    Alert.objects.update(last_at=ago(minutes=2))
    check_health()
    assert "2 h 1 min" in the("stalled").sentence
    assert the("stalled").last_at > ago(minutes=1)


def test_a_pause_is_no_alert_and_ends_those_that_are_open(stream: Stream) -> None:
    let_pass(stream, minutes=10)
    hold()
    assert opened() == {"stalled", "lag"}
    Stream.objects.update(paused_at=timezone.now(), paused_by="alice")
    check_health()
    assert opened() == set(), "at once"
    assert the("lag").events.latest("pk").note == "The stream was paused."
    let_pass(stream, hours=2)
    hold()
    assert opened() == set()


def test_a_forgotten_pause_is_told_before_it_loses_changes(stream: Stream) -> None:
    Stream.objects.update(paused_at=timezone.now(), paused_by="alice")
    let_pass(stream, hours=13)
    hold()
    assert opened() == {"loss 12"}
    assert the("loss 12").fix == "Resume the stream."


def test_a_rule_may_watch_some_streams_only(stream: Stream) -> None:
    content = {"params": {"what": "stalled", "streams": ["customers"]}}
    let_pass(stream, minutes=1)
    hold()
    rulebook.save(content, "alice", rule=rule("stalled"))
    check_health()
    assert opened() == set()
    assert "does not watch it any more" in the("stalled").events.latest("pk").note


def test_a_rule_that_is_switched_off_ends_its_alerts(stream: Stream) -> None:
    let_pass(stream, minutes=1)
    hold()
    rulebook.save({"enabled": False}, "alice", rule=rule("stalled"))
    hold()
    assert opened() == set()


def test_a_stream_that_is_deleted_ends_its_alerts(stream: Stream) -> None:
    let_pass(stream, minutes=1)
    hold()
    stream.delete()
    check_health()
    assert opened() == set()


def test_within_the_cool_down_none_is_opened(stream: Stream) -> None:
    for _ in range(2):
        Shard.objects.update(caught_up_at=ago(minutes=10), newest_change_at=ago(minutes=10))
        hold()
        is_read(newest_change_at=ago())
        hold()
    assert Alert.objects.filter(rule=rule("lag")).count() == 1
    Alert.objects.update(opened_at=ago(minutes=16))
    Shard.objects.update(caught_up_at=ago(minutes=10), newest_change_at=ago(minutes=10))
    hold()
    assert Alert.objects.filter(rule=rule("lag")).count() == 2


def test_throttling_that_lasts(stream: Stream) -> None:
    found = report("too-many-readers", "Three readers share a.", "Stop one.", stream=stream)
    hold()
    assert opened() == {"throttled"}
    assert (the("throttled").sentence, the("throttled").fix) == (
        "orders: Three readers share a.",
        "Stop one.",
    )
    stream.problems.filter(pk=found).update(ignored_until=ago(hours=-1))
    hold()
    assert opened() == set(), "somebody ignores it"


def test_no_worker_and_no_beat() -> None:
    Poller.objects.update(expires_at=ago(seconds=1))
    hold()
    assert opened() == {"worker"}
    Heartbeat.objects.filter(name="beat").update(seen_at=ago(minutes=1))
    hold()
    assert opened() == {"worker", "beat"}
    assert the("beat").stream is None
    assert "celery -A dashboard beat" in the("beat").fix
    Heartbeat.objects.filter(name="beat").update(seen_at=timezone.now())
    Poller.objects.update(expires_at=ago(minutes=-5))
    hold()
    assert opened() == set()


def test_who_looked_lately_keeps_others_from_it(stream: Stream) -> None:
    assert check_health(timedelta(seconds=60))
    assert not check_health(timedelta(seconds=60))
    assert check_health()
    Heartbeat.objects.filter(name="health").update(seen_at=ago(minutes=2))
    assert check_health(timedelta(seconds=60))


def test_an_earlier_look_is_worth_nothing_after_a_later_one(stream: Stream) -> None:
    Heartbeat.objects.create(name="health", seen_at=ago(seconds=-60))
    let_pass(stream, minutes=1)
    assert not check_health()
    assert RuleState.objects.count() == 0


def test_a_look_costs_few_queries(stream: Stream, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        make_shard(make_stream(f"stream-{number}"), last_read_at=ago(), caught_up_at=ago())
    check_health()
    with django_assert_max_num_queries(60):
        check_health()
    assert connection.in_atomic_block is False


def test_a_rule_that_cannot_work_says_so_and_the_others_go_on(stream: Stream) -> None:
    Rule.objects.filter(pk=rule("lag").pk).update(params={"what": "lag"})
    let_pass(stream, minutes=1)
    hold()
    assert opened() == {"stalled"}
    assert "Say how many seconds" in rule("lag").error
