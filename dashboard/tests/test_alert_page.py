"""One alert, as the server makes its page: what it is made of, and what people do about it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.tests.alerting import (
    EVIL,
    answer,
    make_alert,
    make_delivery,
    make_match,
    make_rule,
    post,
)
from dashboard.tests.seeding import Shop, order
from streams import rulebook
from streams.models import Alert, AlertEvent, Match, Mute, Rule
from streams.stages.evaluate import evaluate

pytestmark = pytest.mark.django_db(transaction=True)

Get = Callable[..., str]


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def rule() -> Rule:
    return make_rule()


def test_the_page_of_an_alert_has_everything(page_of: Get, shop: Shop, rule: Rule) -> None:
    change = shop.modify("4711", order("new", "1"), order("paid", "101", note={"S": EVIL}))
    alert = make_alert(rule, change, group="4711", count=3, suppressed=2)
    make_match(alert, change)
    rulebook.save({"severity": "critical"}, "bob", rule=rule)
    make_delivery(alert, "503 Service Unavailable", "200 OK")
    AlertEvent.objects.create(alert=alert, who="bob", what="noted", note="I look.")
    page = page_of(f"/alerts/{alert.pk}")
    for text in (
        "Large orders was matched", "version 1</a>", "(now 2)", "4711", "Each match", "Open</span>",
        "Warning</span>", f'href="/changes/{change.id}"', "https://runbooks.test/orders",
        "new.total&gt;100", "503 Service Unavailable", "200 OK", "An alert opened, to",
        "Alert: Large orders", "Note</strong> by <bdi>bob", "I look.", "⟨U+202E⟩evil",
        f'href="/rules/{rule.pk}/history?before=2#version-1"',
    ):  # fmt: skip
        assert text in page, text
    assert "<b onclick" not in page and "\u202e" not in page
    assert "Matches</span>" in page and f'href="?explain={change.id}#why"' in page
    assert f"/items/orders/{shop.token('4711')}" in page


def test_an_alert_outlives_its_rule_and_its_changes(page_of: Get, shop: Shop, rule: Rule) -> None:
    change = shop.modify("4711", order("new", "1"), order("paid", "101"))
    alert = make_alert(rule, change)
    match = make_match(alert, change)
    Match.objects.filter(pk=match.pk).update(ordinal=99)  # as if retention had dropped the change
    rulebook.delete(rule, "alice")
    page = page_of(f"/alerts/{alert.pk}")
    assert "(deleted since)" in page and "Dropped by retention" in page and "paid" in page


def test_its_changes_are_paged(page_of: Get, shop: Shop, rule: Rule) -> None:
    changes = shop.write_many(21)
    alert = make_alert(rule, changes[0])
    for change in changes:
        make_match(alert, change)
    page = page_of(f"/alerts/{alert.pk}")
    assert page.count("History of item-") == 20 and "item-0<" in page
    address = page.split('rel="next" href="')[1].split('"')[0].split("#")[0]
    page = page_of(f"/alerts/{alert.pk}{address}")
    assert page.count("History of item-") == 1 and "From the first" in page


def test_any_change_is_explained_by_the_rule_of_then(page_of: Get, shop: Shop, rule: Rule) -> None:
    change = shop.modify("4711", order("new", "1"), order("paid", "101"))
    other = shop.modify("4711", order("new", "1"), order("paid", "99"))
    alert = make_alert(rule, change)
    rulebook.save({"query": "new.total<100"}, "alice", rule=rule)
    assert "Matches</span>" in page_of(f"/alerts/{alert.pk}")
    page = page_of(f"/alerts/{alert.pk}?explain={other.id}")
    assert "Does not match</span>" in page and "99" in page
    assert "There is no change" in page_of(f"/alerts/{alert.pk}?explain=<b>")
    rule.versions.filter(version=1).update(content={"kind": "match", "query": "((("})
    assert "Why it matches" not in page_of(f"/alerts/{alert.pk}")


def test_an_unknown_alert_is_not_found(page_of: Get) -> None:
    assert "There is no alert 4711" in page_of("/alerts/4711", status=404)


def test_acknowledging_names_an_owner(admin: Client, bob: User, rule: Rule) -> None:
    alert = make_alert(rule)
    page = answer(admin, alert, "acknowledge", note="I look", owner="bob")
    assert "Acknowledged: 1." in page and "Owner: bob. I look" in page
    alert.refresh_from_db()
    assert (alert.state, alert.owner) == ("acknowledged", "bob")
    assert "had been handled before" in answer(admin, alert, "acknowledge", owner="bob")
    assert "There is no user" in answer(admin, alert, "acknowledge", owner="nobody")
    assert "Resolved: 1." in answer(admin, alert, "resolve", note="Paid back")
    page = answer(admin, alert, "note", note="For the record")
    assert "Noted: 1." in page and "For the record" in page and "by <bdi>alice" in page
    assert "The note is empty" in answer(admin, alert, "note", note=" ")


def test_muting_one_group_from_its_alert(admin: Client, rule: Rule) -> None:
    alert = make_alert(rule, group="4711")
    given: dict[str, Any] = {
        "rule": rule.pk,
        "group": "4711",
        "every": "",
        "span": "1h",
        "reason": "Known bug",
    }
    page = post(admin, "/quiet/mutes/new", **given, next=f"/alerts/{alert.pk}")
    assert "alice</bdi> has muted this group, “<bdi>Known bug" in page
    mute = Mute.objects.get()
    assert (mute.rule, mute.group, mute.who) == (rule, "4711", "alice")


def test_a_change_names_the_rules_that_it_matched(page_of: Get, shop: Shop, rule: Rule) -> None:
    assert "Matched</dt>" not in page_of(f"/changes/{shop.insert('1', order('new', '1')).id}")
    change = shop.insert("4711", order("new", "101"))
    assert "not evaluated yet" in page_of(f"/changes/{change.id}")
    alert = make_alert(rule, change)
    make_match(alert, change)
    page = page_of(f"/changes/{change.id}")
    assert "Large orders</bdi></a> → " in page and f'href="/alerts/{alert.pk}"' in page


def test_what_the_evaluation_makes_is_shown(page_of: Get, shop: Shop, rule: Rule) -> None:
    change = shop.modify("4711", order("new", "1"), order("paid", "101"))
    evaluate()
    alert = Alert.objects.get(rule=rule)
    assert f'href="/alerts/{alert.pk}"' in page_of("/alerts")
    page = page_of(f"/alerts/{alert.pk}")
    for text in ("its rule has no destination", "total</bdi>", ">101<", "Matches</span>"):
        assert text in page, text
    assert page.count(f'href="/changes/{change.id}"') == 3  # as sample, as match, as explained
