"""The stream's page in a real browser: accessible, with a brush for pointer and keys."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Route, expect

from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.seeding import Shop, all_well, order, text
from streams.models import Batch, Edit, Gap, Problem, Shard
from streams.stages.roll_up import roll_up
from streams.testing.factories import make_shard

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]


def busy(shop: Shop) -> None:
    """An hour of changes, rolled up but for the last; shards, a gap, a problem, edits."""
    _an_hour(shop)
    now = timezone.now()
    parent = make_shard(
        shop.stream, "shardId-00000001795287600000-0a1b2c3d", closed=True, ended="read",
        ended_at=now, last_read_at=now, position="49590338271490256608559692538361571095921575989",
    )  # fmt: skip
    for letter in "ab":
        make_shard(
            shop.stream, f"shardId-0000000179530200000{letter}-99{letter}", parent=parent,
            lease_owner="host-1/poller-1", lease_expires_at=now + timedelta(hours=1),
            last_read_at=now, caught_up_at=now, throttled_at=now, throttled_percent=12,
        )  # fmt: skip
    Shard.objects.filter(pk=shop.shard.pk).update(last_read_at=now, caught_up_at=now)
    Gap.objects.create(
        stream=shop.stream, shard=parent, reason="trimmed", to_at=now - timedelta(hours=5),
        from_at=now - timedelta(hours=6),
    )  # fmt: skip
    Problem.objects.create(
        fingerprint="x", stream=shop.stream, kind="too-many-readers", first_seen=now, last_seen=now,
        sentence="Somebody else reads shard shardId-00000001795302000000a-99a too.", count=12,
    )  # fmt: skip
    Edit.objects.create(who="alice", what="stream orders", fields={"keep_days": [None, 30]})
    shop.stream.ignored_fields = ["seen"]
    shop.stream.save()


def _an_hour(shop: Shop) -> None:
    now = timezone.now()
    for minutes in range(58, 0, -1):
        rows: list[Any] = [
            (f"order-{n % 7}", "MODIFY", order("new", seen=text("a")), order("paid"))
            for n in range(minutes * 7 % 23)
        ]
        rows += [(f"new-{minutes}-{n}", "INSERT", None, order("new")) for n in range(minutes % 5)]
        rows += [(f"old-{minutes}", "REMOVE", order("paid"), None)] if minutes % 9 == 0 else []
        if not rows or 30 < minutes < 36:
            continue
        shop.write(*rows)
        at = now - timedelta(minutes=minutes)
        lag = timedelta(seconds=1 + minutes % 4 + (40 if 20 < minutes < 24 else 0))
        Batch.objects.filter(pk=Batch.objects.latest("pk").pk).update(
            stored_at=at, oldest_change_at=at - lag, newest_change_at=at - lag,
            read_at=at - timedelta(seconds=0.3),
        )  # fmt: skip
    roll_up()
    shop.modify("order-1", order("a"), order("b"))


def test_with_data(open_context: Open, alice: User, shop: Shop) -> None:
    all_well()
    busy(shop)
    size = {"width": 1280, "height": 900}
    page = open_context(alice, viewport=size).new_page()
    page.goto("/streams/orders")
    page.locator("figure .area").hover(position={"x": 300, "y": 40})
    expect(page.locator(".readout")).to_contain_text("source lag")
    check(page)
    page.locator("summary", has_text="Pause").click()
    page.locator("summary", has_text="The numbers").click()
    check(page)


def test_without_data_and_with_an_error(open_context: Open, alice: User, shop: Shop) -> None:
    page = open_context(alice).new_page()
    for path in ("/streams/orders", "/streams/orders?since=soon", "/streams/orders?range=7d"):
        page.goto(path)
        check(page)
    expect(page.get_by_text("No change was stored in this time.")).to_be_visible()


def test_narrow(open_context: Open, alice: User, shop: Shop) -> None:
    busy(shop)
    page = open_context(alice, viewport={"width": 320, "height": 844}).new_page()
    page.goto("/streams/orders")
    check_but_colours(page)
    page.locator("summary", has_text="Pause").click()
    page.locator("summary", has_text="The numbers").click()
    check_but_colours(page)


def test_in_forced_colours(open_context: Open, alice: User, shop: Shop) -> None:
    busy(shop)
    page = open_context(alice, forced_colors="active", reduced_motion="reduce").new_page()
    page.goto("/streams/orders")
    check(page)


def test_a_stretch_is_brushed_with_the_keyboard(page: Page, shop: Shop) -> None:
    busy(shop)
    page.goto("/streams/orders")
    first, last = page.get_by_role("slider").all()
    link = page.locator("[data-brush-link]")
    expect(link).to_be_hidden()
    first.focus()
    for key in ("PageUp", "PageUp", "ArrowRight"):
        page.keyboard.press(key)
    expect(first).to_have_attribute("aria-valuenow", "21")
    last.focus()
    page.keyboard.press("PageDown")
    expect(last).to_have_attribute("aria-valuenow", "50")
    expect(page.locator("#polite")).to_have_text(re.compile(r"^[\d,]+ changes chosen$"))
    since, until = (page.get_by_label(name, exact=True).input_value() for name in ("From", "To"))
    check(page)
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/search\?q=stream%3Aorders&since=.*&until="))
    assert f"since={since}&until={until}" in page.url.replace("%3A", ":")


def test_the_brush_never_closes_and_escape_lets_it_go(page: Page, shop: Shop) -> None:
    page.goto("/streams/orders")
    first, last = page.get_by_role("slider").all()
    first.press("End")
    expect(first).to_have_attribute("aria-valuenow", "59")
    last.press("Home")
    expect(last).to_have_attribute("aria-valuenow", "60")
    last.press("Escape")
    expect(first).to_have_attribute("aria-valuenow", "0")
    expect(page.locator("[data-brush-link]")).to_be_hidden()


def test_a_stretch_is_brushed_with_the_pointer(page: Page, shop: Shop) -> None:
    busy(shop)
    page.goto("/streams/orders")
    area = page.locator("figure .area")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.25 + 2, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75 - 2, box["y"] + 60, steps=4)
    page.mouse.up()
    values = [handle.get_attribute("aria-valuenow") for handle in page.get_by_role("slider").all()]
    assert values == ["15", "45"]
    expect(page.locator("[data-brush-link]")).to_be_visible()


def test_without_scripts_the_fields_do_what_the_brush_does(
    open_context: Open, alice: User, shop: Shop
) -> None:
    shop.insert("a", order("new"))
    page = open_context(alice, java_script_enabled=False).new_page()
    page.goto("/streams/orders")
    page.get_by_label("From", exact=True).fill("2h")
    page.get_by_label("To", exact=True).fill("now")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("img", name=re.compile("^Throughput: 1 changes"))).to_be_visible()
    page.get_by_role("button", name="Search these changes").click()
    page.wait_for_url(re.compile(r"/search\?q=stream%3Aorders&since=2h&until=now"))


def test_pausing_asks_first_and_can_be_done_by_keyboard(page: Page, shop: Shop) -> None:
    page.goto("/streams/orders")
    page.locator("summary", has_text="Pause").press("Enter")
    page.get_by_role("button", name="Pause reading").press("Enter")
    expect(page.get_by_text("orders is paused.")).to_be_visible()
    page.get_by_role("button", name="Resume reading").press("Enter")
    expect(page.get_by_text("orders is read again.")).to_be_visible()


def test_a_noisy_field_is_ignored_from_the_list(page: Page, shop: Shop) -> None:
    shop.modify("a", order("a", views=text("1")), order("a", views=text("2")))
    page.goto("/streams/orders")
    page.get_by_role("button", name="Ignore views", exact=True).click()
    expect(page.get_by_text("Ignored fields of orders: views.")).to_be_visible()
    page.get_by_role("button", name="Do not ignore views").click()
    expect(page.get_by_text("Ignored fields of orders: nothing.")).to_be_visible()


def test_the_state_renews_itself_and_says_when_it_does_not(
    open_context: Open, alice: User, shop: Shop
) -> None:
    context = open_context(alice)
    page = context.new_page()
    page.clock.install()
    page.goto("/streams/orders")
    shop.insert("a", order("new"))
    stored = page.locator(".tiles div", has_text="Changes stored").locator("dd")
    page.clock.run_for(6_000)
    expect(stored).to_have_text("1")

    def fail(route: Route) -> None:
        route.fulfill(status=503, body="")

    page.route("**/now", fail)
    page.clock.run_for(30_000)
    expect(page.locator("#stale")).to_contain_text("the server does not answer")
    page.close()  # or one more 503 would come after this
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs each
