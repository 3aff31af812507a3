"""Problems in a real browser: accessible in every state, and by keyboard alone."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.tests.keys import say
from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.seeding import Shop, all_well, order
from streams.models import Gap, PoisonRecord, Problem
from streams.stages.handle import acknowledge, ignore, resolve_by_hand
from streams.stages.report import report
from streams.stages.store import Poison
from streams.stages.watch import watch
from streams.tests.integration.storing import store_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]
DENIED = (
    "GetRecords on table orders in eu-central-1: AccessDeniedException. User: arn:aws:iam::1234"
    "56789012:user/reader is not authorized to perform: dynamodb:GetRecords on resource: arn:aws:"
    "dynamodb:eu-central-1:123456789012:table/orders/stream/2026-11-21 because no policy allows it"
)
BROKEN = b'{"eventID": "1", "eventName": "UPSERT", "dynamodb": {"Keys": {"pk": {"S": "4711"}}}}'


def troubled(shop: Shop) -> dict[str, int]:
    """Problems in every state; the address of each page that they make."""
    stream, shard = shop.stream, shop.shard
    shop.insert("4710", order("new"))
    store_in(shard, poison=[Poison(str(n).zfill(21), BROKEN, "no such operation") for n in (7, 8)])
    ids = {
        "denied": report("access-denied", DENIED, "Allow dynamodb:GetRecords.", stream=stream),
        "throttled": report("throttled", "Too many calls.", stream=stream, about=shard.name),
        "trimmed": report("trimmed", "Deleted unread. " * 20, stream=stream, about=shard.name),
        "lost": report("shard-lost", "A shard was gone.", stream=stream, about="shardId-" * 12),
        "replaced": report("stream-replaced", "Replaced.", stream=stream, about="arn:1"),
        "poison": PoisonRecord.objects.all()[0].problem_id,
    }
    type(shard).objects.update(throttled_at=timezone.now(), throttled_percent=40)
    begun = timezone.now() - timedelta(hours=1)
    Gap.objects.create(
        stream=stream, shard=shard, reason="trimmed", from_at=begun, to_at=timezone.now()
    )
    acknowledge([ids["throttled"]], "alice", "Finding the second reader")
    resolve_by_hand([ids["lost"]], "alice", "Known outage")
    report("shard-lost", "A shard was gone.", stream=stream, about="shardId-" * 12)
    ignore([ids["replaced"]], "alice", span=timedelta(days=1))
    return ids


@pytest.mark.parametrize("width", [320, 1280])
def test_pages_with_data(open_context: Open, alice: User, shop: Shop, width: int) -> None:
    size = {"width": width, "height": 700}
    look = check if width == 1280 else check_but_colours
    ids, page = troubled(shop), open_context(alice, viewport=size).new_page()
    all_well()
    watch()
    for path in (
        *("/problems", "/problems?state=all&tab=ingest", "/system"),
        *(f"/problems/{number}" for number in ids.values()),
        f"/problems/{ids['poison']}/retry",
    ):
        page.goto(path)
        look(page)


def test_a_record_that_cannot_be_skipped_yet(page: Page, shop: Shop, open_context: Open) -> None:
    number = troubled(shop)["poison"]
    page.goto(f"/problems/{number}")
    field = page.get_by_label("Why it may be lost").first
    field.fill("   ")
    page.get_by_role("button", name=re.compile("^Skip")).first.click()
    expect(page.locator(".record").get_by_role("alert")).to_contain_text("say why")
    expect(page.get_by_label("Why it may be lost").first).to_have_accessible_description(
        re.compile("say why")
    )
    check(page)
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the 400


def test_by_keyboard_from_the_list_to_the_gap(page: Page, shop: Shop) -> None:
    """Open a problem, acknowledge it with a note, skip its record with a reason, see the gap."""
    store_in(shop.shard, poison=[Poison("7".zfill(21), BROKEN, "no such operation")])
    page.goto("/problems")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Records that cannot be read")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Records that cannot be read")
    say(page, "a", "I look after it")
    expect(page.locator(".timeline")).to_contain_text("I look after it")
    expect(page.get_by_role("status").first).to_contain_text("Acknowledged: 1.")
    page.keyboard.press("j")
    expect(page.locator(".record summary").first).to_be_focused()
    reason = page.get_by_label("Why it may be lost")
    for _ in range(10):
        if reason.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(reason).to_be_focused()
    page.keyboard.type("A test record")
    page.keyboard.press("Enter")
    gaps = page.get_by_role("region", name="Gaps")
    expect(gaps).to_contain_text("An operator skipped a record that could not be read: A test")
    expect(page.locator(".page-head")).to_contain_text("Resolved")
    assert Gap.objects.get().note == "A test record"
    page.keyboard.press("u")
    expect(page.get_by_text("Nobody looks for problems")).to_be_visible()


def test_many_are_acknowledged_by_keyboard(page: Page, shop: Shop) -> None:
    for number in range(4):
        report("trimmed", f"Number {number}.", stream=shop.stream, about=str(number))
    page.goto("/problems")
    for key in ("j", "x", "j", "j", "X"):
        page.keyboard.press(key)
    say(page, "a", "One outage")
    expect(page.get_by_role("status").first).to_contain_text("Acknowledged: 3.")
    assert Problem.objects.filter(acknowledged_at__isnull=False, assignee="alice").count() == 3
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Acknowledge the chosen ones")


def test_resolving_by_keyboard_means_the_row_one_stands_on(page: Page, shop: Shop) -> None:
    report("trimmed", "Number 1.", stream=shop.stream)
    page.goto("/problems")
    page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Resolved: 1.")
