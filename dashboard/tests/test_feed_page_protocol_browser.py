"""The live page against a server that this test plays: what a real one does only sometimes."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from conftest import wait_for
from dashboard.tests.seeding import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


class Server:
    """The other end of the page's socket."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.sockets: list[WebSocketRoute] = []
        self.heard: list[dict[str, Any]] = []
        page.route_web_socket("**/ws/feed", self._accept)

    def _accept(self, socket: WebSocketRoute) -> None:
        self.sockets.append(socket)
        socket.on_message(lambda text: self.heard.append(json.loads(text)))

    def send(self, **message: Any) -> None:
        self.sockets[-1].send(json.dumps({"epoch": self.epoch, **message}))

    def batch(self, n: int, *keys: str, **fields: Any) -> None:
        self.send(
            type="batch", n=n, rows=[row(key) for key in keys], behind=0, to=f"9.{n}", **fields
        )

    def stats(self, **fields: Any) -> None:
        self.send(**{"type": "stats", "unseen": 0, "rate": 0, **fields})

    def of(self, type_: str) -> list[dict[str, Any]]:
        self.page.wait_for_timeout(10)  # lets Playwright take what has come
        return [message for message in self.heard if message["type"] == type_]

    def wait(self, type_: str, count: int = 1) -> dict[str, Any]:
        wait_for(lambda: len(self.of(type_)) >= count, what=f"{count} {type_}")
        return self.of(type_)[-1]

    @property
    def epoch(self) -> int:
        begun = [m["epoch"] for m in self.heard if m["type"] in ("sub", "resume")]
        return int(begun[-1])


def row(key: str) -> list[Any]:
    time = "2026-11-21T10:02:03.250Z"
    return ["9.1", "1-1", time, time, "orders", "MODIFY", key, "e30", [["a", "1", "2"]], 0, False]


@pytest.fixture
def server(page: Page, shop: Shop) -> Server:
    server = Server(page)
    page.goto("/live")
    server.wait("sub")
    server.send(type="ready")
    server.stats()
    is_in_state(page, "Following")
    return server


def is_in_state(page: Page, text: str | Any) -> None:
    expect(page.locator("#pill")).to_contain_text(text)


def has_rows(page: Page, *keys: str) -> None:
    for key in keys:
        expect(page.locator(".row:not([hidden])", has_text=key)).to_have_count(1)


def test_it_acknowledges_after_painting(page: Page, server: Server) -> None:
    server.batch(1, "first")
    assert server.wait("ack")["n"] == 1
    has_rows(page, "first")


def test_it_drops_frames_of_an_older_epoch(page: Page, server: Server) -> None:
    server.batch(1, "late", epoch=0)
    server.batch(1, "current")
    has_rows(page, "current")
    expect(page.locator(".row:not([hidden])", has_text="late")).to_have_count(0)


def test_it_ignores_frames_of_a_later_invention(page: Page, server: Server) -> None:
    server.send(type="confetti")
    server.batch(1, "after")
    has_rows(page, "after")


def test_it_asks_again_when_a_frame_is_missing(page: Page, server: Server) -> None:
    server.batch(1, "first")
    server.batch(3, "third")
    again = server.wait("sub", 2)
    assert again["cursor"] == "9.1"
    expect(page.locator(".row:not([hidden])", has_text="third")).to_have_count(0)


def test_it_counts_what_is_left_out(page: Page, server: Server) -> None:
    server.send(
        type="gap", n=1, to="9.9", count=118_204, operations={"REMOVE": 12}, reason="rate",
        url="/live?after=1.0&upto=9.9",
    )  # fmt: skip
    marker = page.locator(".row.marker:not([hidden])")
    expect(marker).to_contain_text("118,204 changes (12 REMOVE) came faster than the feed can show")
    expect(marker.get_by_role("link")).to_have_attribute("href", "/live?after=1.0&upto=9.9")


def test_what_comes_while_pausing_is_asked_for_again(page: Page, server: Server) -> None:
    server.batch(1, "first")
    has_rows(page, "first")
    page.get_by_role("button", name="Pause").click()
    server.wait("pause")
    server.batch(2, "on its way")
    server.stats(unseen=1)
    expect(page.locator("#new")).to_have_text("1 new")
    page.get_by_role("button", name="Resume").click()
    assert server.wait("resume")["cursor"] == "9.1"


def test_it_says_how_far_it_is_behind(page: Page, server: Server) -> None:
    server.send(type="batch", n=1, rows=[row("a")], behind=4_120, to="9.1")
    is_in_state(page, "Catching up 4,120")
    server.stats(unseen=0)
    is_in_state(page, "Following")


def test_it_comes_back_by_itself_and_at_once_if_asked(page: Page, server: Server) -> None:
    server.batch(1, "first")
    has_rows(page, "first")
    server.sockets[-1].close(code=1012)
    is_in_state(page, "Reconnecting in")
    page.get_by_role("button", name="Now").click()
    again = server.wait("sub", 2)
    assert again["cursor"] == "9.1" and again["epoch"] == 2
    has_rows(page, "first")


def test_it_says_that_the_session_has_ended(page: Page, server: Server) -> None:
    server.sockets[-1].close(code=4401)
    is_in_state(page, "Signed out")
    expect(page.locator("#assertive")).to_contain_text("signed out")
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/live")  # Alice is still logged in: the log-in leads straight back


@pytest.mark.parametrize(("code", "said"), [(4403, "No access"), (4429, "Too many open tabs")])
def test_it_does_not_try_again_what_was_refused(
    page: Page, server: Server, code: int, said: str
) -> None:
    server.sockets[-1].close(code=code)
    is_in_state(page, said)
    assert len(server.of("sub")) == 1


def test_a_silent_connection_is_given_up(page: Page, shop: Shop) -> None:
    page.clock.install()
    server = Server(page)
    page.goto("/live")
    server.wait("sub")
    server.send(type="ready")
    page.clock.run_for(11_000)
    is_in_state(page, "Reconnecting")


def test_it_says_that_the_store_does_not_answer(page: Page, server: Server) -> None:
    server.stats(late="The store has not answered for 7 s; changes will follow.")
    is_in_state(page, "Late")
    expect(page.locator("#late")).to_contain_text("has not answered for 7 s")


def test_a_list_held_for_long_is_paused_on_the_server(page: Page, server: Server) -> None:
    server.batch(1, *[f"row{n}" for n in range(60)])
    has_rows(page, "row59")
    page.locator(".feed-list").evaluate("list => { list.scrollTop = 400 }")
    is_in_state(page, "Held")
    for n in range(2, 28):
        server.batch(n, *[f"more{n}-{m}" for m in range(100)])
    server.stats()
    server.wait("pause")
    is_in_state(page, "Held")
    page.get_by_role("button", name="Follow").click()
    assert server.wait("resume")["cursor"] == "9.27"


def test_at_a_high_rate_the_list_is_painted_twice_a_second(page: Page, server: Server) -> None:
    server.stats(rate=2_000)
    page.evaluate(
        """() => { window.paints = 0;
        new MutationObserver(() => { window.paints += 1 })
            .observe(document.querySelector('.sizer'), {attributeFilter: ['style']}); }"""
    )
    for n in range(1, 5):
        server.batch(n, *[f"row{n}-{m}" for m in range(125)])
    server.wait("ack")
    assert server.wait("ack")["n"] == 4
    assert page.evaluate("window.paints") <= 2


def test_a_hidden_page_says_so(page: Page, server: Server) -> None:
    page.evaluate(
        """() => { Object.defineProperty(document, 'hidden', {value: true});
        document.dispatchEvent(new Event('visibilitychange')); }"""
    )
    assert server.wait("vis")["visible"] is False
