"""The HTTP front: as much of HTTP/1.1 as boto3 and our client use, straight on asyncio's
transports, because every ready-made server spends more time on a request than its page takes.

In a test it runs in a thread: `with serving(service) as url`. It binds to 127.0.0.1 only.
"""

import asyncio
import contextlib
import re
import socket
import struct
import threading
import uuid
import zlib
from collections.abc import Iterator
from typing import cast

import uvloop

from streams.testing.simulated.exchange import Answer, Answers, Ending, Request

LOOPBACK = "127.0.0.1"
_BACKLOG = 1_024
_LENGTH = re.compile(rb"\r\ncontent-length:\s*(\d+)", re.IGNORECASE)
_TARGET = re.compile(rb"\r\nx-amz-target:\s*([^\r]*)", re.IGNORECASE)
_AUTHORIZATION = re.compile(rb"\r\nauthorization:\s*([^\r]*)", re.IGNORECASE)
_REASONS = {200: b"OK", 400: b"Bad Request", 500: b"Internal Server Error"}
_GARBAGE = b'{"Records":[{"eventID":"\x00\x01 and then something else: <html>'


class _Connection(asyncio.Protocol):
    """One client's connection; its requests are answered one after the other."""

    def __init__(self, answers: Answers, open_ones: set["_Connection"]) -> None:
        self._answers = answers
        self._open_ones = open_ones
        self._received = bytearray()
        self._busy = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._open_ones.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._open_ones.discard(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._take_request()

    def _take_request(self) -> None:
        if self._busy or (end := self._received.find(b"\r\n\r\n")) < 0:
            return
        head = bytes(self._received[:end])
        found = _LENGTH.search(head)
        whole = end + 4 + (int(found[1]) if found else 0)
        if len(self._received) < whole:
            return
        body = bytes(self._received[end + 4 : whole])
        del self._received[:whole]
        self._busy = True
        answer = self._answers.answer(_request(head, body))
        if answer.delay:
            asyncio.get_running_loop().call_later(answer.delay, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        if self.transport.is_closing():
            return
        if answer.ending is Ending.RESET:
            self._reset()
        elif answer.ending is Ending.CUT:
            self.transport.write(_head(answer) + answer.body[: len(answer.body) // 2])
            self.transport.close()
        elif answer.ending is Ending.GARBAGE:
            broken = Answer(answer.status, _GARBAGE, checksum=False)
            self._send_whole(broken)
        else:
            self._send_whole(answer)

    def _send_whole(self, answer: Answer) -> None:
        self.transport.writelines([_head(answer), answer.body])
        if answer.sent:
            answer.sent()
        self._busy = False
        if self._received:
            self._take_request()

    def _reset(self) -> None:
        """Close with RST, as a machine on the way does that has forgotten the connection."""
        linger = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, linger
        )
        self.transport.abort()


def _request(head: bytes, body: bytes) -> Request:
    _, _, rest = head.partition(b" ")
    return Request(
        path=rest.partition(b" ")[0].decode("latin-1"),
        target=_header(_TARGET, head),
        authorization=_header(_AUTHORIZATION, head),
        body=body,
    )


def _header(pattern: re.Pattern[bytes], head: bytes) -> str:
    found = pattern.search(head)
    return found[1].decode("latin-1") if found else ""


def _head(answer: Answer) -> bytes:
    kind = b"text/html" if answer.body.startswith(b"<") else b"application/x-amz-json-1.0"
    lines = [
        b"HTTP/1.1 %d %s" % (answer.status, _REASONS.get(answer.status, b"Service Unavailable")),
        b"x-amzn-RequestId: " + uuid.uuid4().hex.upper().encode(),
        b"Content-Type: " + kind,
        b"Content-Length: %d" % len(answer.body),
    ]
    if answer.checksum:
        lines.append(b"x-amz-crc32: %d" % zlib.crc32(answer.body))
    return b"\r\n".join([*lines, b"", b""])


async def listen(
    answers: Answers, port: int, open_ones: set[_Connection] | None = None
) -> asyncio.Server:
    """Answer on this port of 127.0.0.1; 0 takes any free one."""
    connections = set() if open_ones is None else open_ones
    return await asyncio.get_running_loop().create_server(
        lambda: _Connection(answers, connections), LOOPBACK, port, backlog=_BACKLOG
    )


def port_of(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


@contextlib.contextmanager
def serving(answers: Answers, port: int = 0) -> Iterator[str]:
    """Run the server in a thread of this process; gives its URL."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulated service", daemon=True)
    thread.start()
    open_ones: set[_Connection] = set()
    server = asyncio.run_coroutine_threadsafe(listen(answers, port, open_ones), loop).result()
    try:
        yield f"http://{LOOPBACK}:{port_of(server)}"
    finally:
        asyncio.run_coroutine_threadsafe(_close(server, open_ones), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(server: asyncio.Server, open_ones: set[_Connection]) -> None:
    server.close()
    for connection in list(open_ones):
        connection.transport.abort()
    await asyncio.sleep(0)  # lets the transports say goodbye
