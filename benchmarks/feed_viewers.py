"""Two hundred browsers without a screen, in one process: they read, count and acknowledge."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import msgspec
import orjson
import uvloop
from made_feed import Viewer, facts, viewers
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

_CONNECTING = 20  # at once


class Login(NamedTuple):
    """Where, and as whom; sockets take turns with the cookies, because a user may have ten."""

    url: str
    origin: str
    cookies: Sequence[str]


class Told(msgspec.Struct):
    """What one viewer was told of."""

    filter: str
    rows: Counter[int] = msgspec.field(default_factory=Counter)
    sampled: int = 0
    in_gaps: int = 0
    unasked: int = 0
    hidden: int = 0
    reads: bool = True

    def missing(self, truth: set[int]) -> int:
        """Changes that pass, and were neither listed nor counted."""
        known = len(self.rows) + self.sampled + self.in_gaps
        return max(0, len(truth) - known - self.unasked) if self.reads else 0

    def repeated(self, truth: set[int]) -> int:
        """Rows that came twice or that do not pass, and what was counted too much."""
        twice = self.rows.total() - len(self.rows)
        wrong = len(self.rows.keys() - truth)
        known = len(self.rows) + self.sampled + self.in_gaps
        return twice + wrong + max(0, known - len(truth))


class Seen(msgspec.Struct):
    """What all viewers have seen: of each, when each number came, and all frames with their times
    (for the same bytes again)."""

    told: list[Told]
    came: list[tuple[int, float]]
    frames: list[list[tuple[float, str]]]
    lags: list[float]


def run_viewers(count: int, login: Login, pipe: Connection) -> None:
    """Says "ready" when all have subscribed; is told the cursor to read up to, and gives Seen."""
    uvloop.run(_run(viewers(count), login, pipe))


async def _run(wanted: list[Viewer], login: Login, pipe: Connection) -> None:
    turns = asyncio.Semaphore(_CONNECTING)
    # One of many never reads.
    browsers = [Browser(v, i != 10 or len(wanted) == 1) for i, v in enumerate(wanted)]
    await asyncio.gather(*(b.open(login, i, turns) for i, b in enumerate(browsers)))
    tasks = [asyncio.create_task(browser.read()) for browser in browsers if browser.told.reads]
    await asyncio.gather(*(browser.subscribed.wait() for browser in browsers))
    pipe.send("ready")
    loop = asyncio.get_running_loop()
    end = await loop.run_in_executor(None, pipe.recv)
    with suppress(TimeoutError):
        async with asyncio.timeout(30):
            await asyncio.gather(*(b.reached(end) for b in browsers if b.told.reads))
    for task in tasks:
        task.cancel()
    pipe.send(_seen(browsers))


def _seen(browsers: "list[Browser]") -> Seen:
    return Seen(
        [browser.told for browser in browsers],
        [came for browser in browsers for came in browser.came],
        [browser.frames for browser in browsers],
        [lag for browser in browsers for lag in browser.lags],
    )


class Browser:
    def __init__(self, viewer: Viewer, reads: bool) -> None:
        self.told = Told("" if not reads else viewer.filter, reads=reads)
        self.came: list[tuple[int, float]] = []
        self.frames: list[tuple[float, str]] = []
        self.lags: list[float] = []
        self.subscribed = asyncio.Event()
        self._moved = asyncio.Event()
        self._cursor = (0, 0)

    async def open(self, login: Login, number: int, turns: asyncio.Semaphore) -> None:
        cookie = login.cookies[number % len(login.cookies)]
        headers = {"Cookie": cookie, "Origin": login.origin}
        async with turns:
            self.socket: ClientConnection = await connect(
                login.url, additional_headers=headers, max_size=None
            )
            await self._say(type="sub", epoch=1, filter=self.told.filter)
            if not self.told.reads:
                self.socket.transport.pause_reading()
                self.subscribed.set()

    async def _say(self, **message: Any) -> None:
        await self.socket.send(orjson.dumps(message).decode())

    async def read(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self.socket:
                now = time.time()
                self.frames.append((now, str(text)))
                frame = orjson.loads(text)
                self._take(frame, now)
                if frame["type"] in ("batch", "gap"):
                    await self._say(type="ack", n=frame["n"])

    def _take(self, frame: dict[str, Any], now: float) -> None:
        if "hidden" in frame:
            self.told.hidden = frame["hidden"]
        match frame["type"]:
            case "batch":
                numbers = [int(row[6][2:]) for row in frame["rows"]]
                self.told.rows.update(numbers)
                self.told.sampled += frame.get("sampled", 0)
                self.came += [(number, now) for number in numbers]
            case "gap":
                name = "unasked" if frame.get("unasked") else "in_gaps"
                setattr(self.told, name, getattr(self.told, name) + frame["count"])
            case "stats":
                self.lags.append(frame["lag"])
                self.subscribed.set()
        self._move(frame.get("to") or (frame.get("cursor") if frame["type"] == "stats" else None))

    def _move(self, cursor: str | None) -> None:
        if cursor:
            position, _, ordinal = cursor.partition(".")
            self._cursor = int(position), int(ordinal)
            self._moved.set()

    async def reached(self, end: tuple[int, int]) -> None:
        while self._cursor < end:
            self._moved.clear()
            await self._moved.wait()


def truths(count: int, first: int, last: int) -> list[set[int]]:
    """Of each viewer, the numbers that pass its filter."""
    written = [facts(n) for n in range(first, last)]
    return [{it.number for it in written if viewer.shows(it)} for viewer in viewers(count)]
