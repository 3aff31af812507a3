"""The drift journal and the noise report in a real browser, on a wide and on a small screen."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, expect

from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.seeding import Shop, order, text
from streams import rulebook
from streams.models import Alert, Sighting

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]
LONG = "a_very_long_name_without_any_place_to_break_" * 4


def drifted(shop: Shop) -> None:
    change = shop.insert("4711", order("new")).id  # before the rules, which would note it
    content = {"name": "New attributes", "kind": "first-seen", "params": {"what": "attributes"}}
    rule = rulebook.save(content, "alice")
    value = rulebook.save(
        {"name": "Status", "kind": "first-seen", "params": {"what": "new.status"}}, "alice"
    )
    now = timezone.now()
    for number, (by, what, known) in enumerate(
        [
            (rule, "total:S", ""),
            (rule, "total:N", change),
            (rule, f"{LONG}:M", change),
            (rule, "voucher:S", ""),
            (value, "lost in the post", change),
        ]
    ):
        at = now - timedelta(hours=9 - number)
        Sighting.objects.create(rule=by, stream=shop.stream, what=what, change=known, first_at=at)


def noisy(shop: Shop) -> None:
    rules = [rulebook.save({"name": name}, "alice") for name in ("Refunds", LONG[:110], "Quiet")]
    now = timezone.now()
    for number, rule in [(n, rules[0]) for n in range(20)] + [(n, rules[1]) for n in range(9)]:
        at = now - timedelta(minutes=30 * number)
        Alert.objects.create(
            rule=rule,
            rule_name=rule.name,
            rule_version=1,
            kind="match",
            severity="warning",
            group="" if rule == rules[0] else f"order {min(number, 1)}",
            state="resolved",
            sentence="It fired.",
            opened_at=at,
            last_at=at,
        )
    for number in range(9):
        shop.modify("1", order("new", at=text(f"{number}")), order("new", at=text("later")))


def test_both_pages(open_context: Open, alice: User, shop: Shop) -> None:
    drifted(shop)
    noisy(shop)
    page = open_context(alice).new_page()
    for width, look in ((1280, check), (320, check_but_colours)):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto("/drift?stream=orders")
        expect(page.get_by_role("link", name="Change").first).to_be_visible()
        expect(page.get_by_text("Not seen lately")).to_be_visible()
        look(page)
        page.goto("/noise")
        expect(page.get_by_role("button", name="Save it for Refunds")).to_be_visible()
        expect(page.get_by_role("button", name="Ignore at of orders")).to_be_visible()
        look(page)
