"""The preview of a rule, a change explained by it, and the ways to a new rule from elsewhere."""

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.tests.rule_pages import post, sent
from dashboard.tests.seeding import Shop, order
from dashboard.views import rule_preview
from streams import rulebook
from streams.models import Rule

pytestmark = pytest.mark.django_db(transaction=True)

Get = Callable[..., str]


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def rule() -> Rule:
    return rulebook.save({"name": "Deleted", "query": "op:REMOVE", "group_by": ["item"]}, "anna")


def test_a_preview_says_what_would_have_happened(admin: Client, shop: Shop, rule: Rule) -> None:
    for number in range(3):
        shop.remove(f"item-{number}", order("new"))
    last = shop.insert("other", order("new"))
    page = post(admin, f"/rules/{rule.pk}", **sent(group_by="item", action="preview"))
    assert "Would have fired 3 times" in page and "item-2" in page
    assert "4 changes asked, evaluator" in page and 'class="matches"' in page
    assert "The message about the newest" in page and "Deleted (version 2)" in page
    assert "The saved version" not in page, "it says the same"
    given = sent(query="op:INSERT", action="preview", rule=rule.pk)
    part = post(admin, "/rules/preview", **given)
    assert "Would have fired 1 time" in part and f"/changes/{last.id}" in part
    assert "The saved version: 3 → 1 alert" in part and "<html" not in part


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("new.statsu:paid", "Did you mean `status`"),
        ("new.status:lost", "Evaluated 1 change, 0 matches"),
        ("tabel:orders", "Invalid."),
    ],
)
def test_no_data_no_match_and_invalid_are_told_apart(
    admin: Client, shop: Shop, query: str, said: str
) -> None:
    shop.insert("4711", order("paid"))
    part = post(admin, "/rules/preview", **sent(query=query, action="preview"))
    assert said in part, part


def test_a_health_rule_has_no_past_to_try(admin: Client) -> None:
    given = sent(kind="health", health_what="lag", health_limit="5 min")
    part = post(admin, "/rules/preview", **given)
    assert "no past to try it on" in part and "lags by more than 5 min" in part


def test_previews_never_take_the_whole_process(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_preview, "_AT_ONCE", threading.BoundedSemaphore(1))
    monkeypatch.setattr(rule_preview, "_WAIT_SECONDS", 0.01)
    with rule_preview._AT_ONCE:
        assert "Try again in a few seconds" in post(admin, "/rules/preview", **sent())
    assert "No changes are stored" in post(admin, "/rules/preview", **sent())


def test_a_search_becomes_a_rule(page_of: Get, shop: Shop) -> None:
    shop.insert("4711", order("paid"))
    page = page_of("/search", q="new.status:paid", stream="orders")
    assert "/rules/new?query=new.status%3Apaid%20stream%3Aorders" in page


def test_a_change_becomes_a_rule(page_of: Get, shop: Shop) -> None:
    change = shop.modify("4711", order("new"), order("paid"))
    page = page_of(f"/changes/{change.id}")
    query = "stream%3Aorders%20op%3AMODIFY%20changed%3Astatus"
    assert f'href="/rules/new?query={query}">Make a rule' in page


def test_a_change_is_explained(admin: Client, shop: Shop) -> None:
    change = shop.modify("4711", order("new"), order("paid"))
    given = sent(query="op:MODIFY new.status:lost new.gone:1", action="explain")
    for path in ("/rules/explain", "/rules/new"):
        page = post(admin, path, **given, change=f"http://testserver/changes/{change.id}")
        assert "Does not match" in page and "new.status is lost" in page
        assert "&quot;paid&quot;" in page and "nothing there" in page
    assert "There is no change" in post(admin, "/rules/explain", **given, change="1-1")
    assert "Give the id" in post(admin, "/rules/explain", **given)
    wrong = post(admin, "/rules/explain", **sent(query="tabel:a", change=change.id))
    assert "not complete" in wrong


def test_what_was_not_looked_at_is_said_and_can_be(
    admin: Client, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_preview, "_SOON_SECONDS", 0.0)
    shop.write_many(22_000)  # more than is read at once
    part = post(admin, "/rules/preview", **sent(query="new.status:paid"))
    assert "Partial: looked back to" in part and "The shaded part was not looked at." in part
    assert 'value="longer"' in part
    part = post(admin, "/rules/preview", **sent(query="new.status:paid", action="longer"))
    assert "Partial" not in part and "22,000 changes asked" in part


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("count", {"count_threshold": 2, "count_window": "1 h"}, "Would have fired 1 time"),
        ("rate", {"rate_ratio": 2, "rate_window": 3_600, "rate_weeks": 1}, "no alert"),
        ("absence", {"absence_seconds": "1 h"}, "Would have fired"),
        ("first-seen", {"seen_what": "old.status"}, "Would have fired 1 time"),
        (
            "sequence",
            {"then_query": "op:INSERT", "sequence_within": "1 h", "sequence_expect": "then"},
            "no alert",
        ),
    ],
)
def test_every_kind_is_tried_on_the_past(
    admin: Client, shop: Shop, kind: str, given: dict[str, object], said: str
) -> None:
    shop.remove("4711", order("new"))
    shop.remove("4712", order("new"))
    part = post(admin, "/rules/preview", **sent(kind=kind, **given))
    assert said in part, part
