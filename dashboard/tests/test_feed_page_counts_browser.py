"""The live page leaves nothing out silently: samples, jumps, gaps, and what is hidden."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.tests.feed_page_server import Server, has_rows, is_in_state, row, started
from dashboard.tests.seeding import Shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server(page: Page, shop: Shop) -> Server:
    return started(page)


def markers(page: Page) -> Locator:
    return page.locator(".row.marker:not([hidden])")


def sample(server: Server, n: int, *keys: str, left_out: int = 375) -> None:
    """A batch that lists some of the changes between its cursors."""
    rows = [row(key) for key in keys]
    cursors = {"from": f"9.{n - 1}", "to": f"9.{n}"}
    server.send(type="batch", n=n, rows=rows, behind=0, sampled=left_out, **cursors)


def test_a_sampled_stretch_is_one_growing_marker(page: Page, server: Server) -> None:
    for n in range(1, 5):
        sample(server, n, f"row{n}")
    expect(markers(page)).to_contain_text("1,500 changes not listed,")
    link = markers(page).get_by_role("link", name="Show them")
    expect(link).to_have_attribute("href", "/live?after=9.0&upto=9.4")
    has_rows(page, "row1", "row4")
    server.batch(5, "all of them")
    sample(server, 6, "row6")
    expect(markers(page)).to_have_count(2)
    expect(markers(page).filter(has_text="375 changes")).to_have_count(1)


def test_a_marker_that_is_read_stands_still(page: Page, server: Server) -> None:
    sample(server, 1, *[f"row{n}" for n in range(60)])
    has_rows(page, "row59")
    page.locator(".feed-list").evaluate("list => { list.scrollTop = 60 }")
    is_in_state(page, "Held")
    sample(server, 2, "later")
    expect(page.locator("#new")).to_have_text("376 new")
    expect(markers(page)).to_contain_text("375 changes not listed")
    page.keyboard.press("f")
    expect(markers(page)).to_have_count(2)
    has_rows(page, "later")


def test_sampling_is_said_with_its_remedies(page: Page, server: Server) -> None:
    sample(server, 1, *[f"row{n}" for n in range(20)])
    server.stats(rate=2_013, rows_per_second=500)
    notice = page.locator("#sampled")
    expect(notice).to_contain_text(re.compile(r"Sampled: \d+ of 2,013/s\. Counts and search"))
    notice.get_by_role("button", name="Narrow filter").click()
    expect(page.get_by_label("Filter", exact=True)).to_be_focused()
    notice.get_by_role("button", name="Show up to 2,000/s").click()
    asked = server.wait("sub", 2)
    assert (asked["rows_per_second"], asked["cursor"]) == (2_000, "9.1")
    page.wait_for_url("**/live?rows=2000")
    server.send(type="ready")
    server.stats(rate=2_013, rows_per_second=2_000)
    expect(notice.get_by_role("button", name="Show up to 2,000/s")).to_be_hidden()
    notice.get_by_role("button", name="Pause").click()
    is_in_state(page, "Paused")


def test_a_long_backlog_is_a_choice_in_place(page: Page, server: Server) -> None:
    server.batch(1, "before")
    has_rows(page, "before")
    server.send(
        type="choice", count=118_204, operations={"REMOVE": 12}, search_url="/search?q=",
        range_url="/live?after=9.1&upto=9.9", **{"from": "9.1", "to": "9.9"},
    )  # fmt: skip
    choice = page.locator("#choice")
    expect(choice).to_contain_text("118,204 changes (12 REMOVE) happened meanwhile.")
    expect(page.locator("#polite")).to_contain_text("118,204 changes")
    is_in_state(page, "Catching up 118,204")
    server.stats(unseen=118_204, cursor="9.9")
    has_rows(page, "before")
    choice.get_by_role("button", name="Jump to now").click()
    asked = server.wait("resume")
    assert (asked["cursor"], asked["skip"]) == ("9.1", True)
    expect(choice).to_be_hidden()


def test_catching_up_can_be_cancelled_and_leaves_a_marker(page: Page, server: Server) -> None:
    server.send(type="batch", n=1, rows=[row("old")], behind=4_120, to="9.1")
    is_in_state(page, "Catching up 0 of 4,120")
    page.get_by_role("button", name="Cancel").click()
    asked = server.wait("resume")
    assert (asked["cursor"], asked["skip"]) == ("9.1", True)
    server.send(type="ready")
    server.send(
        type="gap", n=1, count=4_120, operations={}, reason="backlog",
        url="/live?after=9.1&upto=9.50", to="9.50", **{"from": "9.1"},
    )  # fmt: skip
    server.send(type="batch", n=2, rows=[row("new")], behind=0, to="9.60", **{"from": "9.50"})
    expect(markers(page)).to_contain_text("4,120 changes not shown here: they happened meanwhile")
    link = markers(page).get_by_role("link", name="Show them")
    expect(link).to_have_attribute("href", "/live?after=9.1&upto=9.50")
    has_rows(page, "old", "new")


def test_what_was_never_collected_is_a_row_too(page: Page, server: Server) -> None:
    sentence = "orders: changes from 10:02 to 10:14 were not recorded."
    server.send(
        type="gap", n=1, count=None, operations={}, reason="collection", text=sentence,
        url="/streams/orders", to="9.1", **{"from": "9.1"},
    )  # fmt: skip
    expect(markers(page)).to_contain_text(sentence)
    link = markers(page).get_by_role("link", name="See the stream")
    expect(link).to_have_attribute("href", "/streams/orders")


def test_what_the_conditions_hide_is_counted(page: Page, shop: Shop) -> None:
    server = started(page, "/live?q=op:MODIFY changed:status")
    server.stats(hidden=431)
    hidden = page.locator("#hidden")
    expect(hidden).to_contain_text("2 conditions hide 431 changes")
    hidden.get_by_role("link", name="Clear").click()
    page.wait_for_url("**/live")


def test_nothing_has_passed_yet(page: Page, shop: Shop) -> None:
    server = started(page, "/live?q=changed:status")
    server.stats(hidden=48_120)
    expect(page.locator("#empty")).to_contain_text("0 of 48,120 changes in 1 min match.")


def test_noise_is_counted_and_can_be_shown(page: Page, shop: Shop) -> None:
    shop.stream.ignored_fields = ["total"]
    shop.stream.save()
    server = started(page, "/live?stream=orders")
    assert server.of("sub")[0]["noise"] is False
    server.stats(noise=12)
    noise = page.locator("#noise")
    expect(noise).to_contain_text("12 changes of ignored fields hidden")
    noise.get_by_role("link", name="Show").click()
    page.wait_for_url("**/live?noise=show&stream=orders")
    assert server.wait("sub", 2)["noise"] is True


def test_a_lost_connection_says_how_old_the_rows_are(page: Page, server: Server) -> None:
    server.batch(1, "first")
    has_rows(page, "first")
    expect(page.locator("#as-of")).to_be_hidden()
    server.sockets[-1].close(code=1012)
    expect(page.locator("#as-of")).to_contain_text(re.compile(r"as of .*\d\d:\d\d:\d\d"))
    has_rows(page, "first")


def test_paused_counts_removals(page: Page, server: Server) -> None:
    page.keyboard.press("p")
    server.wait("pause")
    server.stats(unseen=118_204, per_op={"INSERT": 1, "MODIFY": 2, "REMOVE": 12})
    expect(page.locator("#new")).to_have_text("10k+ new")
    expect(page.locator("#new")).to_have_attribute("title", re.compile("118,204 changes, 12 REM"))


def test_clearing_hides_and_can_be_undone(page: Page, server: Server) -> None:
    server.batch(1, "first", "second")
    has_rows(page, "first")
    page.get_by_text("More", exact=True).click()
    page.get_by_role("button", name="Clear the list").click()
    has_rows(page)
    expect(page.locator(".sizer > .row:not([hidden])")).to_have_count(0)
    expect(page.locator("#cleared")).to_contain_text(re.compile(r"Cleared at .*\d\d:\d\d:\d\d"))
    server.batch(2, "third")
    expect(page.locator(".sizer > .row:not([hidden])")).to_have_count(1)
    page.locator("#cleared").get_by_role("button", name="Undo").click()
    has_rows(page, "first", "second", "third")
    expect(page.locator("#cleared")).to_be_hidden()


def test_a_summary_is_spoken_if_it_is_switched_on(page: Page, shop: Shop) -> None:
    page.clock.install()
    server = started(page)
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Summary for screen readers").select_option("10")
    server.stats(
        per_op={"INSERT": 28, "MODIFY": 100}, per_stream=[["orders", 90], ["sessions", 38]]
    )
    expect(page.locator("#rate")).to_have_text("0/s")
    page.clock.run_for(10_000)
    said = "128 new changes: orders 90, sessions 38"
    expect(page.locator("#polite")).to_have_text(said)
