"""HTTP/1.1 as reading shards needs it: connections that are kept, one call at a time on each.

A poller makes hundreds of small calls a second, and nobody reads their headers. http.client under
urllib3 spends 0.4 ms of CPU on such a call, most of it on a tree of header objects; httptools, the
parser that serves our pages too, on a plain socket a quarter of that.
"""

import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

import httptools

from streams.sources.dynamodb.buffers import Buffers

# A call that takes longer than this in all is given up, even while bytes still trickle in.
_WHOLE_SECONDS = 60
_CHUNK = 65_536
# DynamoDB's answers have about a megabyte at most; of more no length is believed beforehand.
_LONGEST_BODY = 16 * 1024 * 1024


class NoAnswer(Exception):
    """No whole answer came; the text says in a word or two why."""


class Answer(NamedTuple):
    """A long body is a view of memory that is used again when nobody looks at it any more."""

    status: int
    body: bytes | memoryview


class _Place(NamedTuple):
    """Where a URL leads: what to connect to, and how a request to it begins."""

    secure: bool
    host: str
    port: int
    target: str
    host_header: str


class Connections:
    """Safe to use from many threads. `connect_seconds` and `read_seconds` bound each wait."""

    def __init__(self, *, connect_seconds: float, read_seconds: float, most_idle: int) -> None:
        self._connect_seconds, self._read_seconds = connect_seconds, read_seconds
        self._most_idle = most_idle
        self._idle: dict[tuple[str, int], deque[socket.socket]] = {}
        self._buffers = Buffers()
        self._tls: ssl.SSLContext | None = None

    def call(
        self, method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes = b""
    ) -> Answer:
        """One request and its answer; NoAnswer if there is none in time. Nothing is repeated."""
        place = _place(url)
        idle = self._idle.setdefault((place.host, place.port), deque())
        connection = _alive(idle) or self._connect(place)
        reusable = False
        try:
            connection.sendall(_spell(method, place, headers, body))
            answer = _Answer(self._buffers)
            answer.read_from(connection)
            reusable = answer.keeps_alive and len(idle) < self._most_idle
        except (OSError, httptools.HttpParserError) as error:
            raise NoAnswer(_reason(error)) from error
        finally:
            if reusable:
                idle.append(connection)
            else:
                connection.close()
        return answer.take()

    def close(self) -> None:
        """Close what is not in use; what is will be closed by who uses it, or by its end."""
        for idle in list(self._idle.values()):
            while idle:
                idle.pop().close()

    def _connect(self, place: _Place) -> socket.socket:
        try:
            connection = socket.create_connection((place.host, place.port), self._connect_seconds)
        except OSError as error:
            raise NoAnswer(_reason(error)) from error
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if place.secure:
                self._tls = self._tls or ssl.create_default_context()
                connection = self._tls.wrap_socket(connection, server_hostname=place.host)
        except OSError as error:
            connection.close()
            raise NoAnswer(_reason(error)) from error
        connection.settimeout(self._read_seconds)
        return connection


class _Answer:
    """What the parser finds, as it finds it. A long body of known length does not go through it."""

    def __init__(self, buffers: Buffers) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self._buffers = buffers
        self._parts: list[bytes] = []
        self._body: memoryview | None = None
        self._whole = self._begun = self._sized = False
        self._length = 0
        self.keeps_alive = False

    def read_from(self, connection: socket.socket) -> None:
        gives_up_at = time.monotonic() + _WHOLE_SECONDS
        while not self._whole:
            data = connection.recv(_CHUNK)
            if not data:
                # Without a length an answer ends with its connection; any other was cut.
                if self._begun and not self._sized:
                    return
                raise _cut()
            self.parser.feed_data(data)
            if time.monotonic() > gives_up_at:
                raise TimeoutError
            if self._begun and not self._whole and 0 < self._length <= _LONGEST_BODY:
                self._read_rest(connection, gives_up_at)

    def _read_rest(self, connection: socket.socket, gives_up_at: float) -> None:
        """The body, straight to where it stays."""
        begun = b"".join(self._parts)
        self._body = self._buffers.of(self._length)
        self._body[: len(begun)] = begun
        place = len(begun)
        while place < self._length:
            count = connection.recv_into(self._body[place:])
            if not count:
                raise _cut()
            place += count
            if time.monotonic() > gives_up_at:
                raise TimeoutError
        self._whole = True

    def take(self) -> Answer:
        """What was found. This and its parser hold each other, and the body must not wait for the
        garbage collector."""
        body, self._body = self._body, None
        parts, self._parts = self._parts, []
        status = self.parser.get_status_code()
        del self.parser
        return Answer(status, b"".join(parts) if body is None else body)

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name == b"content-length":
            self._sized, self._length = True, int(value)
        elif name == b"transfer-encoding":
            self._sized = True

    def on_headers_complete(self) -> None:
        self._begun = True
        self.keeps_alive = self.parser.should_keep_alive()  # it forgets this with the body

    def on_body(self, data: bytes) -> None:
        self._parts.append(data)

    def on_message_complete(self) -> None:
        self._whole = True


def _cut() -> ConnectionError:
    return ConnectionError("the connection was closed")


@lru_cache(maxsize=256)
def _place(url: str) -> _Place:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    usual = 443 if secure else 80
    host, port = parts.hostname or "", parts.port or usual
    # The signature covers this header, and leaves a usual port out as everybody does.
    named = f"[{host}]" if ":" in host else host
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Place(secure, host, port, target, named if port == usual else f"{named}:{port}")


def _spell(method: str, place: _Place, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    lines = [f"{method} {place.target} HTTP/1.1", f"Host: {place.host_header}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {len(body)}", "Accept-Encoding: identity", "", ""]
    return "\r\n".join(lines).encode() + body


def _alive(idle: deque[socket.socket]) -> socket.socket | None:
    """A kept connection. On one that has something to say unasked, the other side has closed."""
    while True:
        try:
            connection = idle.pop()
        except IndexError:
            return None
        asked = select.poll()
        asked.register(connection, select.POLLIN)
        if not asked.poll(0):
            return connection
        connection.close()


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "time-out"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    if isinstance(error, httptools.HttpParserError):
        return "no HTTP answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
