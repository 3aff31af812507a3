"""Searching in a real browser: zoom, facets, paging, long searches, and no script at all."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import msgspec
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.seeding import Shop, order
from streams.change import EPOCH
from streams.models import SavedView
from streams.partitions import parent_of
from streams.stages.publish import number_batches
from streams.tests.integration.storing import store_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]


def over_a_day(shop: Shop, count: int) -> None:
    """So many changes, one each few minutes up to now, the newest a REMOVE."""
    now = timezone.now().replace(microsecond=0)
    changes = []
    for number in range(count):
        at = now - timedelta(days=1) * (number + 1) / (count + 1)
        old, new = order("new"), order("paid")
        images = (old, None) if number == 0 else (old, new)
        operation = "REMOVE" if number == 0 else "MODIFY"
        change = shop.change(f"item-{number}", operation, *images)
        happened = (at.replace(microsecond=0) - EPOCH) // timedelta(microseconds=1)
        changes.append(msgspec.structs.replace(change, occurred=happened))
    store_in(shop.shard, *reversed(changes))
    number_batches()


def loaded(page: Page) -> None:
    """The parts that come after the results are there."""
    expect(page.locator("#histogram svg").first).to_be_visible()


def test_pages_of_search(open_context: Open, alice: User, shop: Shop) -> None:
    over_a_day(shop, 60)
    Shop("customers").modify("1", order("new"), order("paid"))
    SavedView.objects.create(name="Paid", owner=alice, query="new.status:paid", shared=True)
    context = open_context(alice)
    page = context.new_page()
    page.goto("/search?q=changed:status")
    loaded(page)
    expect(page.locator("#facets h3").first).to_have_text("Stream")
    page.get_by_text("As a table").click()
    check(page)
    page.set_viewport_size({"width": 320, "height": 800})
    check_but_colours(page)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/search?q=op:REMOVE new.status:gone")
    expect(page.locator(".without")).to_contain_text("without new.status:gone")
    check(page)
    for path in ("/search", "/views", "/search/export?q=op:MODIFY", "/views/new?q=op:MODIFY"):
        page.goto(path)
        check(page)
    for path in ("/search?q=tabel:x", "/search?q=&since=soon", "/search/export?q=tabel:x"):
        page.goto(path)
        check(page)
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the 400s


def test_an_empty_store(open_context: Open, alice: User) -> None:
    page = open_context(alice).new_page()
    for path in ("/search", "/search?q=", "/views", "/search/export?q="):
        page.goto(path)
        check(page)


def test_a_part_of_the_histogram_is_chosen_by_keyboard(page: Page, shop: Shop) -> None:
    over_a_day(shop, 150)
    page.goto("/search?q=changed:status&since=24h")
    loaded(page)
    expect(page.locator("#count")).to_have_text("150 changes")
    handle = page.get_by_label("Zoom from")
    handle.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Zoom in")).to_be_enabled()
    assert re.search(r"\d\d:\d\d", handle.get_attribute("aria-valuetext") or "")
    page.get_by_role("button", name="Zoom in").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**since=20*")
    loaded(page)
    count = int((page.locator("#count").text_content() or "").split()[0])
    assert 0 < count < 150
    assert page.locator("#rows .row").count() == min(count, 100)
    page.get_by_role("link", name="Zoom out").click()
    loaded(page)


def test_a_part_of_the_histogram_is_chosen_by_dragging(page: Page, shop: Shop) -> None:
    over_a_day(shop, 150)
    page.goto("/search?q=changed:status&since=24h")
    loaded(page)
    box = page.locator("#histogram").bounding_box()
    assert box
    y = box["y"] + 40
    page.mouse.move(box["x"] + box["width"] * 0.5, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, y, steps=4)
    expect(page.locator(".brush")).not_to_have_attribute("width", "0")
    page.mouse.up()
    page.wait_for_url("**until=20*")
    loaded(page)
    count = int((page.locator("#count").text_content() or "").split()[0])
    assert 20 < count < 60


def test_facets_narrow_the_search(page: Page, shop: Shop) -> None:
    over_a_day(shop, 150)
    page.goto("/search?q=changed:status")
    loaded(page)
    facets = page.get_by_role("complementary", name="Narrow down")
    facets.get_by_role("link", name="REMOVE", exact=True).click()
    expect(page.get_by_label("Filter")).to_have_value("changed:status op:REMOVE")
    expect(page.locator("#rows .row")).to_have_count(1)
    page.go_back()
    loaded(page)
    page.get_by_role("link", name="Leave out REMOVE").click()
    expect(page.get_by_label("Filter")).to_have_value("changed:status -op:REMOVE")
    loaded(page)
    expect(page.locator("#count")).to_have_text("149 changes")


def test_pages_and_rows_by_keyboard(page: Page, shop: Shop) -> None:
    over_a_day(shop, 150)
    page.goto("/search?q=changed:status")
    loaded(page)
    page.get_by_role("link", name=re.compile("Older")).click()
    expect(page.locator("#rows .row")).to_have_count(50)
    page.get_by_role("link", name=re.compile("Newer")).click()
    expect(page.locator("#rows .row")).to_have_count(100)
    page.locator("main").focus()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("#rows .row").nth(1).locator(".c-key a")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("#rows .row").nth(0).locator(".c-key a")).to_be_focused()
    page.keyboard.press("r")
    expect(page.get_by_label("From", exact=True)).to_be_focused()
    page.locator("main").focus()
    page.keyboard.press("j")
    page.keyboard.press("o")
    page.wait_for_url("**/changes/*")


def test_following_live_and_the_keys_in_the_help(page: Page, shop: Shop) -> None:
    over_a_day(shop, 3)
    page.goto("/search?q=changed:status&stream=orders")
    page.locator("main").focus()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_contain_text("Follow live")
    page.keyboard.press("Escape")
    page.keyboard.press("L")
    page.wait_for_url("**/live?q=changed%3Astatus&stream=orders")


def test_a_period_keeps_what_is_typed(page: Page, shop: Shop) -> None:
    over_a_day(shop, 30)
    page.goto("/search?q=op:MODIFY")
    page.get_by_label("Filter").fill("op:REMOVE")
    page.get_by_role("link", name="24 h").click()
    page.wait_for_url("**q=op%3AREMOVE&since=24h*")


def test_recent_searches_are_offered_and_forgotten(
    page: Page, shop: Shop, open_context: Open
) -> None:
    over_a_day(shop, 3)
    page.goto("/search?q=op:REMOVE&since=7d")
    page.goto("/search?q=tabel:orders")  # not understood, so not worth keeping
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the 400
    page.goto("/search")
    recent = page.get_by_role("region", name="Recent searches")
    expect(recent.get_by_role("listitem")).to_have_count(1)
    expect(recent.get_by_role("listitem")).to_have_text("op:REMOVE from 7d")
    recent.get_by_role("link").click()
    expect(page.locator("#rows .row")).to_have_count(1)
    page.go_back()
    page.get_by_role("button", name="Forget them").click()
    expect(recent).to_be_hidden()


@contextmanager
def locked(shop: Shop) -> Iterator[None]:
    """Somebody holds the stream's table, so that every look at it takes too long."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {parent_of(shop.stream.pk)} IN ACCESS EXCLUSIVE MODE")
            yield
            cursor.execute("ROLLBACK")
    finally:
        other.close()


def test_a_long_search_goes_on_by_itself(page: Page, shop: Shop) -> None:
    over_a_day(shop, 30)
    with locked(shop):
        page.goto("/search?q=")
        expect(page.locator("#onward")).to_contain_text("still searching")
        expect(page.locator("#onward")).to_contain_text("choose a period")
        check(page)
    expect(page.locator("#rows .row")).to_have_count(30)
    expect(page.locator("#onward")).not_to_contain_text("searching")


def test_a_long_search_is_stopped_and_continued(page: Page, shop: Shop) -> None:
    over_a_day(shop, 30)
    with locked(shop):
        page.goto("/search?q=")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#onward")).to_contain_text("stopped after")
    page.locator("#onward").get_by_role("link", name="Continue").click()
    expect(page.locator("#rows .row")).to_have_count(30)


def test_everything_is_there_without_scripts(open_context: Open, alice: User, shop: Shop) -> None:
    over_a_day(shop, 150)
    page = open_context(alice, java_script_enabled=False).new_page()
    page.goto("/search?q=changed:status")
    page.get_by_role("link", name="Count them, with histogram and facets").click()
    expect(page.locator("#count")).to_have_text("150 changes")
    loaded(page)
    page.get_by_text("As a table").click()
    page.get_by_role("link", name="Only this").first.click()
    assert page.locator("#rows .row").count() > 0
    page.goto("/search?q=changed:status")
    page.get_by_role("link", name=re.compile("Older")).click()
    expect(page.locator("#rows .row")).to_have_count(50)


def test_a_part_that_fails_says_so(page: Page, shop: Shop, open_context: Open) -> None:
    over_a_day(shop, 150)
    page.route("**/search/summary?*", lambda route: route.abort())
    page.goto("/search?q=changed:status")
    expect(page.locator("#summary")).to_contain_text("This part is missing: the server does not")
    expect(page.locator("#rows .row")).to_have_count(100)
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the failed request
