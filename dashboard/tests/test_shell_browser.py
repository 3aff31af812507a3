"""The shell in a real browser: keys, the link to a page, times, choices, and what is wrong now."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.tests.looking import check
from dashboard.tests.seeding import Shop, all_well, order
from streams.models import Problem

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]


def problem() -> Problem:
    now = timezone.now()
    return Problem.objects.create(fingerprint="0:test:", kind="test", first_seen=now, last_seen=now)


def copied(page: Page, begin: str) -> str:
    wait = "async begin => (await navigator.clipboard.readText()).startsWith(begin)"
    page.wait_for_function(wait, arg=begin)
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


@pytest.fixture
def copying(open_context: Open, alice: User) -> Page:
    return open_context(alice, permissions=["clipboard-read", "clipboard-write"]).new_page()


def test_the_search_of_the_top_bar_by_keyboard(page: Page, shop: Shop) -> None:
    change = shop.insert("4711", order("new"))
    page.goto("/")
    page.keyboard.press("/")
    expect(page.get_by_label("Go to")).to_be_focused()
    page.keyboard.type(change.id)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/changes/{change.id}")


def test_pages_by_two_keys_and_the_help(page: Page, shop: Shop) -> None:
    page.goto("/")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("On this page")
    expect(dialog).to_contain_text("Freeze or renew the numbers")
    expect(dialog).to_contain_text("Go to Problems")
    expect(dialog).to_contain_text("Go to Alerts")
    check(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/search")
    page.keyboard.press("g")
    page.keyboard.press("o")
    page.wait_for_url("**/")


def test_keys_can_be_switched_off(page: Page, shop: Shop) -> None:
    page.goto("/")
    page.keyboard.press("?")
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.keyboard.press("/")
    expect(page.locator("html")).to_have_attribute("data-zone", "utc")
    expect(page.get_by_label("Go to")).not_to_be_focused()


def test_the_link_has_times_that_mean_the_same_tomorrow(copying: Page, shop: Shop) -> None:
    page = copying
    page.clock.install(time="2026-11-21T10:00:00Z")
    page.goto("/?since=15m&sort=lag")
    page.keyboard.press("y")
    link = copied(page, "http")
    assert "since=2026-11-21T09%3A45%3A0" in link and "sort=lag" in link
    toast = page.locator("#copied")
    expect(toast).to_contain_text("with absolute times")
    check(page)
    toast.get_by_role("button", name="Copy with relative times").click()
    expect(toast).to_be_hidden()
    page.wait_for_function("navigator.clipboard.readText().then(t => t.includes('since=15m'))")
    page.goto("/?sort=lag")
    page.get_by_role("button", name="Copy link").click()
    expect(toast).to_have_text(re.compile("^Link copied."))
    page.keyboard.press("Escape")
    expect(toast).to_be_hidden()


def test_a_time_tells_all_three_by_pointer_and_by_keyboard(
    open_context: Open, alice: User, shop: Shop
) -> None:
    shop.insert("4711", order("new"))
    page = open_context(alice, timezone_id="Asia/Kolkata").new_page()
    page.goto("/")
    tip = page.get_by_role("tooltip")
    row = page.locator("tr[data-stream] time")
    row.hover()
    for text in ("UTC", "Asia/Calcutta", "ago"):
        expect(tip).to_contain_text(text)
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.locator("h1").hover()
    page.keyboard.press("j")
    expect(page.locator("tr[data-stream]")).to_be_focused()
    expect(tip).to_contain_text("Asia/Calcutta")
    foot = page.locator(".foot time")
    foot.focus()
    page.keyboard.press("Shift")  # the focus came by a script; the keyboard makes it visible
    assert foot.evaluate("e => e.tabIndex") == 0


def test_times_can_be_relative(page: Page, shop: Shop) -> None:
    shop.insert("4711", order("new"))
    page.goto("/")
    page.get_by_role("button", name="Display").click()
    check(page)
    page.get_by_label("Times").select_option("relative")
    expect(page.locator("tr[data-stream] time")).to_have_text(re.compile(r"^\s*\d+ s ago$"))
    page.reload()
    expect(page.locator("tr[data-stream] time")).to_have_text(re.compile(r"ago$"))


def test_the_zone_goes_by_key_and_button(open_context: Open, alice: User, shop: Shop) -> None:
    change = shop.insert("4711", order("new"))
    page = open_context(alice, timezone_id="Asia/Kolkata").new_page()
    page.goto("/")
    time = page.locator("tr[data-stream] time span").last
    utc = time.inner_text()
    page.keyboard.press("t")
    expect(time).not_to_have_text(utc)
    page.get_by_role("button", name="UTC", exact=True).click()
    expect(time).to_have_text(utc)
    assert change.stored_at


def test_rows_can_be_compact(page: Page, shop: Shop) -> None:
    page.goto("/")
    page.get_by_role("button", name="Display").click()
    page.get_by_label("Rows").select_option("compact")
    expect(page.locator("html")).to_have_attribute("data-density", "compact")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-density", "compact")


def test_a_background_tab_tells_what_is_wrong(page: Page, shop: Shop) -> None:
    all_well()
    page.clock.install()
    page.goto("/search")
    expect(page).to_have_title(re.compile("^Search"))
    problem()
    page.clock.run_for(31_000)
    expect(page).to_have_title(re.compile(r"^\(1\) Search"))
    expect(page.locator('link[rel="icon"]')).to_have_attribute("href", re.compile("favicon-bad"))
    expect(page.get_by_role("link", name="Problems 1 open")).to_be_visible()
    expect(page.get_by_role("link", name="Alerts", exact=True)).to_be_visible()


def test_a_slow_part_shows_a_bar(page: Page, shop: Shop) -> None:
    page.goto("/")
    held = []
    page.route("**/overview/table?*", lambda route: held.append(route))
    page.get_by_label("Filter").fill("orders")
    expect(page.locator("#bar")).to_be_visible()
    expect(page.locator("#streams")).to_have_attribute("aria-busy", "true")
    for route in held:
        route.continue_()
    page.unroute("**/overview/table?*")
    expect(page.locator("#bar")).to_be_hidden()


def test_error_pages(open_context: Open, alice: User) -> None:
    page = open_context(alice, viewport={"width": 320, "height": 640}).new_page()
    page.goto("/nowhere")
    check(page)
    expect(page.get_by_role("link", name="Retry")).to_be_visible()
    page.goto("/live?stream=nope")
    check(page)
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the 404s


def test_without_scripts_pages_read_and_search(open_context: Open, alice: User, shop: Shop) -> None:
    change = shop.insert("4711", order("new"))
    page = open_context(alice, java_script_enabled=False).new_page()
    page.goto("/")
    expect(page.get_by_role("link", name="orders", exact=True)).to_be_visible()
    page.get_by_role("button", name="Display").click()
    page.get_by_label("Theme").select_option("dark")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_label("Go to").fill(change.id)
    page.get_by_label("Go to").press("Enter")
    page.wait_for_url(f"**/changes/{change.id}")
