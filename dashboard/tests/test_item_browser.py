"""The pages of an item in a real browser: nothing to complain about, and all of it by keyboard."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.tests.item_lives import HOUR, live
from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.seeding import Shop, order, text
from streams.models import Gap
from streams.queries.rows import StoredChange

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]


def base(shop: Shop, key: str = "4711") -> str:
    return f"/items/orders/{shop.token(key)}"


def full(shop: Shop) -> list[StoredChange]:
    """A life with a gap, a deleted period, ignored fields, nested and long values."""
    shop.stream.ignored_fields = ["seen_at"]
    shop.stream.save()
    city: dict[str, Any] = {"address": {"M": {"city": text("Brno"), "zip": text("x" * 90)}}}
    changes = live(
        shop,
        "4711",
        (50 * HOUR, order("new", "12.50", **city)),
        (30 * HOUR, order("paid", "12.50", tags={"SS": ["a", "b"]}, **city)),
        (5 * HOUR, None),
        (4 * HOUR, order("again", "13", **city, seen_at={"N": "1"})),
        (2 * HOUR, order("again", "13", **city, seen_at={"N": "2"})),
        (1 * HOUR, order("sent", "13", **city, seen_at={"N": "2"})),
    )
    begin, end = changes[0].occurred_at, changes[1].occurred_at
    Gap.objects.create(stream=shop.stream, reason="trimmed", from_at=begin, to_at=end)
    return changes


def paths(shop: Shop, changes: list[StoredChange]) -> list[str]:
    here = base(shop)
    first, last = changes[0].id, changes[-1].id
    live(shop, "one", (9, order("x")))
    shop.remove("gone", order("x"))
    return [
        *(here, f"{here}?a={first}&b={last}", f"{here}?asof=3h", f"{here}?asof=soon"),
        *(f"{here}?field=address.city", f"{here}?field=a..b", f"{here}?noise=show&at=soon"),
        *(f"{here}/blame", f"{here}/blame?path=address", f"{here}/evidence"),
        *(f"{here}/undo/{first}", f"{here}/undo/{last}", "/items", "/items?stream=orders"),
        *(base(shop, "one"), base(shop, "gone"), f"{base(shop, 'gone')}/blame"),
    ]


def test_every_page_of_an_item(open_context: Open, alice: User, shop: Shop) -> None:
    page = open_context(alice).new_page()
    for path in paths(shop, full(shop)):
        page.goto(path)
        for fold in page.locator("main details").all():
            fold.evaluate("fold => fold.open = true")
        check(page)


def test_narrow_pages(open_context: Open, alice: User, shop: Shop) -> None:
    page = open_context(alice, viewport={"width": 320, "height": 700}).new_page()
    for path in paths(shop, full(shop)):
        page.goto(path)
        check_but_colours(page)


def test_an_unknown_item_and_a_wrong_key(open_context: Open, alice: User, shop: Shop) -> None:
    full(shop)
    page = open_context(alice).new_page()
    page.goto(base(shop, "4712"))
    check(page)
    expect(page.get_by_role("link", name="4711", exact=True)).to_be_visible()
    page.goto("/items?stream=orders")
    page.get_by_text("Paste the key as JSON").click()
    page.get_by_label("Key as JSON").fill("{")
    page.get_by_role("button", name="Show its history").last.click()
    expect(page.get_by_label("Key as JSON")).to_have_accessible_description(re.compile("not JSON"))
    check(page)
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the 404 and the 400


def test_two_versions_are_chosen_by_keyboard(page: Page, shop: Shop) -> None:
    changes = full(shop)
    page.goto(base(shop))
    side = page.locator("#side")
    expect(side).to_contain_text("What this version changed")
    page.keyboard.press("j")  # onto the version that is shown
    page.keyboard.press("j")
    expect(page.locator(f'tr[data-id="{changes[3].id}"] th a')).to_be_focused()
    page.keyboard.press("b")
    expect(page.locator('tr[data-side="b"]')).to_have_attribute("data-id", changes[3].id)
    # What was focused stays so after the page has changed around it.
    expect(page.locator(f'tr[data-id="{changes[3].id}"] th a')).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("a")
    expect(side).to_contain_text("backwards")
    page.keyboard.press("s")
    expect(side).not_to_contain_text("backwards")
    expect(side).to_contain_text("A compared with B")
    assert f"a={changes[3].id}" in page.url and f"b={changes[5].id}" in page.url
    page.keyboard.press("n")
    expect(side.locator(".diff tbody tr").first).to_be_focused()
    page.go_back()
    expect(side).to_contain_text("backwards")


def test_versions_are_chosen_by_click_and_shift_click(page: Page, shop: Shop) -> None:
    changes = full(shop)
    page.goto(base(shop))
    row = page.locator(f'tr[data-id="{changes[3].id}"]')
    row.locator(".names").click()
    expect(row).to_have_attribute("data-side", "b")
    page.locator(f'tr[data-id="{changes[0].id}"] .names').click(modifiers=["Shift"])
    expect(page.locator("#side")).to_contain_text("A compared with B")
    assert f"a={changes[0].id}" in page.url and f"b={changes[3].id}" in page.url
    row.get_by_role("link", name="Open the change").click()
    page.wait_for_url(f"**/changes/{changes[3].id}")


def test_a_journey_to_a_moment_by_keyboard(page: Page, shop: Shop) -> None:
    full(shop)
    page.goto(base(shop))
    page.keyboard.press("Shift+T")
    expect(page.get_by_label("As of")).to_be_focused()
    page.keyboard.type("90m")
    page.keyboard.press("Enter")
    expect(page.locator("#side")).to_contain_text("Exact")
    expect(page.locator("#side")).to_contain_text("again")
    page.keyboard.press("d")
    expect(page.get_by_label("Jump to")).to_be_focused()
    page.keyboard.type("35h")
    page.keyboard.press("Enter")
    expect(page.locator("#timeline tr[data-id]")).to_have_count(1)
    page.keyboard.press("?")
    expect(page.locator("#page-keys")).to_contain_text("Compare from or to this version")


def test_the_map_leads_to_a_time(page: Page, shop: Shop) -> None:
    full(shop)
    page.goto(base(shop))
    box = page.locator("#life svg").bounding_box()
    assert box
    page.locator("#life svg").click(position={"x": box["width"] * 0.6, "y": 10})
    expect(page.locator("#timeline tr[data-id]")).to_have_count(2)


def test_it_works_without_scripts(open_context: Open, alice: User, shop: Shop) -> None:
    changes = full(shop)
    page = open_context(alice, java_script_enabled=False).new_page()
    page.goto("/items?stream=orders")
    page.get_by_label("pk").fill("4711")
    page.get_by_role("button", name="Show its history").first.click()
    page.locator(f'tr[data-id="{changes[0].id}"] [data-pick="a"]').click()
    expect(page.locator("#side")).to_contain_text("A compared with B")
    page.get_by_label("As of").fill("yesterday")
    page.get_by_role("button", name="Show", exact=True).first.click()
    expect(page.locator("#side-title")).to_contain_text("As of")
    page.get_by_role("link", name="Blame").click()
    expect(page.locator("h1")).to_contain_text("Blame")


def test_evidence_is_copied_and_a_file_is_whole(
    open_context: Open, alice: User, shop: Shop
) -> None:
    changes = full(shop)
    context = open_context(alice, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{base(shop)}/evidence")
    page.get_by_role("button", name="Copy evidence link").click()
    page.wait_for_function(
        "async () => (await navigator.clipboard.readText()).includes('evidence?first=')"
    )
    page.goto(base(shop))
    page.locator(".menu summary").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="All versions as NDJSON").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == len(changes) + 1 and '"complete":true' in lines[-1]
