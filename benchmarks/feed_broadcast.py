"""The same bytes without any of our code: what WebSockets alone cost.

A plain asyncio server sends each client the frames that a viewer of the feed was sent, at the same
moments, and reads an acknowledgement for each.
"""

import asyncio
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import msgspec
import uvloop
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Frames = list[tuple[float, str]]


def run_server(port: int, path: str, pipe: Connection) -> None:
    """Plays the frames once all clients are there; gives its CPU seconds while it did."""
    with open(path, "rb") as file:  # noqa: PTH123 - one line is enough here
        frames = msgspec.msgpack.decode(file.read(), type=list[Frames])
    uvloop.run(_serve(port, frames, pipe))


async def _serve(port: int, frames: list[Frames], pipe: Connection) -> None:
    begin = min(at for some in frames for at, _ in some)
    waiting = iter(frames)
    here, start, done = [0], asyncio.Event(), asyncio.Event()
    started = [0.0]

    async def play(socket: ServerConnection) -> None:
        mine = next(waiting)
        here[0] += 1
        if here[0] == len(frames):
            started[0] = time.monotonic()
            marks.append(time.process_time())
            start.set()
        await start.wait()
        reading = asyncio.create_task(_read(socket))
        for at, text in mine:
            await asyncio.sleep(max(0.0, started[0] + at - begin - time.monotonic()))
            await socket.send(text)
        reading.cancel()
        here[0] -= 1
        if not here[0]:
            done.set()

    marks: list[float] = []
    async with serve(play, "127.0.0.1", port):
        pipe.send("ready")
        await done.wait()
        pipe.send(time.process_time() - marks[0])


async def _read(socket: ServerConnection) -> None:
    with suppress(ConnectionClosed):
        async for _ in socket:
            pass


def run_clients(port: int, count: int) -> None:
    uvloop.run(_clients(port, count))


async def _clients(port: int, count: int) -> None:
    await asyncio.gather(*(_client(f"ws://127.0.0.1:{port}") for _ in range(count)))


async def _client(url: str) -> None:
    socket: Any = await connect(url, max_size=None, open_timeout=60)
    with suppress(ConnectionClosed):
        async for _ in socket:
            await socket.send('{"type":"ack","n":1}')
