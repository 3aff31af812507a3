"""The overview in a real browser: accessible, by keyboard alone, and still under a reader."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from dashboard.tests.looking import check, check_but_colours
from dashboard.tests.seeding import Shop, all_well, order
from streams.models import Gap, Problem, Shard, Stream
from streams.testing.factories import make_shard, make_stream

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]


def quiet(name: str, hours: float) -> Stream:
    """A stream that was read so many hours ago."""
    stream = make_stream(name)
    at = timezone.now() - timedelta(hours=hours)
    make_shard(stream, last_read_at=at, caught_up_at=at, newest_change_at=at)
    return stream


def busy(shop: Shop) -> None:
    """Streams in many states, shards of all kinds, gaps and problems."""
    all_well()
    now = timezone.now()
    late = now - timedelta(minutes=9)
    shop.insert("1", order("new"))
    shop.write_many(20)
    shop.remove("1", order("new"))
    Shard.objects.update(last_read_at=now, caught_up_at=now)
    parent = make_shard(shop.stream, last_read_at=now, caught_up_at=now, closed=True)
    make_shard(shop.stream, parent=parent)
    make_shard(shop.stream, last_read_at=now, caught_up_at=late)
    make_shard(shop.stream, last_read_at=late, caught_up_at=late)
    paused = quiet("stock", 9)
    Stream.objects.filter(pk=paused.pk).update(paused_at=now, paused_by="alice")
    losing = quiet("sessions", 22)
    many = make_stream("many")
    for _ in range(70):
        make_shard(many, last_read_at=now, caught_up_at=now)
    Gap.objects.create(
        stream=losing, reason="trimmed", from_at=now - timedelta(days=3), to_at=now, growing=True
    )
    Problem.objects.create(
        stream=losing, fingerprint="x", kind="throttled", first_seen=now, last_seen=now
    )


def names(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        "tr[data-stream]", "rows => rows.map(row => row.dataset.stream)"
    )
    return found


@pytest.mark.parametrize("width", [320, 1280])
def test_with_data(open_context: Open, alice: User, shop: Shop, width: int) -> None:
    busy(shop)
    size = {"width": width, "height": 800}
    page = open_context(alice, viewport=size).new_page()
    look = check if width == 1280 else check_but_colours
    page.goto("/?group=state&scale=shared")
    look(page)
    page.get_by_text("1 gap of 1 stream").click()
    look(page)
    page.goto("/?filter=nothing")
    expect(page.get_by_text("No stream matches")).to_be_visible()
    look(page)


def test_without_a_stream(open_context: Open, alice: User) -> None:
    page = open_context(alice).new_page()
    page.goto("/")
    expect(page.get_by_role("link", name="Load demo data")).to_be_visible()
    check(page)
    make_stream("orders")
    expect(page.locator("tr[data-stream]")).to_be_visible(timeout=15_000)


def test_when_the_server_fails(open_context: Open, alice: User, shop: Shop) -> None:
    page = open_context(alice).new_page()
    page.goto("/")
    page.route(
        "**/overview/table?*",
        lambda route: route.fulfill(status=500, headers={"X-Request-ID": "abc123def456"}),
    )
    expect(page.locator("#stale")).to_contain_text(
        "the server could not make the page (request abc123def456)"
    )
    check(page)
    page.close()
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the 500s


def test_in_forced_colours_and_high_contrast(open_context: Open, alice: User, shop: Shop) -> None:
    busy(shop)
    page = open_context(alice, forced_colors="active", contrast="more").new_page()
    page.goto("/")
    check(page)


def test_by_keyboard_alone(page: Page, shop: Shop) -> None:
    """From the overview to the live feed of two chosen streams."""
    all_well()
    Shop("stock")
    Shop("users")
    page.goto("/?sort=name")
    page.keyboard.press("j")
    row = page.locator("tr[data-stream]")
    expect(row.nth(0)).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(row.nth(2)).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("k")
    expect(row.nth(1)).to_be_focused()
    opening = page.get_by_role("button", name=re.compile("Open live feed"))
    expect(opening).to_have_text("Open live feed (2)")
    opening.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/live?stream=orders&stream=users")
    page.go_back()
    page.keyboard.press("j")
    page.keyboard.press("l")
    page.wait_for_url("**/live?stream=orders")


def test_enter_opens_the_stream(page: Page, shop: Shop) -> None:
    page.route("**/streams/orders", lambda route: route.fulfill(body="the stream's page"))
    page.goto("/")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/streams/orders")


def test_checks_outlive_a_renewal(page: Page, shop: Shop) -> None:
    page.goto("/")
    page.get_by_label("Choose orders").check()
    page.get_by_label("Filter").focus()
    page.locator("h1").hover()
    shop.write_many(7)
    expect(page.locator(".stored")).to_have_text("7 stored")
    expect(page.get_by_label("Choose orders")).to_be_checked()


def test_frozen_numbers_stand_still(page: Page, shop: Shop) -> None:
    page.clock.install()
    page.goto("/")
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Freeze updates")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.locator("#stale")).to_contain_text("updates are frozen")
    shop.write_many(7)
    page.clock.run_for(7_000)
    expect(page.locator(".stored")).to_have_text("0 stored")
    page.get_by_role("button", name="Freeze updates").click()
    page.clock.run_for(3_000)
    expect(page.locator(".stored")).to_have_text("7 stored")
    expect(page.locator("#stale")).to_be_hidden()


def test_another_order_is_offered_and_not_forced(page: Page, shop: Shop) -> None:
    all_well()
    make_stream("users")
    page.goto("/?sort=rate")
    assert names(page) == ["orders", "users"]
    page.locator("tr[data-stream]").first.hover()
    Stream.objects.filter(name="users").delete()
    Shop("stock").write_many(500)
    resort = page.get_by_role("button", name="Re-sort")
    expect(resort).to_be_visible()
    assert names(page) == ["orders", "users"]
    resort.click()
    expect(resort).to_be_hidden()
    assert names(page) == ["stock", "orders"]


def test_choosing_changes_the_table_and_the_address(page: Page, shop: Shop) -> None:
    Shop("stock")
    page.goto("/")
    page.get_by_label("Filter").fill("sto")
    expect(page.locator("tr[data-stream]")).to_have_count(1)
    page.wait_for_url("**/?filter=sto")
    page.get_by_label("Sort").select_option("rate")
    page.wait_for_url("**/?filter=sto&sort=rate")
    page.reload()
    expect(page.get_by_label("Filter")).to_have_value("sto")
    assert names(page) == ["stock"]


def test_a_stream_is_pinned_in_place(page: Page, shop: Shop) -> None:
    Shop("stock")
    page.goto("/?sort=name")
    page.get_by_role("button", name="Pin stock to the top").click()
    expect(page.locator("tr[data-stream]").first).to_have_attribute("data-stream", "stock")
    assert page.url.endswith("/?sort=name")
