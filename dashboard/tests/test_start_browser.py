"""The start page, and pages without data, in a real browser."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect

from conftest import REGION
from dashboard.tests.looking import check
from dashboard.tests.seeding import Shop, all_well, order
from streams.testing.simulated.faults import Fault
from streams.testing.simulated.server import serving
from streams.testing.simulated.service import Service
from streams.testing.simulated.world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]


def test_pages_without_data(open_context: Open, alice: User, bob: User) -> None:
    for user in (alice, bob):
        page = open_context(user).new_page()
        for path in ("/problems", "/problems?tab=decode", "/system", "/start"):
            page.goto(path)
            check(page)


@pytest.fixture
def service() -> Iterator[tuple[Service, str]]:
    world = World()
    for name in ("orders", "stock"):
        world.create_table(name)
    service = Service(world)
    with serving(service) as url:
        yield service, url


def test_the_start_page_with_tables_and_with_errors(
    open_context: Open, alice: User, service: tuple[Service, str]
) -> None:
    simulated, url = service
    simulated.world.create_table("keys", view_type="KEYS_ONLY")
    simulated.world.disable("stock")
    page = open_context(alice).new_page()
    page.goto("/start")
    page.get_by_label("Region").fill(REGION)
    page.get_by_label("Endpoint URL").fill(url)
    page.get_by_role("button", name="Look for tables").click()
    expect(page.locator(".chip", has_text="Stream off")).to_be_visible()
    check(page)
    simulated.faults.add(Fault("denied", ("GetRecords",)))
    page.get_by_role("button", name="Watch this table: orders").click()
    expect(page.get_by_role("alert").first).to_contain_text("dynamodb:GetRecords")
    check(page)
    simulated.faults.clear()
    simulated.faults.add(Fault("denied", ("ListTables",)))
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_text("Only this list needs dynamodb:ListTables")).to_be_visible()
    check(page)
    open_context.wrong.clear()  # type: ignore[attr-defined]  # the browser logs the 400


def test_the_first_change_shows_by_itself(page: Page, shop: Shop) -> None:
    page.goto("/start")
    expect(page.get_by_text("Waiting for the first change")).to_be_visible()
    shop.insert("4711", order("new"))
    expect(page.get_by_role("link", name="The first change of orders")).to_be_visible()
    expect(page.locator("#polite")).to_have_text("First change seen: orders")


def test_the_system_page_renews_itself(page: Page, shop: Shop) -> None:
    page.goto("/system")
    expect(page.get_by_text("No poller has ever taken a seat here.")).to_be_visible()
    all_well()
    expect(page.get_by_role("rowheader", name="Seat 1")).to_be_visible(timeout=15_000)
