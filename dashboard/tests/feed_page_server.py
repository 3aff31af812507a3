"""The other end of the live page's socket, played by a test."""

import json
from typing import Any

from playwright.sync_api import Page, WebSocketRoute, expect

from conftest import wait_for


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


def row(key: str, cursor: str = "9.1", id_: str = "1-1") -> list[Any]:
    time = "2026-11-21T10:02:03.250Z"
    return [cursor, id_, time, time, "orders", "MODIFY", key, "e30", [["a", "1", "2"]], 0, False]


def started(page: Page, path: str = "/live") -> Server:
    """The page, following a server that is played."""
    server = Server(page)
    page.goto(path)
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


def rows(page: Page) -> list[str]:
    """The keys in the list, the newest first."""
    script = """() => [...document.querySelectorAll('.sizer > .row:not([hidden]):not(.marker)')]
        .sort((a, b) => a.ariaRowIndex - b.ariaRowIndex)
        .map((row) => row.querySelector('.c-key').textContent)"""
    return list(page.evaluate(script))


def first_row(page: Page, text: str) -> None:
    wait_for(lambda: rows(page)[:1] == [text], what=f"{text} as the first row")
