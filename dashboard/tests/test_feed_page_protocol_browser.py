"""The live page against a server that this test plays: what a real one does only sometimes."""

import pytest
from playwright.sync_api import Page, expect

from dashboard.tests.feed_page_server import Server, has_rows, is_in_state, row, started
from dashboard.tests.seeding import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server(page: Page, shop: Shop) -> Server:
    return started(page)


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
    expect(marker).to_contain_text(
        "118,204 changes (12 REMOVE) not listed: they came faster than the feed can show"
    )
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
    is_in_state(page, "Catching up 0 of 4,120")
    server.send(type="batch", n=2, rows=[row("b")], behind=1_000, to="9.2")
    is_in_state(page, "Catching up 3,120 of 4,120")
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
