"""The noise report: which rules and attributes make most, and the edit that would quiet them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from dashboard.tests.seeding import Shop, order, text
from streams import rulebook
from streams.models import Alert, Delivery, Destination, Rule
from streams.queries import noise_report

pytestmark = pytest.mark.django_db

Get = Callable[..., str]
WEEK = noise_report.PERIODS["7d"]


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


@pytest.fixture
def rule() -> Rule:
    return rulebook.save({"name": "Refunds", "query": "op:modify"}, "alice")


def fired(rule: Rule, minutes: float, group: str = "", **fields: Any) -> Alert:
    """An alert that opened so many minutes ago, and is over."""
    at = ago(minutes=minutes)
    given = {"kind": rule.kind, "severity": rule.severity, "rule_name": rule.name, **fields}
    return Alert.objects.create(
        rule=rule,
        rule_version=rule.version,
        group=group,
        state="resolved",
        sentence="It fired.",
        opened_at=at,
        last_at=at,
        **given,
    )


def test_nothing_is_noisy(page_of: Get, shop: Shop) -> None:
    page = page_of("/noise")
    assert "No alert in 7 days" in page and "No attribute changes alone that often" in page
    page_of("/noise", status=404, period="1y")


def test_the_loudest_rule_comes_first_with_what_it_made(
    page_of: Get, shop: Shop, rule: Rule
) -> None:
    other = rulebook.save({"name": "Others", "query": "op:remove"}, "alice")
    fired(other, 5)
    fired(other, 20 * 1440)
    for number in range(3):
        alert = fired(rule, number, suppressed=2)
    sent = Delivery.objects.create(
        destination=Destination.objects.create(name="mail", kind="email"), message={}
    )
    sent.alerts.add(alert)
    for number in range(2):
        shop.modify(f"{number}", order("new"), order("paid"))
    report = noise_report.report(WEEK)
    assert (report.alerts, report.cut) == (4, False)
    first, second = report.rules
    assert (first.rule, first.alerts, first.suppressed) == (rule, 3, 6)
    assert (first.sent, first.matches) == (1, 2)
    assert (first.attribute, first.share, first.edit) == ("status", 1.0, None)
    assert (second.rule, second.alerts, second.attribute) == (other, 1, "")
    page = page_of("/noise")
    assert page.index("Refunds") < page.index("Others") and "none needed" in page
    assert "status</bdi> in 100 % of its newest matches" in page
    assert noise_report.report(noise_report.PERIODS["30d"]).alerts == 5


def test_an_edit_is_proposed_and_saved(client: Client, alice: User, rule: Rule) -> None:
    for number in range(20):
        fired(rule, 30 * number)
    client.force_login(alice)
    page = client.get("/noise").content.decode()
    assert "Resolve 1 h after the last match: 1 of 20 would have been left." in page
    sent = {"rule": rule.pk, "version": 1, "field": "resolve_seconds", "value": 3600}
    page = client.post("/noise/apply", sent, follow=True).content.decode()
    assert "Saved Refunds as version 2." in page
    rule.refresh_from_db()
    assert (rule.resolve_seconds, rule.versions.get(version=2).why) == (
        3600,
        "From the noise report.",
    )
    page = client.post("/noise/apply", sent | {"value": 900}, follow=True).content.decode()
    assert "was edited meanwhile" in page
    rule.refresh_from_db()
    assert rule.resolve_seconds == 3600


@pytest.mark.parametrize(
    "wrong", [{"field": "severity"}, {"value": "x"}, {"rule": "9" * 20}, {"rule": 0}]
)
def test_no_other_edit_can_be_sent(
    client: Client, alice: User, rule: Rule, wrong: dict[str, Any]
) -> None:
    client.force_login(alice)
    sent = {"rule": rule.pk, "version": 1, "field": "resolve_seconds", "value": 60, **wrong}
    assert client.post("/noise/apply", sent).status_code == 404


def test_who_may_not_change_rules_sees_no_button(
    client: Client, bob: User, page_of: Get, rule: Rule
) -> None:
    for number in range(20):
        fired(rule, 30 * number)
    assert "Save it" not in page_of("/noise")
    assert client.post("/noise/apply", {}).status_code == 403


def test_the_loudest_group_is_muted(client: Client, alice: User, rule: Rule) -> None:
    for number in range(9):
        fired(rule, number, "order 7")
    fired(rule, 1, "order 8")
    client.force_login(alice)
    page = client.get("/noise").content.decode()
    assert f"/quiet/mutes/new?rule={rule.pk}&amp;group=order+7" in page
    assert "Mute order 7: 1 of 10 would have been left." in page


def test_an_attribute_that_changes_alone_may_be_ignored(page_of: Get, shop: Shop) -> None:
    for number in range(9):
        shop.modify("1", order("new", at=text(f"{number}")), order("new", at=text("later")))
    shop.modify("1", order("new", at=text("1")), order("paid", at=text("2")))
    (found,) = noise_report.attributes()
    assert (found.name, found.alone, found.changes, found.looked_at) == ("at", 9, 10, 10)
    assert "Ignore it: 9 of 10 changes would be hidden." in page_of("/noise")
    shop.stream.ignored_fields = ["at"]
    shop.stream.save()
    assert noise_report.attributes() == []
