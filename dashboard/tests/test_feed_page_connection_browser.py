"""The live page when its connection is blocked, asleep, hidden, or its clock is wrong."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route

from conftest import wait_for
from dashboard.tests.feed_page_server import Server, has_rows, is_in_state, row, started
from dashboard.tests.seeding import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# A proxy that lets no WebSocket through: no attempt opens.
BLOCKED = """
    window.Real = window.WebSocket;
    window.WebSocket = class extends EventTarget {
        constructor() {
            super();
            this.readyState = 0;
            setTimeout(() => this.dispatchEvent(new CloseEvent('close', {code: 1006})));
        }
        close() {}
    };
    window.WebSocket.OPEN = 1;
"""


class Polled:
    """The API as the page polls it."""

    def __init__(self, page: Page) -> None:
        self.asked: list[dict[str, list[str]]] = []
        self.answers: list[dict[str, Any]] = []
        self.status = 200
        page.route("**/api/v1/changes?*", self._answer)

    def _answer(self, route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        self.asked.append(query)
        nothing = {"rows": [], "cursor": query["cursor"][0], "more": False, "hidden": 0}
        answer = self.answers.pop(0) if self.answers else nothing
        route.fulfill(status=self.status, body=json.dumps(answer))


def test_it_polls_where_no_socket_gets_through(page: Page, shop: Shop) -> None:
    polled, server = Polled(page), Server(page)
    page.add_init_script(BLOCKED)
    polled.answers = [
        {"rows": [row("one"), row("two")], "cursor": "9.2", "more": True, "hidden": 3},
        {"rows": [row("three")], "cursor": "9.3", "more": False, "hidden": 0},
    ]
    page.goto("/live?stream=orders&q=changed:status")
    is_in_state(page, "Polling (WebSocket blocked)")
    has_rows(page, "one", "two", "three")
    page.locator("#hidden", has_text="1 condition hides 3 changes").wait_for()
    wait_for(lambda: (page.title(), len(polled.asked) >= 3)[1], what="the next poll")
    asked = polled.asked[2]
    assert (asked["cursor"], asked["summary"], asked["stream"]) == (["9.3"], ["1"], ["orders"])
    assert asked["q"] == ["changed:status"]
    page.evaluate("() => { window.WebSocket = window.Real }")
    assert server.wait("sub")["cursor"] == "9.3"
    server.send(type="ready")
    server.stats()
    is_in_state(page, "Following")


def test_polling_goes_on_with_its_pause(page: Page, shop: Shop) -> None:
    page.add_init_script(BLOCKED)
    polled = Polled(page)
    page.goto("/live")
    is_in_state(page, "Polling")
    page.keyboard.press("p")
    is_in_state(page, "Paused")
    count = len(polled.asked)
    polled.answers = [{"rows": [row("later")], "cursor": "9.2", "more": False, "hidden": 0}]
    page.keyboard.press("p")
    has_rows(page, "later")
    assert len(polled.asked) > count


def test_polling_says_that_the_session_has_ended(page: Page, shop: Shop, open_context: Any) -> None:
    page.add_init_script(BLOCKED)
    polled = Polled(page)
    polled.status = 401
    page.goto("/live")
    is_in_state(page, "Signed out")
    open_context.wrong.clear()  # the browser logs the 401


def test_a_laptop_that_slept_goes_on_at_its_place(page: Page, shop: Shop) -> None:
    page.clock.install()
    server = started(page)
    server.batch(1, "before")
    has_rows(page, "before")
    page.clock.fast_forward(3_600_000)
    again = server.wait("sub", 2)
    assert (again["cursor"], again["epoch"]) == ("9.1", 2)
    server.send(type="ready")
    server.stats()
    is_in_state(page, "Following")
    server.batch(1, "after")
    has_rows(page, "before", "after")


@pytest.mark.parametrize("minutes", [-90, 90])
def test_a_clock_that_is_set_costs_nothing(page: Page, shop: Shop, minutes: int) -> None:
    page.clock.install()
    server = started(page)
    server.batch(1, "before")
    has_rows(page, "before")
    page.evaluate(
        """minutes => { const now = Date.now; Date.now = () => now() + minutes * 60000; }""",
        minutes,
    )
    page.clock.run_for(1_500)
    again = server.wait("sub", 2)
    assert again["cursor"] == "9.1"
    server.send(type="ready")
    server.batch(1, "after")
    has_rows(page, "before", "after")


def test_a_hidden_page_says_so_and_comes_back(page: Page, shop: Shop) -> None:
    server = started(page)
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange')); }"""
    page.evaluate(hide, True)
    assert server.wait("vis")["visible"] is False
    page.evaluate(hide, False)
    assert server.wait("vis", 2)["visible"] is True
    server.batch(1, "meanwhile")
    has_rows(page, "meanwhile")
