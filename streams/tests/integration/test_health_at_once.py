"""The health rules about gaps and about deliveries: these do not wait."""

from typing import Any

import pytest
from django.utils import timezone

from streams import rulebook
from streams.models import Alert, Attempt, Delivery, Destination, Gap, RuleVersion, Stream
from streams.stages.health import check_health
from streams.tests.integration.unwell import (
    ago,
    everybody_is_there,
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


def make_gap(stream: Stream, **fields: Any) -> Gap:
    given = {"reason": "trimmed", "from_at": ago(minutes=9), "to_at": ago(minutes=8), **fields}
    return Gap.objects.create(stream=stream, **given)


def test_each_gap_has_its_alert_once(stream: Stream) -> None:
    first, second = make_gap(stream), make_gap(stream)
    check_health()
    check_health()
    assert Alert.objects.count() == 2
    assert set(Alert.objects.values_list("group", flat=True)) == {
        f"orders, gap {gap.pk}" for gap in (first, second)
    }
    assert "may be missing: the source had deleted" in the("gap").sentence
    Alert.objects.update(state="resolved", resolved_at=timezone.now(), resolved_by="alice")
    check_health()
    assert Alert.objects.count() == 2, "what somebody resolved stays resolved"


def test_a_gap_from_before_the_rule_is_not_told(stream: Stream) -> None:
    make_gap(stream)
    Gap.objects.update(detected_at=ago(hours=2))
    rulebook.save({"enabled": False}, "alice", rule=rule("gap"))
    make_gap(stream)
    rulebook.save({"params": {"what": "beat"}, "enabled": True}, "alice", rule=rule("gap"))
    make_gap(stream)
    rulebook.save({"params": {"what": "gap"}}, "alice", rule=rule("gap"))
    rulebook.save({"note": "Mine."}, "alice", rule=rule("gap"))
    check_health()
    assert opened() == set(), "nor was it there for the two after it"
    make_gap(stream)
    check_health()
    assert Alert.objects.count() == 1


def test_a_gap_that_turns_out_harmless_resolves(stream: Stream) -> None:
    make_gap(stream, growing=True)
    check_health()
    Gap.objects.update(growing=False, harmless_at=timezone.now())
    check_health()
    assert opened() == set()
    make_gap(stream, harmless_at=timezone.now())
    check_health()
    assert Alert.objects.count() == 1


def test_a_gap_resolves_by_time_if_its_rule_says_so(stream: Stream) -> None:
    rulebook.save({"resolve_seconds": 60}, "alice", rule=rule("gap"))
    make_gap(stream, growing=True)
    RuleVersion.objects.update(at=ago(hours=1))
    Gap.objects.update(detected_at=ago(minutes=2))
    check_health()
    assert opened() == {"gap"}
    Gap.objects.update(growing=False)
    check_health()
    assert opened() == set()


def deliver(name: str, *results: bool, state: str = "waiting", **fields: Any) -> None:
    """A delivery to a destination, with its tries so far."""
    given = {"kind": "webhook", "options": {}}
    destination, _ = Destination.objects.get_or_create(name=name, defaults=given)
    said = {"reason": "opened", "message": {}, "tries": len(results), **fields}
    delivery = Delivery.objects.create(destination=destination, state=state, **said)
    for succeeded in results:
        Attempt.objects.create(
            delivery=delivery, seconds=0.1, succeeded=succeeded, response="HTTP 503"
        )


def test_deliveries_that_fail() -> None:
    deliver("pager", False, False)
    check_health()
    assert opened() == set(), "once or twice happens"
    deliver("pager", False, False, False)
    deliver("pager", False)
    deliver("mail", True, state="sent")
    check_health()
    assert opened() == {"deliveries"}
    assert the("deliveries").sentence == "Deliveries to pager fail: HTTP 503"
    deliver("pager", True, state="sent", reason="test")
    check_health()
    assert opened() == set()


def test_a_delivery_that_was_given_up_fails_at_once_but_a_test_never() -> None:
    deliver("pager", False, state="failed", reason="test")
    check_health()
    assert opened() == set()
    deliver("pager", False, state="failed")
    check_health()
    assert opened() == {"deliveries"}
    Destination.objects.update(enabled=False)
    check_health()
    assert opened() == set()
