"""Every page in a real browser: nothing to complain about, in light and dark, wide and narrow."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.seeding import Shop, all_well, order, text
from streams.models import SavedView

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]
PATHS = [
    "/", "/live", "/live?q=new.status:paid", "/live?after=0.0", "/changes/{change}",
    "/items/orders/{token}", "/search", "/search?q=changed:status",
    "/views/{view}", "/views/{view}/edit",
]  # fmt: skip
EMPTY = [
    "/",
    "/live",
    "/live?q=op:REMOVE",
    "/live?after=0.0",
    "/search",
    "/search?q=",
    "/views/new",
]


def full(shop: Shop) -> dict[str, Any]:
    shop.insert("4711", order("new", tags={"SS": ["a"]}, gone={"NULL": True}, empty=text("")))
    change = shop.modify("4711", order("new", "1"), order("paid", "2.0", city=text("x" * 90)))
    owner = User.objects.get(username="alice")
    view = SavedView.objects.create(name="Paid", owner=owner, query="new.status:paid", shared=True)
    return {"change": change.id, "token": shop.token("4711"), "view": view.pk}


def test_pages_with_data(open_context: Open, alice: User, shop: Shop) -> None:
    names = full(shop)
    page = open_context(alice).new_page()
    for path in PATHS:
        page.goto(path.format(**names))
        check(page)


def test_pages_without_data(open_context: Open, alice: User) -> None:
    page = open_context(alice).new_page()
    for path in EMPTY:
        page.goto(path)
        check(page)


def test_a_search_that_is_not_understood(open_context: Open, alice: User) -> None:
    context = open_context(alice)
    page = context.new_page()
    page.goto("/search?q=tabel:orders")
    check(page)
    expect(page.get_by_label("Filter")).to_have_accessible_description(re.compile("did you mean"))
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the 400


def test_the_log_in_and_its_error(open_context: Open, alice: User) -> None:
    page = open_context().new_page()
    page.goto("/")
    check(page)
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    check(page)
    page.get_by_label("Password").fill("sesame")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")


def test_narrow_pages(open_context: Open, alice: User, shop: Shop) -> None:
    names = full(shop)
    page = open_context(alice, viewport={"width": 320, "height": 700}).new_page()
    for path in PATHS:
        page.goto(path.format(**names))
        check_but_colours(page)


def test_pages_in_forced_colours_without_motion(
    open_context: Open, alice: User, shop: Shop
) -> None:
    names = full(shop)
    options = {"forced_colors": "active", "reduced_motion": "reduce"}
    page = open_context(alice, **options).new_page()
    for path in PATHS:
        page.goto(path.format(**names))
        check(page)


def test_the_help_and_the_stream_menu(page: Page, shop: Shop) -> None:
    page.goto("/live")
    page.locator("summary").first.click()
    check(page)
    page.locator("[data-help]").click()
    check(page)


def test_the_admin_works_under_the_policy(page: Page, shop: Shop) -> None:
    """The console stays empty: open_context looks at it."""
    page.goto("/admin/streams/stream/")
    page.get_by_role("checkbox", name="Select all objects on this page for an action").check()
    page.get_by_label("Action:").select_option("pause")
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".messagelist")).to_contain_text("Paused: orders")
    for path in ("/admin/", "/admin/streams/stream/add/", "/admin/streams/shard/"):
        page.goto(path)
    page.locator("#toggle-nav-sidebar").click()


def test_the_overview_renews_itself(page: Page, shop: Shop) -> None:
    page.goto("/")
    stored = page.locator(".stored")
    expect(stored).to_have_text("0 stored")
    shop.write_many(7)
    expect(stored).to_have_text("7 stored")


def test_the_overview_stands_still_under_the_pointer(page: Page, shop: Shop) -> None:
    all_well()
    page.clock.install()
    page.goto("/")
    page.locator(".overview tbody tr").first.hover()
    shop.write_many(7)
    page.clock.run_for(12_000)
    expect(page.locator(".stored")).to_have_text("0 stored")
    expect(page.locator("#stale")).to_contain_text("held while the pointer")
    page.locator("h1").hover()
    page.clock.run_for(4_000)
    expect(page.locator(".stored")).to_have_text("7 stored")
    expect(page.locator("#stale")).to_be_hidden()


def test_the_overview_says_when_its_numbers_are_old(
    page: Page, shop: Shop, open_context: Open
) -> None:
    page.goto("/")
    page.route("**/overview/table?*", lambda route: route.abort())
    expect(page.locator("#stale")).to_contain_text("the server does not answer", timeout=8_000)
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the failed request


def test_the_theme_is_kept(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Display").click()
    page.get_by_label("Theme").select_option("dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 21, 28)"


def test_skipping_to_the_content_by_keyboard(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
