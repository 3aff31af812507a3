"""What a person sees: writes by plain boto3 on an open page, in the change's diff and in the
item's history, for every view type."""

import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from conftest import REGION
from streams.testing.stack import Stack

pytestmark = [pytest.mark.acceptance, pytest.mark.browser]

KEY = "<b>ORD#1</b>"
BIG = "12345678901234567890123456789012345678"


@pytest.fixture
def page(stack: Stack, chromium: Browser) -> Iterator[Page]:
    """A page of somebody who has logged in through the form."""
    context = chromium.new_context(base_url=stack.url)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    page.goto("/live")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(stack.password())
    page.keyboard.press("Enter")
    page.wait_for_url("**/live")
    yield page
    context.close()
    assert not wrong


@pytest.mark.parametrize("view_type", ["NEW_AND_OLD_IMAGES", "NEW_IMAGE", "OLD_IMAGE", "KEYS_ONLY"])
def test_a_put_an_update_and_a_delete_come_to_an_open_page(
    stack: Stack, dynamodb: Any, dynamodb_url: str, make_table: Callable[..., str],
    page: Page, view_type: str,
) -> None:  # fmt: skip
    table = make_table(view_type)
    stack.manage(
        *("add_stream", table, "--table", table, "--region", REGION),
        *("--endpoint-url", dynamodb_url),
    )
    page.goto(f"/live?stream={table}")
    expect(page.get_by_text("Following").first).to_be_visible()
    for operation, write in _writes(dynamodb, table).items():
        write()
        begun = time.monotonic()
        row = page.get_by_role("row").filter(has_text=operation).filter(has_text=KEY)
        expect(row).to_have_count(1, timeout=10_000)
        took = time.monotonic() - begun
        sys.stdout.write(f"{view_type} {operation}: on the page after {took:.2f} s\n")
    page.get_by_role("row").filter(has_text="MODIFY").get_by_role("link", name="History").click()
    expect(page.get_by_text(KEY).first).to_be_visible()
    for operation in ("INSERT", "MODIFY", "REMOVE"):
        expect(page.get_by_role("row").filter(has_text=operation)).to_have_count(1)
    page.get_by_role("row").filter(has_text="MODIFY").get_by_role("link", name="Open").click()
    _check_change(page, view_type)


def _writes(dynamodb: Any, table: str) -> dict[str, Callable[[], Any]]:
    key = {"pk": {"S": KEY}}
    return {
        "INSERT": lambda: dynamodb.put_item(
            TableName=table, Item={**key, "status": {"S": "new"}, "big": {"N": BIG}}
        ),
        "MODIFY": lambda: dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET #s = :paid",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":paid": {"S": "paid"}},
        ),
        "REMOVE": lambda: dynamodb.delete_item(TableName=table, Key=key),
    }


def _check_change(page: Page, view_type: str) -> None:
    if view_type == "KEYS_ONLY":
        expect(page.get_by_text("keys only").first).to_be_visible()
        return
    status = page.get_by_role("row").filter(has_text="status")
    expect(status).to_contain_text("new")
    expect(status).to_contain_text("paid")
    if view_type == "NEW_IMAGE":
        expect(page.get_by_text("previous stored version").first).to_be_visible()
    if view_type != "OLD_IMAGE":
        page.get_by_role("link", name="Raw", exact=True).click()
        expect(page.get_by_role("region", name="New image, typed JSON")).to_contain_text(BIG)
