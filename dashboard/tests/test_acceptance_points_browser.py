"""What users of live views complain about, and which browser test shows that it is not so here.

The points of section 1 of UX.md; the files are `test_<name>_browser.py` beside this one, and what
no other file shows is shown here.

 1. Silent loss: feed_page_counts (samples, jumps, gaps as linked markers), feed_page_protocol, and
    with a real server feed_page (a long pause) and feed_page_load (every change once, or counted).
 2. Broken or paused: feed_page_protocol, feed_page_connection (each state's words), feed_page (the
    count of unseen changes); here icon and colour of each state.
 3. The row that is read moves: feed_page (scroll, focused row, selection), feed_page_drawer,
    feed_page_counts (a marker); overview_page and pages (rows of the overview).
 4. The tab eats memory: feed_page_load (heap and nodes), feed_page (a burst).
 5. One frame per change: here; feed_page_protocol (acknowledged after painting).
 6. Old rows after a filter change: feed_page_protocol (frames of an older epoch), feed_page_drawer
    and feed_page (only what passes stays, and what is stored comes back).
 7. Progress freezes the page: here; feed_page_protocol (two paints a second at a high rate).
 8. Sharing what I see: feed_page_drawer (`sel`, `cols`, `mark`), search (`since`, `until`),
    overview_page, shell (absolute times in links); here somebody else opens the address.
 9. Confusion of times: shell (zones, relative times), feed_page (zones), item (as of); here every
    spelling of a moment.
10. Rounded numbers: feed_page (a row), change (copies); here every page, digit by digit.
11. Hidden rows: feed_page_counts, feed_page, feed_page_connection (while polling).
12. Retrying the wrong set, and
13. a preview that disagrees with the rule: with deliveries and with rules, which have no page yet.
14. A diff that drowns the change: change (kinds, folds, filter of paths); here paths and lists.
15. Virtual lists and Ctrl+F, screen readers: here; axe on every page in each of the files.
16. Pages that wait for metadata: here.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, expect

from conftest import wait_for
from dashboard.feed.protocol import BATCH_BYTES, BATCH_ROWS
from dashboard.tests.feed_page_load import writing
from dashboard.tests.feed_page_server import has_rows, is_in_state, row, rows, started
from dashboard.tests.item_lives import live
from dashboard.tests.odd_items import wide
from dashboard.tests.seeding import Shop, order, text
from dashboard.tests.test_search_browser import locked
from streams.testing.simulated.server import serving
from streams.testing.simulated.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., BrowserContext]

# Notes every frame that the page is sent.
FRAMES = """
    const Real = window.WebSocket;
    window.told = [];
    window.WebSocket = class extends Real {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", ({data}) => {
                const {type, rows = [], sampled = 0, count = 0} = JSON.parse(data);
                const bytes = new TextEncoder().encode(data).length;
                const seconds = performance.now() / 1000;
                window.told.push({type, rows: rows.length, left: sampled + count, bytes, seconds});
            });
        }
    };
"""
LOOK = """pill => [getComputedStyle(pill.querySelector(".mark"), "::before").content,
    getComputedStyle(pill).color]"""


def frames(page: Page, *types: str) -> list[dict[str, Any]]:
    return [frame for frame in page.evaluate("window.told") if frame["type"] in types]


def test_each_state_has_its_icon_and_colour(page: Page, shop: Shop) -> None:
    """Point 2."""
    server, looks = started(page), []

    def note(state: str) -> None:
        is_in_state(page, state)
        looks.append(page.locator("#pill").evaluate(LOOK))

    server.batch(1, "first")
    has_rows(page, "first")
    note("Following")
    page.keyboard.press("j")
    note("Held")
    page.keyboard.press("f")
    page.keyboard.press("p")
    note("Paused")
    page.keyboard.press("p")
    server.wait("resume")
    server.send(type="ready")
    server.send(type="batch", n=1, rows=[row("old")], behind=4_120, to="9.1")
    note("Catching up")
    server.sockets[-1].close(code=1012)
    note("Reconnecting")
    assert len({icon for icon, _ in looks}) == 5
    assert len({colour for _, colour in looks}) == 4  # held and paused are alike: no rows move


def test_changes_come_in_few_and_small_frames(page: Page, shop: Shop) -> None:
    """Point 5: eight columns of 200 characters fill a frame before 125 rows do."""
    columns = ",".join(f"new.attribute{n}" for n in range(8))
    page.add_init_script(FRAMES)
    page.goto(f"/live?cols=key,{columns}")
    is_in_state(page, "Following")
    before, after = wide(8, "x" * 190), wide(8, "y" * 190)
    shop.write(*[(f"item-{n}", "MODIFY", before, after) for n in range(600)])

    def told() -> int:
        return sum(frame["rows"] + frame["left"] for frame in frames(page, "batch", "gap"))

    wait_for(lambda: told() >= 600, what="600 changes")
    assert told() == 600
    sent = frames(page, "batch", "gap")
    assert len(sent) < 30
    assert max(frame["rows"] for frame in sent) <= BATCH_ROWS
    assert BATCH_BYTES / 2 < max(frame["bytes"] for frame in sent) <= BATCH_BYTES


def test_progress_comes_once_a_second(page: Page, shop: Shop) -> None:
    """Point 7: however many changes are stored meanwhile."""
    page.add_init_script(FRAMES)
    page.goto("/live")
    is_in_state(page, "Following")
    with writing([shop], 400):
        wait_for(lambda: len(frames(page, "stats")) >= 5, what="five numbers")
        told = frames(page, "stats")
    assert len(told) - 1 <= told[-1]["seconds"] - told[0]["seconds"] + 1


def test_an_address_shows_somebody_else_the_same(
    page: Page, shop: Shop, open_context: Open, bob: User
) -> None:
    """Point 8."""
    Shop("stock").insert("elsewhere", order("paid"))
    live(shop, "yesterday", (86_400, order("new")), (82_800, order("paid")))
    shop.write_many(3)
    shop.insert("4711", order("new"))
    page.goto("/live?stream=orders&q=op:MODIFY&cols=key,new.status")
    is_in_state(page, "Following")
    assert rows(page) == ["item-2", "item-1", "item-0", "yesterday"]
    page.locator(".row:not([hidden])", has_text="item-1").locator(".c-key a").click()
    page.wait_for_url("**sel=*")
    live_url = page.url
    page.goto("/search")
    page.get_by_label("Filter").fill("op:MODIFY")
    page.get_by_label("From", exact=True).fill("2d")
    page.get_by_label("To", exact=True).fill("2h")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url("**until=2h*")
    expect(page.locator("#rows .c-key")).to_have_text(["yesterday"])
    search_url = page.url

    other = open_context(bob).new_page()  # which ends Alice's session
    other.goto(live_url)
    expect(other.locator("#drawer article.change")).to_contain_text("item-1")
    assert rows(other) == ["item-2", "item-1", "item-0", "yesterday"]
    heads = other.locator("#feed").get_by_role("columnheader")
    expect(heads).to_have_text(["Key", "new.status"])
    expect(other.get_by_label("Filter", exact=True)).to_have_value("op:MODIFY")
    other.goto(search_url)
    expect(other.locator("#rows .c-key")).to_have_text(["yesterday"])
    expect(other.get_by_label("From", exact=True)).to_have_value("2d")


def test_a_moment_is_written_in_any_way(page: Page, shop: Shop) -> None:
    """Point 9: and what is shown is a date and a time, unless somebody chooses otherwise."""
    live(shop, "4711", (1_800, order("new")), (300, order("paid")))
    moment = timezone.now() - timedelta(minutes=15)
    seconds = moment.timestamp()
    iso = moment.isoformat(timespec="seconds")
    for spelled in (iso, iso[:19], f"{seconds:.0f}", f"{seconds * 1000:.0f}", "15m"):
        page.goto("/search")
        page.get_by_label("From", exact=True).fill(spelled)
        page.get_by_label("From", exact=True).press("Enter")
        expect(page.locator("#rows .row")).to_have_count(1)
        expect(page.locator("#rows time")).to_have_text(re.compile(r"^\S* ?\d\d:\d\d:\d\d"))
        page.goto(f"/items/orders/{shop.token('4711')}")
        page.get_by_label("As of").fill(spelled)
        page.get_by_label("As of").press("Enter")
        expect(page.locator("#side")).to_contain_text("Exact")


def test_numbers_keep_every_digit_on_every_page(page: Page, shop: Shop) -> None:
    """Point 10."""
    digits = "1234567890123456789012345678901234567"
    old, new = order("new", f"{digits}8", rate={"N": "1.10"}), order("new", f"{digits}9")
    page.goto("/live")
    is_in_state(page, "Following")
    shop.insert("4711", old)
    change = shop.modify("4711", old, new)
    item = f"/items/orders/{shop.token('4711')}"
    page.locator(".row:not([hidden])", has_text=f"{digits}9").locator(".c-key a").first.click()
    expect(page.locator("#drawer")).to_contain_text(f"{digits}9")
    tabs = [f"/changes/{change.id}?tab={tab}" for tab in ("changed", "all", "sides", "raw")]
    for path in [*tabs, item, "/search?q=changed:total"]:
        page.goto(path)
        for number in (f"{digits}8", f"{digits}9", "1.10"):
            expect(page.locator("main")).to_contain_text(number)
    page.goto(f"/changes/{change.id}")
    expect(page.locator(".delta")).to_have_text(re.compile(r"^\+1\b"))
    page.goto(f"/search?q=new.total:{digits}9")
    expect(page.locator("#rows .row")).to_have_count(1)


def test_only_what_changed_is_shown_with_whole_paths(page: Page, shop: Shop) -> None:
    """Point 14: an element put in front moves nothing."""
    lines = [{"M": {"sku": text(f"sku-{n}"), "qty": {"N": "1"}}} for n in range(20)]
    new_line = {"M": {"sku": text("first"), "qty": {"N": "2"}}}
    where = {"city": text("Brno"), "zip": text("60200")}
    old = wide(60, "same") | {"lines": {"L": lines}, "address": {"M": where}}
    new = old | {
        "lines": {"L": [new_line, *lines]},
        "address": {"M": where | {"city": text("Praha")}},
    }
    change = shop.modify("4711", old, new)
    page.goto(f"/changes/{change.id}")
    paths = page.locator("[data-panel] tr[data-kind] .path bdi")
    expect(paths).to_have_text(["lines[0]", "address.city"])
    expect(page.locator("[data-panel]")).not_to_contain_text("sku-0")
    page.get_by_role("link", name="All fields").click()
    expect(page.locator("[data-panel]")).to_have_attribute("data-panel", "all")
    expect(page.get_by_text("same 7", exact=True)).to_be_hidden()
    page.get_by_role("button", name="Expand all").click()
    expect(page.get_by_text("same 7", exact=True)).to_be_visible()


def test_a_virtual_list_says_its_size_and_opens_as_a_page(page: Page, shop: Shop) -> None:
    """Point 15: what is not in the document is announced, and one link away as ordinary rows."""
    shop.stream.ignored_fields = ["total"]
    shop.stream.save()
    page.goto("/live?stream=orders&noise=show&q=op:MODIFY")
    is_in_state(page, "Following")
    shop.write_many(150)
    shop.insert("filtered", order("new"))
    shop.modify("noise", order("new", "1"), order("new", "2"))
    expect(page.locator("#feed")).to_have_attribute("aria-rowcount", "152")  # with the head
    assert page.locator(".sizer > .row").count() < 100
    expect(page.locator('.row[aria-rowindex="2"]')).to_contain_text("noise")
    page.locator(".feed-list").evaluate("list => { list.scrollTop = list.scrollHeight }")
    expect(page.locator('.row[aria-rowindex="152"]')).to_contain_text("item-0")
    page.get_by_text("More", exact=True).click()
    page.get_by_role("link", name="Open as an ordinary page").click()
    keys = page.locator(".static .row .c-key a")
    expect(keys).to_have_text([f"item-{n}" for n in range(100)])
    page.get_by_role("link", name=re.compile("^Next")).click()
    expect(keys).to_have_text([*[f"item-{n}" for n in range(100, 150)], "noise"])


def test_the_overview_asks_neither_the_source_nor_the_changes(page: Page, shop: Shop) -> None:
    """Point 16: it is there while nobody can read the changes, and AWS never hears of it."""
    shop.write_many(7)
    service = Service()
    with serving(service) as url:
        shop.stream.options = {"table": "orders", "region": "eu-central-1", "endpoint_url": url}
        shop.stream.save()
        with locked(shop):
            page.goto("/")
            expect(page.locator(".stored")).to_have_text("7 stored")
            with page.expect_response("**/overview/table?*") as renewed:
                pass
            assert renewed.value.ok
        page.goto("/streams/orders")
        expect(page.get_by_role("heading", name="What changes most")).to_be_visible()
        assert not service.watch.calls
