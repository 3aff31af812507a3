"""Take the pictures of every page: from a demo of its own, wide and narrow, light and dark.

make screenshots        needs Chromium; CHROMIUM names another one than /usr/bin/chromium

Writes docs/screens/PAGE-WIDTH-SCHEME.png, and docs/SCREENS.md, which shows them all.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Browser, Page, sync_playwright

from dashboard.launch.home import unused_port
from streams import item_key
from streams.testing.stack import ROOT, Stack

FOLDER = Path(__file__).resolve().parent
SCREENS = FOLDER / "screens"
# A little history, so that the pages show something.
WARM_UP_SECONDS = 60
WIDTHS = {1280: 800, 390: 844}
SCHEMES = ("light", "dark")
SWITCHES = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
]
PAID = quote("stream:orders status: * -> paid new.total>100")

Picture = tuple[str, str, Callable[[Page], object]]


def main() -> None:
    state = ROOT / ".deltawatch-test"
    state.mkdir(exist_ok=True)
    stack = Stack(Path(tempfile.mkdtemp(prefix="shots-", dir=state)) / "home", unused_port())
    stack.start("--demo")
    SCREENS.mkdir(exist_ok=True)
    try:
        something_wrong(stack)
        time.sleep(WARM_UP_SECONDS)
        asked = pictures(stack)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=SWITCHES
            )
            for width in WIDTHS:
                for scheme in SCHEMES:
                    take(browser, stack, asked, width, scheme)
            browser.close()
    finally:
        stack.stop()
    names = ["log-in", *(name for name, *_ in asked)]
    (FOLDER / "SCREENS.md").write_text(gallery(names))


def something_wrong(stack: Stack) -> None:
    """A stream whose service went away, for the pages of problems."""
    [(endpoint,)] = stack.query(
        "SELECT options->>'endpoint_url' FROM streams_stream WHERE name = 'orders'"
    )
    options = ["--table", "orders", "--region", "eu-central-1", "--endpoint-url", endpoint]
    stack.manage("add_stream", "orders-copy", *options)
    stack.query(
        """UPDATE streams_stream
           SET options = options || jsonb_build_object('endpoint_url', %s::text)
           WHERE name = 'orders-copy' RETURNING name""",
        f"http://127.0.0.1:{unused_port()}",
    )


def take(browser: Browser, stack: Stack, asked: list[Picture], width: int, scheme: str) -> None:
    page = browser.new_page(
        base_url=stack.url,
        viewport={"width": width, "height": WIDTHS[width]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto("/")
    page.screenshot(path=SCREENS / f"log-in-{width}-{scheme}.png")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(stack.password())
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Overview").wait_for()
    for name, path, prepare in asked:
        page.goto(path)
        prepare(page)
        page.screenshot(path=SCREENS / f"{name}-{width}-{scheme}.png")
    page.close()


def pictures(stack: Stack) -> list[Picture]:
    """(name, address, what to do before the picture is taken), in the order of the gallery."""
    change, item = an_order(stack)
    return [
        ("overview", "/", settled),
        ("stream", "/streams/orders", settled),
        ("live", "/live", following),
        ("live-drawer", "/live?stream=orders", with_drawer),
        ("change", change, settled),
        ("item", item, settled),
        ("item-compare", f"{item}?a=oldest", settled),
        ("item-as-of", f"{item}?asof=20s", settled),
        ("item-blame", f"{item}/blame", settled),
        ("item-undo", f"{item}/undo/{change.rpartition('/')[2]}", settled),
        ("items", "/items", settled),
        ("search", f"/search?q={PAID}", settled),
        ("export", f"/search/export?q={PAID}", settled),
        ("search-wrong", f"/search?q={quote('tabel:orders')}", settled),
        ("view-new", f"/views/new?q={PAID}", settled),
        ("rules", "/rules", settled),
        ("rule", f"/rules/{a_rule(stack)}", previewed),
        ("rule-history", f"/rules/{a_rule(stack)}/history", settled),
        ("alerts", "/alerts?state=all", settled),
        ("alert", "/alerts?state=all", first_of_the_table),
        ("quiet", "/quiet", settled),
        ("destinations", "/destinations", settled),
        ("drift", "/drift?stream=orders", settled),
        ("noise", "/noise", settled),
        ("problems", "/problems", settled),
        ("problem", "/problems", first_of_the_table),
        ("system", "/system", settled),
        ("start", "/start", settled),
        ("admin", "/admin/", settled),
        ("admin-stream", "/admin/streams/stream/add/", settled),
        ("not-found", "/changes/0-0", settled),
    ]


def a_rule(stack: Stack) -> int:
    return int(stack.query("SELECT id FROM streams_rule WHERE name = 'Orders are cancelled'")[0][0])


def an_order(stack: Stack) -> tuple[str, str]:
    """The addresses of a change and of its item, one that has many versions."""
    rows = stack.query(
        """SELECT max(c.batch_id || '-' || c.ordinal) FROM streams_change c
           JOIN streams_stream s ON s.id = c.stream_id WHERE s.name = 'orders' AND c.operation = 'M'
           GROUP BY c.item ORDER BY count(*) DESC LIMIT 1"""
    )
    change = f"/changes/{rows[0][0]}"
    return change, item_of(stack, rows[0][0])


def item_of(stack: Stack, change_id: str) -> str:
    batch, ordinal = change_id.split("-")
    keys = stack.query(
        "SELECT keys::text FROM streams_change WHERE batch_id = %s AND ordinal = %s",
        int(batch),
        int(ordinal),
    )
    return f"/items/orders/{item_key.token(item_key.canonical(json.loads(keys[0][0])))}"


def settled(page: Page) -> None:
    page.wait_for_load_state("load")
    page.wait_for_timeout(1500)  # parts that come a moment later


def following(page: Page) -> None:
    page.get_by_text("Following").first.wait_for()
    page.wait_for_timeout(4000)  # some rows come live


def with_drawer(page: Page) -> None:
    following(page)
    page.get_by_role("row").filter(has_text="MODIFY").get_by_role("link").first.click()
    page.locator("article.change").wait_for()
    settled(page)


def previewed(page: Page) -> None:
    page.locator(".verdict").wait_for()
    settled(page)


def first_of_the_table(page: Page) -> None:
    page.locator("main tbody a").first.click()
    settled(page)


def gallery(names: list[str]) -> str:
    lines = [
        "# Every page",
        "",
        "Wide and narrow, light and dark, taken by `make screenshots` from the demo.",
        "",
        "| page | 1280 light | 1280 dark | 390 light | 390 dark |",
        "|---|---|---|---|---|",
    ]
    for name in names:
        cells = [picture(name, width, scheme) for width in WIDTHS for scheme in SCHEMES]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def picture(name: str, width: int, scheme: str) -> str:
    file, shown = f"screens/{name}-{width}-{scheme}.png", 320 if width > 800 else 120
    return f'<img src="{file}" width="{shown}" alt="{name}, {width} pixels wide, {scheme}">'


if __name__ == "__main__":
    main()
