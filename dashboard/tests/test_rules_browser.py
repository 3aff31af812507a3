"""The builder of rules in a real browser: the preview follows the edits, rows and text are two
sides of one filter, and everything can be done by keyboard."""

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Dialog, Page, expect

from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.seeding import Shop, order
from streams import rulebook
from streams.models import Destination, Rule

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]


def busy(shop: Shop) -> Rule:
    """A rule with two versions, and changes that it matches."""
    Destination.objects.create(name="On call", kind="email")
    for number in range(3):
        shop.remove(f"item-{number}", order("new"))
    shop.modify("4711", order("new"), order("paid"))
    content = {"name": "Deleted orders", "query": "op:REMOVE", "group_by": ["item"]}
    rule = rulebook.save({**content, "destinations": ["On call"]}, "anna", "At first")
    return rulebook.save({"severity": "critical"}, "anna", "It is urgent", rule=rule)


@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_are_accessible(open_context: Open, alice: User, shop: Shop, width: int) -> None:
    look = check if width == 1280 else check_but_colours
    rule, page = (
        busy(shop),
        open_context(alice, viewport={"width": width, "height": 800}).new_page(),
    )
    page.goto("/rules")
    expect(page.get_by_role("link", name="Deleted orders", exact=True)).to_be_visible()
    look(page)
    page.goto(f"/rules/{rule.pk}")
    expect(page.locator(".verdict")).to_contain_text("Would have fired 3 times")
    page.get_by_role("button", name="As rows").click()
    expect(page.locator("[data-filter-row]")).to_have_count(1)
    page.get_by_label("Change id").fill("1-1")
    page.get_by_role("button", name="Explain", exact=True).click()
    expect(page.locator("#explained")).to_contain_text("There is no change")
    look(page)
    page.goto(f"/rules/{rule.pk}/history")
    expect(page.get_by_role("heading", name="Version 2")).to_be_visible()
    look(page)


def test_the_preview_follows_the_edits(page: Page, shop: Shop) -> None:
    rule = busy(shop)
    page.goto(f"/rules/{rule.pk}")
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("Would have fired 3 times")
    query = page.get_by_role("combobox", name="Filter")
    query.fill("op:MODIFY")
    expect(page.locator(".against")).to_have_text(
        "The saved version: 3 → 1 alert with these edits."
    )
    query.fill("tabel:orders")
    expect(verdict).to_contain_text("Invalid")
    expect(query).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#id_query_error")).to_contain_text("did you mean `table`")
    query.fill("new.statsu:paid")
    expect(verdict).to_contain_text("Did you mean `status`?")
    expect(query).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("A count in a window").check()
    page.get_by_label("At least so many").fill("3")
    query.fill("op:REMOVE")
    page.get_by_label("One alert for each").fill("")
    expect(verdict).to_contain_text("Would have fired 1 time")
    page.locator(".past-list").last.get_by_role("button", name="Explain").first.click()
    expect(page.locator("#explained")).to_contain_text("Matches")


def test_a_preview_can_be_cancelled(page: Page, shop: Shop) -> None:
    rule = busy(shop)
    page.goto(f"/rules/{rule.pk}")
    expect(page.locator(".verdict")).to_be_visible()
    page.route("**/rules/preview", lambda route: None)  # never answered
    page.get_by_role("button", name="Preview", exact=True).last.click()
    expect(page.locator("#preview")).to_have_attribute("aria-busy", "true")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#preview")).not_to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(page.locator(".verdict")).to_contain_text("Would have fired 3 times")


def test_a_rule_is_made_by_rows_and_keyboard(page: Page, shop: Shop) -> None:
    busy(shop)
    page.goto("/rules/new")
    page.get_by_label("Name").fill("Paid")
    page.get_by_role("button", name="As rows").click()
    field = page.get_by_role("combobox", name="Field, row 1")
    expect(field).to_be_focused()
    page.keyboard.type("new.sta")
    options = page.get_by_role("listbox").get_by_role("option")
    expect(options).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value("new.status")
    value = page.get_by_role("combobox", name="Value, row 1")
    value.press_sequentially("pa")
    expect(options).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(value).to_have_value("paid")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".verdict")).to_contain_text("Would have fired 1 time")
    page.get_by_role("button", name="As text").click()
    expect(page.get_by_role("combobox", name="Filter")).to_have_value("new.status:paid")
    page.get_by_role("textbox", name="Comment").fill("We want to know")
    page.keyboard.press("Control+s")
    page.wait_for_url(re.compile(r"/rules/\d+$"))
    assert Rule.objects.get(name="Paid").query == "new.status:paid"


def test_leaving_asks_when_something_was_changed(page: Page, shop: Shop) -> None:
    rule = busy(shop)
    page.goto(f"/rules/{rule.pk}")
    expect(page.locator(".verdict")).to_be_visible()
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        if dialog.type == "confirm":
            dialog.dismiss()
        else:
            dialog.accept()

    page.on("dialog", answer)
    page.get_by_label("Owner").fill("ops")
    page.keyboard.press("Escape")
    assert asked == ["confirm"] and page.url.endswith(f"/rules/{rule.pk}")
    page.reload()
    assert asked == ["confirm", "beforeunload"]


def test_it_works_without_scripts(open_context: Open, alice: User, shop: Shop) -> None:
    rule = busy(shop)
    page = open_context(alice, java_script_enabled=False).new_page()
    page.goto(f"/rules/{rule.pk}")
    page.get_by_label("A count in a window").check()
    expect(page.get_by_label("At least so many")).to_be_visible()
    expect(page.get_by_label("No change for")).to_be_hidden()
    page.get_by_label("At least so many").fill("1")
    page.get_by_role("button", name="Preview").last.click()
    expect(page.locator(".verdict")).to_contain_text("Would have fired 3 times")
    page.get_by_role("textbox", name="Comment").fill("One is enough")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved as version 3")
