"""The drift journal: what was seen for the first time, and how to turn it on."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.html import escape

from dashboard.tests.seeding import Shop, order, text
from streams import rulebook
from streams.models import Rule, Sighting
from streams.queries import drift
from streams.queries.seen import forget

pytestmark = pytest.mark.django_db

Get = Callable[..., str]
EVIL = '<b onclick="x">\u202eevil'


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


@pytest.fixture
def rule() -> Rule:
    content = {"name": "New attributes", "kind": "first-seen", "params": {"what": "attributes"}}
    return rulebook.save(content, "alice")


def saw(rule: Rule, shop: Shop, what: str, change: str = "7-0", **span: float) -> Sighting:
    return Sighting.objects.create(
        rule=rule, stream=shop.stream, what=what, change=change, first_at=ago(**span)
    )


def test_without_a_rule_it_says_how_to_turn_it_on(
    client: Client, alice: User, page_of: Get
) -> None:
    page = page_of("/drift")
    assert "Nobody looks for what is new" in page and "streams.add_rule" in page
    client.force_login(alice)
    page = client.get("/drift").content.decode()
    assert "kind=first-seen" in page and "Turn it on for all streams" in page


def test_a_line_tells_what_is_new_and_shows_its_first_change(
    page_of: Get, shop: Shop, rule: Rule
) -> None:
    saw(rule, shop, "total:N", change="", days=9)
    saw(rule, shop, "total:S", change="8-3", hours=2)
    saw(rule, shop, f"{EVIL}:M", hours=1)
    page = page_of("/drift")
    assert page.count("<td data-label=") == 2 * 5, "what was known before is no news"
    assert "New type</span>" in page and "Text; until then number" in page
    assert 'href="/changes/8-3"' in page and "New attribute</span>" in page
    assert EVIL not in page and escape("<b onclick") in page


def test_values_of_a_field(page_of: Get, shop: Shop) -> None:
    content = {"name": "Status", "kind": "first-seen", "params": {"what": "new.status"}}
    saw(rulebook.save(content, "alice"), shop, "ship:S", hours=2)
    page = page_of("/drift")
    assert "New value</span>" in page and "new.status" in page and "ship:S</bdi>" in page


def test_it_chooses_and_goes_on(page_of: Get, shop: Shop, rule: Rule) -> None:
    other = Shop("customers")
    saw(rule, other, "email:S", hours=3)
    for number in range(51):
        saw(rule, shop, f"a{number}:S", minutes=number)
    page = page_of("/drift")
    assert "a49<" in page and "a50<" not in page
    older = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    page = page_of(older)
    assert "a50<" in page and "email<" in page and "a49<" not in page
    page = page_of("/drift", stream="customers", rule=rule.pk)
    assert "email<" in page and "a50<" not in page
    assert "The journal begins here" in page_of("/drift", before=f"{ago(days=9).isoformat()}~1")


@pytest.mark.parametrize("query", ["stream=none", "rule=0", "rule=x", "before=x", "before=~1"])
def test_what_there_is_not_is_not_found(page_of: Get, query: str) -> None:
    page_of(f"/drift?{query}", status=404)


def test_attributes_that_are_not_there_any_more(page_of: Get, shop: Shop, rule: Rule) -> None:
    forget()
    saw(rule, shop, "total:N", change="", days=9)
    saw(rule, shop, "voucher:S", change="", days=8)
    saw(rule, shop, "voucher:M", days=7)
    assert drift.missing(shop.stream) == [], "without a change nothing is missing"
    forget()
    shop.insert("4711", order("new", note=text("soon")))
    assert [gone.name for gone in drift.missing(shop.stream)] == ["voucher"]
    page = page_of("/drift", stream="orders")
    assert "Not seen lately" in page
    assert "Not seen lately" not in page_of("/drift")
    forget()


def test_it_says_whether_it_is_on(page_of: Get, rule: Rule) -> None:
    page = page_of("/drift")
    assert "On</span>" in page and "reads the history first" in page
    Rule.objects.update(ready_at=timezone.now())
    assert "reads the history first" not in page_of("/drift")
    rulebook.save({"enabled": False}, "alice", rule=rule)
    assert "Off</span>" in page_of("/drift")


def test_a_page_costs_few_queries(
    page_of: Get, shop: Shop, rule: Rule, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        saw(rule, shop, f"a{number}:S", minutes=number)
    with django_assert_max_num_queries(14):
        page_of("/drift")
