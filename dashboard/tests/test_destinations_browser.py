"""Destinations in a real browser: added, tested and accessible."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.test_destinations_page import hook, sent
from streams.models import Destination
from streams.testing.receivers import http_receiver

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]


@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_are_accessible(open_context: Open, alice: User, width: int) -> None:
    look = check if width == 1280 else check_but_colours
    works, fails = hook("On call"), hook("A name that is quite long, of the shop's team")
    sent(works)
    sent(works, "waiting", tries=2)
    sent(fails, "failed", reason="test")
    Destination.objects.create(name="Mail", kind="email", options={"to": ["a@example.com"] * 4})
    page = open_context(alice, viewport={"width": width, "height": 800}).new_page()
    page.goto("/destinations")
    page.locator("summary").first.click()
    look(page)
    page.goto(f"/destinations/{fails.pk}")
    look(page)


def test_one_is_added_and_a_test_is_sent(page: Page) -> None:
    with http_receiver() as receiver:
        page.goto("/destinations")
        page.get_by_role("link", name="Add: Webhook").click()
        page.get_by_label("Name").fill("On call")
        page.get_by_label("URL").fill(receiver.url)
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Send a test message").click()
        expect(page.get_by_role("status").first).to_contain_text("The test message was taken")
        expect(page.locator(".said-box")).to_contain_text("200 take")
        assert len(receiver.keys()) == 1
