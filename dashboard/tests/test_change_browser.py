"""The change in a real browser: nothing to complain about, by keyboard alone, fluent with the
largest and strangest items, and as a part of another page."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.odd_items import deep, large, strange, wide
from dashboard.tests.seeding import Shop, order, text

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]
TABS = ["changed", "all", "sides", "raw"]
MOST_TRANSFER = 300_000
NOTE = "The customer asked for the parcel to be left with the neighbour at number 12."

# Puts a change into the page as the feed's drawer does.
INTO_DRAWER = """async ([id, width]) => {
  const part = await fetch(`/changes/${id}`, { headers: { "HX-Request": "true" } });
  const html = new DOMParser().parseFromString(await part.text(), "text/html");
  const drawer = document.createElement("aside");
  drawer.id = "drawer";
  drawer.setAttribute("aria-label", "Change");
  drawer.style.maxWidth = `${width}px`;
  drawer.append(html.querySelector(".change"));
  document.querySelector("main").replaceChildren(drawer);
  const { startChange } = await import(document.querySelector("script[src*=change]").src);
  startChange(drawer.firstElementChild);
}"""


def rich(shop: Shop) -> str:
    """A change with a difference of every kind."""
    shop.stream.ignored_fields = ["etag"]
    shop.stream.save()
    old = order("new", "1042.50", note=text(NOTE), tags={"SS": ["a", "b"]}, gone=text("x"))
    old |= {"zip": {"N": "60200"}, "weight": {"N": "1.0"}, "etag": text("1"), "same": text("s")}
    old |= {
        "at": {"N": "1700000000"},
        "photo": {"B": "AAEC"},
        "empty": text(""),
        "in": deep(4, text("l")),
    }
    new = order("paid", "1099.00", note=text(NOTE.replace("12", "14")), tags={"SS": ["b", "c"]})
    new |= {"zip": text("60200"), "weight": {"N": "1"}, "etag": text("2"), "same": text("s")}
    new |= {
        "at": {"N": "1700003600"},
        "photo": {"B": "AAED"},
        "empty": {"NULL": True},
        "in": deep(4, text("r")),
    }
    shop.insert("4711", old)
    change = shop.modify("4711", old, new)
    shop.remove("4711", new)
    return change.id


def test_nothing_to_complain_about(open_context: Open, alice: User, shop: Shop) -> None:
    change = rich(shop)
    page = open_context(alice).new_page()
    for tab in TABS:
        page.goto(f"/changes/{change}?tab={tab}")
        page.locator(".copies summary").click()
        if tab != "raw":
            page.get_by_role("button", name="Expand all").click()
        check(page)
    page.goto("/changes/1-1")
    expect(page.locator("h1")).to_contain_text("There is no change")
    check(page)
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the 404


def test_it_fits_a_narrow_window(open_context: Open, alice: User, shop: Shop) -> None:
    change = rich(shop)
    page = open_context(alice, viewport={"width": 320, "height": 800}).new_page()
    for tab in TABS:
        page.goto(f"/changes/{change}?tab={tab}")
        check_but_colours(page)


def test_by_keyboard_alone(page: Page, shop: Shop) -> None:
    change = rich(shop)
    page.goto(f"/changes/{change}")
    panel = page.locator("[data-panel]")
    page.keyboard.press("n")
    expect(page.locator("tr:focus .path")).to_contain_text("status")
    page.keyboard.press("n")
    expect(page.locator("tr:focus .path")).to_contain_text("total")
    page.keyboard.press("Shift+N")
    page.keyboard.press("Shift+N")
    expect(page.locator("tr:focus .path")).to_contain_text("etag")  # in the ignored fields
    expect(page.locator(".ignored")).to_have_attribute("open", "")
    for key, tab in zip("2341", ["all", "sides", "raw", "changed"], strict=True):
        page.keyboard.press(key)
        expect(panel).to_have_attribute("data-panel", tab)
    assert page.url.endswith(f"/changes/{change}")
    page.keyboard.press("2")
    expect(panel).to_have_attribute("data-panel", "all")
    assert page.url.endswith("?tab=all")
    folded = page.locator("details.equal").first
    expect(folded).not_to_have_attribute("open", "")
    page.keyboard.press("e")
    expect(folded).to_have_attribute("open", "")
    page.keyboard.press("[")
    expect(page.locator("h1")).to_contain_text("INSERT")
    page.keyboard.press("]")
    expect(page.locator("h1")).to_contain_text("MODIFY")
    page.keyboard.press("]")
    expect(page.locator("h1")).to_contain_text("REMOVE")
    page.keyboard.press("h")
    page.wait_for_url("**/items/orders/*")


def test_the_keys_are_in_the_help_and_do_not_type(page: Page, shop: Shop) -> None:
    page.goto(f"/changes/{rich(shop)}")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_contain_text("Next or previous changed field")
    page.keyboard.press("Escape")
    page.get_by_label("Paths with").fill("tot")
    page.get_by_label("Paths with").press("2")
    expect(page.locator("[data-panel]")).to_have_attribute("data-panel", "changed")


def test_the_filter_shows_the_paths_that_have_the_text(page: Page, shop: Shop) -> None:
    page.goto(f"/changes/{rich(shop)}")
    page.get_by_label("Paths with").fill("TAG")
    rows = page.locator("[data-panel] tr[data-kind]:visible")
    expect(rows).to_have_count(2)  # tags and, in the ignored fields, etag
    expect(page.locator("#polite")).to_have_text("2 of 12 fields")
    page.get_by_role("link", name="All fields").click()
    expect(page.locator("[data-panel]")).to_have_attribute("data-panel", "all")
    expect(page.get_by_label("Paths with")).to_have_value("TAG")
    page.get_by_label("Paths with").fill("in[1].in")
    expect(page.locator(".leaf:visible")).to_have_count(2)


@pytest.mark.parametrize("tab", TABS)
def test_without_scripts_everything_is_there(
    open_context: Open, alice: User, shop: Shop, tab: str
) -> None:
    change = rich(shop)
    page = open_context(alice, java_script_enabled=False).new_page()
    page.goto(f"/changes/{change}")
    page.locator(f'.tabs a[href$="{tab}"], .tabs a[aria-current]').last.click()
    expect(page.locator("[data-panel]")).to_contain_text("1099.00")
    page.locator(".copies summary").click()
    python = page.get_by_role("link", name="New image as Python").get_attribute("href")
    assert "Decimal('1099.00')" in page.request.get(str(python)).text()


def test_what_is_copied(open_context: Open, alice: User, shop: Shop) -> None:
    context = open_context(alice, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"/changes/{rich(shop)}")
    page.locator(".copies summary").click()

    def copied(name: str) -> Any:
        link = page.get_by_role("link", name=name, exact=True)
        link.click()
        expect(link).to_contain_text("Copied")
        return page.evaluate("navigator.clipboard.readText()")

    assert json.loads(copied("New image as DynamoDB JSON"))["total"] == {"N": "1099.00"}
    assert '"total": 1042.50' in copied("Old image as Plain JSON")
    assert copied("Key as Python") == "item = {\n  'pk': '4711'\n}\n"
    page.get_by_role("link", name="Raw").click()
    page.get_by_role("button", name="Copy", exact=True).last.click()
    expect(page.locator("#polite")).to_have_text("Copied")
    assert '"total": {"N": "1099.00"}' in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Copy link").click()
    wait = "async () => (await navigator.clipboard.readText()).endsWith('?tab=raw')"
    page.wait_for_function(wait)


def test_only_this_fields_history(page: Page, shop: Shop) -> None:
    page.goto(f"/changes/{rich(shop)}")
    page.get_by_role("button", name="History of total").click()
    page.wait_for_url("**/items/orders/*?field=total")


@pytest.mark.parametrize("width", [420, 900])
def test_as_a_part_of_another_page(page: Page, shop: Shop, width: int) -> None:
    """Nothing of it may touch the other page's address, and its keys end with it."""
    change = rich(shop)
    page.goto(f"/changes/{shop.insert('other', order('new')).id}")
    address = page.url
    page.evaluate(INTO_DRAWER, [change, width])
    part = page.locator("#drawer .change")
    expect(part.locator("h2").first).to_contain_text("4711")
    check(page)
    assert not part.evaluate("part => part.scrollWidth > part.clientWidth")
    page.keyboard.press("3")
    expect(part.locator("[data-panel]")).to_have_attribute("data-panel", "sides")
    page.keyboard.press("[")
    expect(part.locator("h2").first).to_contain_text("MODIFY")
    assert page.url == address
    part.evaluate("part => part.remove()")
    page.keyboard.press("3")
    assert page.url == address


ODD: dict[str, tuple[Any, Any]] = {
    "large": (large("ham"), large("spam")),
    "wide": (wide(1_000, "old"), wide(1_000, "new")),
    "deep": ({"a": deep(35, text("left"))}, {"a": deep(35, text("right"))}),
    "strange": (strange("old"), strange("new")),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_items_are_text_and_fluent(page: Page, shop: Shop, name: str) -> None:
    """Of a fresh page less than 300 KB are transferred, and no tab holds the browser up."""
    change = shop.modify("<b>\u202ekey</b>\x01", *ODD[name])
    page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.goto(f"/changes/{change.id}")
    sizes = """() => ["navigation", "resource"]
        .flatMap((type) => performance.getEntriesByType(type))
        .reduce((sum, entry) => sum + entry.transferSize, 0)"""
    assert 0 < page.evaluate(sizes) < MOST_TRANSFER
    assert (
        "broken" not in page.title()
        and page.locator("main script, main img, main b b").count() == 0
    )
    for tab in TABS:
        page.goto(f"/changes/{change.id}?tab={tab}")
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert page.locator("main *").count() < 12_000
    if name == "strange":
        page.goto(f"/changes/{change.id}")
        check(page)


def test_full_values_are_loaded_on_demand(page: Page, shop: Shop) -> None:
    change = shop.modify("4711", large("ham"), large("spam"))
    page.goto(f"/changes/{change.id}")
    expect(page.locator(".large")).to_contain_text("Load full values")
    rows = page.locator("[data-panel] tr[data-kind]")
    some = rows.count()
    with page.expect_response("**full=1", timeout=60_000):
        page.get_by_role("link", name="Load full values").first.click()
    expect(page.locator(".large")).to_have_count(0, timeout=30_000)
    assert rows.count() > some
    assert page.url.endswith("full=1")
