"""The live page's drawer, menus and columns, by mouse and by keyboard alone."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Locator, Page, expect

from conftest import wait_for
from dashboard.tests.feed_page_server import is_in_state, rows
from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.seeding import Shop, order, text
from streams.models import SavedView

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]


@pytest.fixture
def live(page: Page, shop: Shop) -> Page:
    """The live page, following, with the items 0, 1, 2; the last is on top."""
    return ready(page, shop)


def ready(page: Page, shop: Shop, path: str = "/live") -> Page:
    shop.write_many(3)
    page.goto(path)
    is_in_state(page, "Following")
    return page


def drawer(page: Page) -> Locator:
    return page.locator("#drawer")


def shows(page: Page, key: str) -> None:
    expect(drawer(page).locator("article.change")).to_contain_text(key)


def row_of(page: Page, key: str) -> Locator:
    return page.locator(".row:not([hidden]):not(.marker)", has_text=key)


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_pause_pick_a_row_open_the_diff_and_the_history(live: Page, shop: Shop) -> None:
    """By keyboard alone."""
    press = live.keyboard.press
    press("p")
    is_in_state(live, "Paused")
    press("j")
    press("j")
    press("Enter")
    shows(live, "item-1")
    expect(live.locator("#drawer-title")).to_be_focused()
    expect(row_of(live, "item-1")).to_have_class(re.compile("selected"))
    press("]")
    shows(live, "item-0")
    press("[")
    press("k")
    shows(live, "item-2")
    press("k")
    expect(live.locator("#polite")).to_have_text("This is the newest change in the list")
    press("Escape")
    expect(drawer(live)).to_be_hidden()
    expect(row_of(live, "item-2").locator(".c-key a")).to_be_focused()
    press("o")
    shows(live, "item-2")
    press("h")
    live.wait_for_url("**/items/orders/*")


def test_the_drawer_has_an_address_and_back_closes_it(live: Page, shop: Shop) -> None:
    row_of(live, "item-1").locator(".c-key a").click()
    shows(live, "item-1")
    is_in_state(live, "Held")
    drawer(live).get_by_role("button", name="Older").click()
    shows(live, "item-0")
    [selected] = query(live)["sel"]
    live.go_back()
    expect(drawer(live)).to_be_hidden()
    assert live.url.endswith("/live")
    live.goto(f"/live?sel={selected}")
    shows(live, "item-0")
    drawer(live).get_by_role("button", name="Close").click()
    expect(drawer(live)).to_be_hidden()
    assert live.url.endswith("/live")


def test_nothing_moves_while_the_drawer_is_open(live: Page, shop: Shop) -> None:
    row_of(live, "item-1").locator(".c-key a").click()
    shows(live, "item-1")
    before = rows(live)
    shop.write_many(4, 100)
    expect(live.locator("#new")).to_have_text("4 new")
    assert rows(live) == before
    live.keyboard.press("Escape")
    live.keyboard.press("f")
    expect(row_of(live, "item-103")).to_be_visible()


def test_with_ctrl_the_change_opens_as_a_page(live: Page) -> None:
    with live.context.expect_page() as opened:
        row_of(live, "item-1").locator(".c-key a").click(modifiers=["Control"])
    opened.value.wait_for_url("**/changes/*")
    expect(drawer(live)).to_be_hidden()


def test_a_change_that_is_gone_is_said(live: Page, open_context: Any) -> None:
    live.goto("/live?sel=999999-1")
    expect(drawer(live)).to_contain_text("it is not stored, or no longer")
    open_context.wrong.clear()  # the browser logs the 404


@pytest.mark.parametrize("width", [1280, 390])
def test_the_drawer_and_the_layers_are_accessible(
    open_context: Open, alice: User, shop: Shop, width: int
) -> None:
    size = {"width": width, "height": 800}
    page = ready(open_context(alice, viewport=size).new_page(), shop)

    look = check if width == 1280 else check_but_colours
    page.get_by_text("More", exact=True).click()
    look(page)
    page.keyboard.press("Escape")
    page.locator("#open-columns").click()
    look(page)
    page.keyboard.press("Escape")
    row_of(page, "item-1").locator(".c-key a").click()
    shows(page, "item-1")
    look(page)
    page.keyboard.press("=")
    expect(page.locator("#values")).to_be_visible()
    look(page)


def test_filter_for_a_value_and_exclude_it(live: Page, shop: Shop) -> None:
    shop.modify("odd", order("new"), order('a "b" \\ c'))
    row_of(live, "odd").locator(".new").first.click()
    menu = live.locator("#values")
    menu.get_by_role("link", name="Filter for").click()
    expect(live.locator("#hidden")).to_be_hidden()
    wait_for(lambda: rows(live) == ["odd"], what="only the odd one")
    row_of(live, "odd").locator(".new").first.click()
    menu.get_by_role("link", name="Exclude").click()
    wait_for(lambda: rows(live) == [], what="none at all")


def test_filter_by_a_value_with_the_keyboard(live: Page, shop: Shop) -> None:
    live.keyboard.press("j")
    live.keyboard.press("=")
    menu = live.locator("#values")
    expect(menu.get_by_role("link", name='Filter for new.status:"paid"')).to_be_focused()
    item = menu.get_by_role("link", name='Filter for keys.pk:"item-2"')
    expect(menu.get_by_role("link", name="Filter for changed:status")).to_be_visible()
    expect(menu.get_by_role("link", name="Show history of item-2")).to_be_visible()
    live.keyboard.press("ArrowDown")
    expect(menu.get_by_role("link", name='Exclude new.status:"paid"')).to_be_focused()
    live.keyboard.press("Escape")
    expect(row_of(live, "item-2").locator(".c-key a")).to_be_focused()
    live.keyboard.press("=")
    item.click()
    wait_for(lambda: rows(live) == ["item-2"], what="one item's changes")


def test_a_stream_is_excluded(live: Page, shop: Shop) -> None:
    stock = Shop("stock")
    stock.insert("much", order("new"))
    expect(row_of(live, "much")).to_be_visible()
    live.keyboard.press("j")
    live.keyboard.press("x")
    live.wait_for_url("**/live?q=-stream%3Astock")
    wait_for(lambda: rows(live) == ["item-2", "item-1", "item-0"], what="the others")


def test_columns_are_chosen_ordered_and_kept(live: Page, shop: Shop) -> None:
    live.keyboard.press(".")
    picker = live.get_by_role("dialog", name="Columns")
    picker.get_by_label("Attribute").fill("status")
    picker.get_by_role("button", name="Add").click()
    expect(picker).to_contain_text("A path begins with new, old or keys")
    picker.get_by_label("Attribute").fill("new.status")
    picker.get_by_role("button", name="Add").click()
    for _ in range(8):
        picker.get_by_role("button", name="Move new.status up").click()
    for name in ("Actor", "Changed fields"):
        picker.get_by_label(name, exact=True).uncheck()
    picker.get_by_role("button", name="Show these").click()
    live.wait_for_url("**/live?cols=*")
    chosen = "new.status,time,stream,op,key,item"
    assert query(live)["cols"] == [chosen]
    is_in_state(live, "Following")
    heads = live.get_by_role("columnheader").all_inner_texts()
    assert [head.split()[0] for head in heads] == [
        "new.status", "Received", "Stream", "Operation", "Key", "Item",
    ]  # fmt: skip
    shop.insert("4711", order("packed"))
    shop.remove("4712", order("packed"))
    expect(row_of(live, "4711").locator(".c-path")).to_have_text("packed")
    expect(row_of(live, "4712").locator(".c-path")).to_have_text("–")
    expect(row_of(live, "item-1").locator(".c-path")).to_have_text("paid")
    live.goto("/live")
    live.wait_for_url("**/live?cols=*")
    live.locator("#open-columns").click()
    picker.get_by_role("button", name="Usual columns").click()
    live.wait_for_url(re.compile("/live$"))


def test_columns_are_ordered_by_dragging(live: Page) -> None:
    live.locator("#open-columns").click()
    items = live.locator("#columns li")
    items.filter(has_text="Key").locator(".grip").drag_to(
        items.first, target_position={"x": 5, "y": 3}
    )
    expect(items.first).to_contain_text("Key")


def test_terms_are_highlighted_and_hide_nothing(live: Page, shop: Shop) -> None:
    live.get_by_text("More", exact=True).click()
    live.get_by_label("Highlight").fill("item-1")
    live.locator("#highlights").get_by_role("button", name="Add").click()
    found = "[...CSS.highlights.values()].map(ranges => ranges.size)"
    wait_for(lambda: live.evaluate(found) == [1], what="one place")
    assert rows(live) == ["item-2", "item-1", "item-0"]
    assert query(live)["mark"] == ["item-1"]
    live.get_by_text("More", exact=True).click()
    live.get_by_label("Filter", exact=True).fill("op:MODIFY")
    live.keyboard.press("Escape")
    live.get_by_role("button", name="Filter", exact=True).click()
    live.wait_for_url("**/live?*q=op*")
    assert query(live)["mark"] == ["item-1"]
    wait_for(lambda: live.evaluate(found) == [1], what="the same place")
    live.get_by_text("More", exact=True).click()
    live.get_by_role("button", name="Do not highlight item-1").click()
    wait_for(lambda: live.evaluate(found) == [], what="none")


def test_a_part_of_the_strip_leads_to_search(live: Page, shop: Shop) -> None:
    strip = live.locator("#strip")
    expect(strip.get_by_role("link")).to_have_text("Search these 5 minutes")
    strip.get_by_label("From").focus()
    live.keyboard.press("PageUp")
    expect(strip.get_by_role("link")).to_have_text(re.compile(r"Search \d\d:\d\d:\d\d – \d\d:"))
    live.keyboard.press("Enter")
    live.wait_for_url("**/search?*")
    assert set(query(live)) >= {"since", "until"}
    live.goto("/live?stream=orders&q=changed:status")
    box = strip.locator("svg").bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    live.mouse.move(box["x"] + box["width"] * 0.5, y)
    live.mouse.down()
    live.mouse.move(box["x"] + box["width"] * 0.75, y)
    live.mouse.up()
    live.wait_for_url("**/search?*")
    assert query(live)["q"] == ["changed:status stream:orders"]


def test_saved_views_are_at_hand(live: Page, alice: User) -> None:
    SavedView.objects.create(name="Paid", owner=alice, query="new.status:paid", shared=True)
    live.goto("/live?q=op:MODIFY")
    live.get_by_text("Views", exact=True).click()
    expect(live.get_by_role("link", name="Save this filter")).to_have_attribute(
        "href", "/views/new?q=op%3AMODIFY"
    )
    live.get_by_role("link", name="Paid").click()
    live.wait_for_url("**/live?q=new.status%3Apaid")


def test_the_change_is_copied_as_json(open_context: Open, alice: User, shop: Shop) -> None:
    context = open_context(alice, permissions=["clipboard-read", "clipboard-write"])
    page = ready(context.new_page(), shop)
    shop.insert("4711", {"city": text("Praha")})
    expect(row_of(page, "4711")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.locator("#polite")).to_have_text("Copied")
    assert '"Praha"' in page.evaluate("navigator.clipboard.readText()")
