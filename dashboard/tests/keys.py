"""Handling something by keyboard alone, as quickly as a page allows."""

from playwright.sync_api import Page, expect


def say(page: Page, key: str, text: str) -> None:
    """Press the key that leads to a deed's field, type into it, and press Enter."""
    page.wait_for_load_state("load")  # keys work from then on
    page.keyboard.press(key)
    expect(page.locator("input:focus")).to_be_visible()
    page.keyboard.type(text)
    page.keyboard.press("Enter")
