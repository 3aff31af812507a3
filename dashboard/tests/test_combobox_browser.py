"""Suggestions below a filter's input in a real browser, by keyboard and by pointer."""

import re

import pytest
from playwright.sync_api import Page, expect

from dashboard.tests.looking import check
from dashboard.tests.seeding import Shop, order

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_filter_is_made_of_suggestions_by_keyboard(page: Page, shop: Shop) -> None:
    shop.modify("4711", order("new"), order("paid"))
    page.goto("/search")
    page.locator("main").focus()
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Filter")
    expect(box).to_be_focused()
    page.keyboard.type("new.sta")
    options = page.get_by_role("listbox").get_by_role("option")
    expect(options).to_have_count(1)
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#polite")).to_have_text("1 suggestion, new.status first")
    page.keyboard.press("ArrowDown")
    active = box.get_attribute("aria-activedescendant")
    assert active and page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    expect(box).to_have_value("new.status:")
    # The values follow at once.
    expect(options).to_have_count(2)
    page.keyboard.type("pa")
    expect(options).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("new.status:paid")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=new.status%3Apaid*")
    expect(page.locator("#rows .row")).to_have_count(1)


def test_suggestions_close_and_are_clicked(page: Page, shop: Shop) -> None:
    shop.modify("4711", order("new"), order("paid"))
    page.goto("/search")
    box = page.get_by_label("Filter")
    box.press_sequentially("op:")
    options = page.get_by_role("option", name=re.compile("INSERT|MODIFY|REMOVE"))
    expect(options).to_have_count(3)
    check(page)
    box.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    expect(box).to_have_value("op:")
    box.press("ArrowDown")
    options.filter(has_text="REMOVE").click()
    expect(box).to_have_value("op:REMOVE")
    expect(box).to_be_focused()
    # Enter without a chosen option is the form's.
    box.press_sequentially(" ac")
    expect(page.get_by_role("listbox")).to_be_visible()
    box.fill("op:MODIFY")
    box.press("Enter")
    page.wait_for_url("**/search?q=op%3AMODIFY*")
