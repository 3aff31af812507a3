"""Alerts and quiet times in a real browser: accessible, and by keyboard alone."""

import re
from collections.abc import Callable
from datetime import time, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.tests.alerting import make_alert, make_delivery, make_match, make_rule
from dashboard.tests.keys import say
from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.seeding import Shop, order
from streams.models import Alert, MaintenanceWindow, Mute
from streams.stages import answer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]


def alerted(shop: Shop) -> Alert:
    """An open alert with everything, and others in other states."""
    rule, now = make_rule(owner="alice"), timezone.now()
    change = shop.modify("4711", order("new", "1"), order("paid", "101", note={"S": "x" * 300}))
    alert = make_alert(rule, change, group="4711", severity="critical", suppressed=2)
    make_match(alert, change)
    make_delivery(alert, "503 Service Unavailable", "200 OK")
    make_delivery(alert, "connection refused", state="failed", reason="repeat")
    make_alert(rule, group="a", state="acknowledged", owner="bob", severity="info")
    make_alert(rule, group="b", state="resolved", resolved_at=now)
    answer.mute(rule, "4711", now + timedelta(hours=1), "A known bug", "alice")
    answer.end_mute(answer.mute(None, None, now + timedelta(hours=1), "Over", "bob"), "bob")
    MaintenanceWindow.objects.create(
        name="Night", weekdays=[0, 6], begins=time(23), minutes=120, zone="Europe/Prague"
    )
    return alert


@pytest.mark.parametrize("width", [320, 1280])
def test_pages_with_data(open_context: Open, alice: User, shop: Shop, width: int) -> None:
    look = check if width == 1280 else check_but_colours
    alert, page = (
        alerted(shop),
        open_context(alice, viewport={"width": width, "height": 800}).new_page(),
    )
    for path in (
        *("/alerts?state=all", f"/alerts/{alert.pk}", "/quiet"),
        *("/quiet/mutes/new", "/quiet/windows/new"),
    ):
        page.goto(path)
        look(page)


def test_by_keyboard_from_the_list_to_the_mute(page: Page, shop: Shop) -> None:
    """Go to the alerts, acknowledge one with a note, open it, mute it, go back to the list."""
    rule = make_rule()
    alert = make_alert(rule, shop.insert("4711", order("paid", "101")), group="4711")
    page.goto("/")
    page.keyboard.press("g")
    page.keyboard.press("a")
    page.wait_for_url("**/alerts")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Large orders")).to_be_focused()
    say(page, "a", "I look after it")
    expect(page.get_by_role("status").first).to_contain_text("Acknowledged: 1.")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".timeline")).to_contain_text("I look after it")
    say(page, "m", "A known bug")
    expect(page.get_by_text(re.compile("alice has muted this group"))).to_be_visible()
    mute = Mute.objects.get()
    assert (mute.rule, mute.group, mute.reason) == (alert.rule, "4711", "A known bug")
    say(page, "e", "Paid back")
    expect(page.locator(".page-head")).to_contain_text("Resolved")
    page.keyboard.press("u")
    expect(page.get_by_role("heading", level=1)).to_have_text("Alerts")
