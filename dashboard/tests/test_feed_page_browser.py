"""The live page in a real browser, in front of a real server."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, Route, expect

from conftest import wait_for
from dashboard.tests.feed_page_server import first_row, rows
from dashboard.tests.seeding import Shop, order
from streams.queries import feed

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]


@pytest.fixture
def live(page: Page, shop: Shop) -> Page:
    """The live page, following."""
    shop.write_many(3)
    page.goto("/live")
    is_in_state(page, "Following")
    return page


def is_in_state(page: Page, text: str) -> None:
    expect(page.locator("#pill")).to_have_text(text)


def test_rows_of_the_page_stay_and_new_ones_follow(live: Page, shop: Shop) -> None:
    assert rows(live) == ["item-2", "item-1", "item-0"]
    shop.modify("4711", order("new"), order("paid"))
    first_row(live, "4711")
    assert rows(live) == ["4711", "item-2", "item-1", "item-0"]
    expect(live.locator(".row", has_text="4711").locator(".c-fields")).to_have_text(
        re.compile(r"status\s*new\s*→\s*paid")
    )


def test_with_a_filter_only_what_passes_is_shown(page: Page, shop: Shop) -> None:
    shop.write(*[(f"old-{n}", "MODIFY", order("new"), order("paid")) for n in range(3)])
    shop.write(("4711", "MODIFY", order("paid"), order("packed")))
    page.goto("/live?q=new.status:packed")
    is_in_state(page, "Following")
    assert rows(page) == ["4711"]
    shop.write_many(40)
    shop.modify("4712", order("paid"), order("packed"))
    first_row(page, "4712")
    assert rows(page) == ["4712", "4711"]
    expect(page.locator("#hidden")).to_contain_text("1 condition hides 40 changes")
    expect(page.get_by_text("Changes where new.status is packed.")).to_be_visible()
    page.get_by_role("link", name="Clear").first.click()
    is_in_state(page, "Following")
    assert len(rows(page)) > 2


def test_with_a_filter_nothing_is_lost_while_the_socket_is_cut(page: Page, shop: Shop) -> None:
    page.goto("/live?q=new.status:packed")
    is_in_state(page, "Following")
    for number in range(3):
        page.context.set_offline(True)
        is_in_state(page, "Offline")
        shop.write_many(30, first=100 * number)
        shop.modify(f"packed-{number}", order("paid"), order("packed"))
        page.context.set_offline(False)
        first_row(page, f"packed-{number}")
    assert rows(page) == ["packed-2", "packed-1", "packed-0"]


def test_a_filter_that_is_not_understood_is_said(open_context: Open, alice: User) -> None:
    page = open_context(alice).new_page()
    page.goto("/live?q=tabel:orders")
    expect(page.get_by_text("did you mean")).to_be_visible()
    page.get_by_label("Filter").fill("table:orders")
    page.get_by_role("button", name="Filter").click()
    is_in_state(page, "Following")
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the 400


def test_changes_between_page_and_socket_are_not_lost(page: Page, shop: Shop) -> None:
    """The socket goes on at the cursor of the HTML, however long it takes to open."""
    shop.write_many(2)
    held: list[Route] = []
    page.route("**/js/feed.*.js", lambda route: held.append(route))
    page.goto("/live", wait_until="commit")
    page.locator("#first").wait_for(state="attached")
    wait_for(lambda: (page.title(), held)[1], what="the script to be asked for")
    shop.write_many(3, 100)
    held[0].continue_()
    first_row(page, "item-102")
    assert rows(page) == ["item-102", "item-101", "item-100", "item-1", "item-0"]


def test_rows_look_the_same_before_and_after_the_script(
    page: Page, shop: Shop, open_context: Open, alice: User
) -> None:
    shop.modify("4711", order("new"), order("paid"))
    shop.remove("4711", order("paid"))
    plain = open_context(alice, java_script_enabled=False).new_page()
    plain.goto("/live")
    page.goto("/live")
    is_in_state(page, "Following")
    rows_of = (plain.locator(".sizer > .row").first, page.locator('.row[aria-rowindex="2"]'))
    texts = [row.locator("> span:not(.c-marker)").all_inner_texts() for row in rows_of]
    assert [" ".join(text.split()) for text in texts[0]] == [
        " ".join(text.split()) for text in texts[1]
    ]


def test_pause_holds_the_list_and_counts(live: Page, shop: Shop) -> None:
    live.keyboard.press("p")
    is_in_state(live, "Paused")
    shop.write_many(15, 100)
    expect(live.locator("#new")).to_have_text("15 new")
    assert rows(live)[0] == "item-2"
    live.get_by_role("button", name="Resume").click()
    first_row(live, "item-114")
    assert rows(live) == [f"item-{n}" for n in range(114, 99, -1)] + ["item-2", "item-1", "item-0"]
    is_in_state(live, "Following")


def test_a_long_pause_leaves_the_choice_and_a_counted_marker(live: Page, shop: Shop) -> None:
    live.get_by_role("button", name="Pause").click()
    shop.write_many(5_500, 100)
    expect(live.locator("#new")).to_have_text("5,500 new")
    live.locator("#new").click()
    expect(live.locator("#choice")).to_contain_text("5,500 changes happened meanwhile.")
    is_in_state(live, "Catching up 5,500")
    live.get_by_role("button", name="Jump to now").click()
    first_row(live, "item-5599")
    expect(live.locator("#choice")).to_be_hidden()
    marker = live.locator(".row.marker:not([hidden])")
    if not marker.is_visible():
        list_ = live.locator(".feed-list")
        list_.evaluate("list => { list.scrollTop = list.querySelector('.sizer').offsetHeight }")
    expect(marker).to_contain_text(re.compile("changes not (listed|shown here)"))
    marker.get_by_role("link", name="Show them").click()
    # A sample's stretch has the listed ones too.
    said = re.compile("5,(375|500) changes from here on, oldest first")
    expect(live.locator("main")).to_contain_text(said)
    expect(live.locator(".row a").first).to_have_text("item-100")


def test_scrolling_holds_and_following_jumps_back(live: Page, shop: Shop) -> None:
    shop.write_many(60, 100)
    first_row(live, "item-159")
    live.locator(".feed-list").evaluate("list => { list.scrollTop = 400 }")
    is_in_state(live, "Held")
    before = rows(live)
    shop.write_many(5, 200)
    expect(live.locator("#new")).to_have_text("5 new")
    assert rows(live) == before
    live.keyboard.press("f")
    first_row(live, "item-204")
    is_in_state(live, "Following")


def test_a_focused_row_holds_the_list(live: Page, shop: Shop) -> None:
    live.keyboard.press("j")
    is_in_state(live, "Held")
    live.keyboard.press("j")
    expect(live.locator(".row a:focus")).to_have_text("item-1")
    shop.insert("4711", order("new"))
    expect(live.locator("#new")).to_have_text("1 new")
    expect(live.locator(".row a:focus")).to_have_text("item-1")
    live.keyboard.press("Enter")
    live.wait_for_url("**/live?sel=*")


def test_a_selection_holds_the_list(live: Page, shop: Shop) -> None:
    live.locator(".c-key a").first.evaluate("key => getSelection().selectAllChildren(key)")
    is_in_state(live, "Held")
    live.evaluate("() => getSelection().removeAllRanges()")
    is_in_state(live, "Following")


def test_a_cut_connection_misses_and_repeats_nothing(page: Page, shop: Shop) -> None:
    sockets: list[Any] = []

    def through(route: Any) -> None:
        sockets.append(route.connect_to_server())

    page.set_viewport_size({"width": 1280, "height": 1400})
    page.route_web_socket("**/ws/feed", through)
    page.goto("/live")
    for cut in range(5):
        is_in_state(page, "Following")
        shop.write_many(3, cut * 10)
        first_row(page, f"item-{cut * 10 + 2}")
        sockets[-1].close()
        shop.write_many(2, cut * 10 + 5)
        first_row(page, f"item-{cut * 10 + 6}")
    names = [f"item-{cut * 10 + n}" for cut in range(5) for n in (0, 1, 2, 5, 6)]
    assert rows(page) == names[::-1]


def test_one_stream_of_several(live: Page, shop: Shop) -> None:
    stock = Shop("stock")
    live.get_by_text("All streams").click()
    live.get_by_role("checkbox", name="stock").count()
    live.goto("/live?stream=stock")
    is_in_state(live, "Following")
    shop.insert("hidden", order("new"))
    stock.insert("shown", order("new"))
    first_row(live, "shown")
    assert rows(live) == ["shown"]


def test_the_zone_changes_every_time(live: Page, open_context: Open, alice: User) -> None:
    there = open_context(alice, timezone_id="Asia/Kolkata").new_page()
    there.goto("/live")
    time = there.locator(".row:not([hidden]) time").first
    utc = time.inner_text()
    there.keyboard.press("t")
    expect(there.locator("[data-zone-name]").first).to_have_text(
        re.compile("Asia/(Kolkata|Calcutta)")
    )
    assert time.inner_text() != utc
    there.reload()
    expect(there.locator("html")).to_have_attribute("data-zone", "browser")
    assert time.inner_text() != utc


def test_hostile_text_stays_text(live: Page, shop: Shop) -> None:
    evil = "<img src=x onerror=alert(1)>\0\u202e\ud800"
    shop.insert(evil, {"note": {"S": evil}})
    first_row(live, "<img src=x onerror=alert(1)>␀⟨U+202E⟩\ufffd")


def test_38_digits_survive(live: Page, shop: Shop) -> None:
    digits = "12345678901234567890123456789012345678"
    shop.insert("4711", {"total": {"N": digits}})
    first_row(live, "4711")
    assert digits in live.locator(".row", has_text="4711").inner_text()


def test_a_burst_is_not_more_than_the_page_can_hold(live: Page, shop: Shop) -> None:
    nodes = "document.querySelectorAll('*').length"
    before = live.evaluate(nodes)
    begin = feed.head()
    shop.write_many(1_500, 100)
    first_row(live, "item-1599")
    assert live.evaluate(nodes) == before < 2_000
    assert sum(feed.count(begin, feed.head(), streams=None).values()) == 1_500


def test_help_lists_the_keys_and_they_can_be_switched_off(live: Page) -> None:
    live.keyboard.press("?")
    help_ = live.get_by_role("dialog")
    expect(help_).to_contain_text("Pause or resume")
    help_.get_by_label("Use single-key shortcuts").uncheck()
    help_.get_by_role("button", name="Close").click()
    live.keyboard.press("p")
    is_in_state(live, "Following")
    live.reload()
    live.keyboard.press("p")
    is_in_state(live, "Following")


def test_two_keys_lead_to_another_page(live: Page) -> None:
    live.keyboard.press("g")
    live.keyboard.press("o")
    live.wait_for_url(re.compile(r"/$"))
