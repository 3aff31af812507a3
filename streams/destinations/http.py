"""The only way out over HTTP: one request on one connection, with an end to its time, its answer
cut, no redirect followed, and nothing of the machine's environment (a proxy, a .netrc) used.

The status decides. What follows it is only shown to people, so a body that is cut, slow or endless
changes nothing.
"""

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

from streams.destinations.base import Unreachable

# Connecting, the request and the answer's head, all together.
WHOLE_SECONDS = 15.0
# For each address of a name, so that one that swallows everything leaves time for the next.
_CONNECT_SECONDS = 5.0
# After the head came; receivers that answer first and work then must not hold us.
_BODY_SECONDS = 2.0
_MOST_HEAD, _MOST_BODY = 65_536, 8_192
_CHUNK = 8_192


@dataclass
class Answer:
    """`headers` by lower-case name; `body` is cut after some kilobytes, then `cut` is true."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: bool = False

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def post(url: str, headers: Mapping[str, str], body: bytes) -> Answer:
    """The answer to one POST; Unreachable if its head did not come whole and in time."""
    until = time.monotonic() + WHOLE_SECONDS
    host = urlsplit(url).hostname or ""
    try:
        with _connect(url, until) as connection:
            connection.settimeout(_left(until))
            connection.sendall(_spell(url, headers, body))
            return _Reading(connection).answer(until)
    except httptools.HttpParserError as error:
        raise Unreachable(f"{host} did not answer in HTTP.") from error
    except OSError as error:
        raise Unreachable(f"{host} {_reason(error)}.") from error


def _connect(url: str, until: float) -> socket.socket:
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connection = _reach(parts.hostname or "", parts.port or (443 if secure else 80), until)
    if not secure:
        return connection
    try:
        connection.settimeout(_left(until))
        context = ssl.create_default_context()
        return context.wrap_socket(connection, server_hostname=parts.hostname)
    except OSError:
        connection.close()
        raise


def _reach(host: str, port: int, until: float) -> socket.socket:
    """A connection to the first of the name's addresses that takes one."""
    error: OSError = ConnectionError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(min(_CONNECT_SECONDS, _left(until)))
            connection.connect(address)
        except OSError as failure:
            connection.close()
            error = failure
        else:
            return connection
    raise error


def _spell(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"POST {target} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


class _Reading:
    """What the parser finds, as it finds it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._parser = httptools.HttpResponseParser(self)
        self._answer = Answer()
        self._head = self._whole = False

    def answer(self, until: float) -> Answer:
        self._read_head(until)
        self._read_body(min(until, time.monotonic() + _BODY_SECONDS))
        answer = self._answer
        del self._parser  # the two hold each other
        answer.body = answer.body[:_MOST_BODY]
        return answer

    def _read_head(self, until: float) -> None:
        read = 0
        while not self._head:
            data = self._receive(until)
            if not data:
                raise ConnectionError("the connection was closed")
            read += len(data)
            if read > _MOST_HEAD and not self._head:
                raise httptools.HttpParserError("the head has no end")
            self._parser.feed_data(data)

    def _read_body(self, until: float) -> None:
        """As far as it comes; what is missing is no error any more."""
        try:
            while not self._whole and len(self._answer.body) < _MOST_BODY:
                data = self._receive(until)
                if not data:
                    break
                self._parser.feed_data(data)
            self._answer.cut = not self._whole and self._announced()
        except (OSError, httptools.HttpParserError):
            self._answer.cut = True

    def _announced(self) -> bool:
        """An answer that says how long it is; any other ends with its connection."""
        sized = {"content-length", "transfer-encoding"} & self._answer.headers.keys()
        return bool(sized) or len(self._answer.body) >= _MOST_BODY

    def _receive(self, until: float) -> bytes:
        self._connection.settimeout(_left(until))
        return self._connection.recv(_CHUNK)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()
        # 1xx announces another head.
        self._head = self._answer.status >= 200

    def on_body(self, data: bytes) -> None:
        self._answer.body += data

    def on_message_complete(self) -> None:
        self._whole = self._head


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _reason(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return f"did not answer within {WHOLE_SECONDS:g} seconds"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that is not valid ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"does not speak TLS as needed ({error.reason or error})"
    if isinstance(error, socket.gaierror):
        return "has no address: its name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "refused the connection"
    return "closed the connection before it answered"
