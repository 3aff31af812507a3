"""Take the README's pictures: a demo of its own, a real browser, one picture a page.

make screenshots        needs Chromium; CHROMIUM names another one than /usr/bin/chromium
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from playwright.sync_api import Page, sync_playwright

from dashboard.launch.home import unused_port
from streams.testing.stack import ROOT, Stack

FOLDER = Path(__file__).resolve().parent
# A little history, so that the pages show something.
WARM_UP_SECONDS = 45
SWITCHES = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
]


def main() -> None:
    state = ROOT / ".deltawatch-test"
    state.mkdir(exist_ok=True)
    stack = Stack(Path(tempfile.mkdtemp(prefix="shots-", dir=state)) / "home", unused_port())
    stack.start("--demo")
    try:
        time.sleep(WARM_UP_SECONDS)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=SWITCHES
            )
            page = browser.new_page(
                base_url=stack.url, viewport={"width": 1280, "height": 640}, color_scheme="light"
            )
            take(page, stack.password())
            browser.close()
    finally:
        stack.stop()


def take(page: Page, password: str) -> None:
    page.goto("/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Overview").wait_for()
    page.screenshot(path=FOLDER / "overview.png")
    page.goto("/live")
    page.get_by_text("Following").first.wait_for()
    page.wait_for_timeout(4000)  # some rows come live
    page.screenshot(path=FOLDER / "live.png")
    page.goto("/live?stream=orders")
    page.get_by_role("row").filter(has_text="MODIFY").filter(has_text="status").get_by_role(
        "link"
    ).first.click()
    page.get_by_role("heading", name="Changed fields").wait_for()
    page.screenshot(path=FOLDER / "change.png")
    page.get_by_role("link", name="History").first.click()
    page.get_by_role("heading", name="History of").wait_for()
    page.screenshot(path=FOLDER / "item.png")
    page.goto("/search?q=" + quote("stream:orders status: * -> paid new.total>100"))
    page.screenshot(path=FOLDER / "search.png")


if __name__ == "__main__":
    main()
