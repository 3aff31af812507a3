"""Real receivers of deliveries on this machine, which take them or behave badly: an HTTP server,
and a mail server."""

import asyncio
import email
import email.policy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Literal, Protocol, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

# Take it; refuse it for good, or for now; say nothing; close the connection; answer without end,
# or byte by byte.
Way = Literal["take", "refuse", "later", "hang", "cut", "huge", "drip"]


class Receiver(Protocol):
    """`way` is how it behaves from now on."""

    way: Way

    def options(self) -> dict[str, Any]:
        """Of a destination that leads here."""

    def keys(self) -> list[str]:
        """The keys of the deliveries that came whole, each as often as it came."""


class HttpReceiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.way: Way = "take"
        # Headers by lower-case name, and the body.
        self.requests: list[tuple[dict[str, str], Any]] = []
        self.closing = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/alerts"

    def options(self) -> dict[str, Any]:
        return {"url": self.url}

    def keys(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in list(self.requests)]


class _Handler(BaseHTTPRequestHandler):
    server: HttpReceiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.requests.append((headers, json.loads(body)))
        match self.server.way:
            case "hang":
                self.server.closing.wait()
            case "cut":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-")
            case "huge":
                self._pour(b"x" * 65_536, 0)
            case "drip":
                self._pour(b"x", 0.1)
            case way:
                status = {"refuse": 404, "later": 503}.get(way, 200)
                self._answer(status, way.encode())

    def do_GET(self) -> None:
        """Whoever follows a redirect gets here."""
        raise AssertionError("nothing asks for this")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _pour(self, piece: bytes, pause: float) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server.closing.wait(pause):
                self.wfile.write(piece)
        except OSError:
            pass  # the sender has heard enough

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def http_receiver() -> Iterator[HttpReceiver]:
    with HttpReceiver() as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()


class MailReceiver:
    def __init__(self) -> None:
        self.way: Way = "take"
        self.mails: list[EmailMessage] = []
        # These addresses are refused, whatever the way.
        self.unknown: set[str] = set()
        self._controller = _Controller(self, hostname="127.0.0.1", port=0)

    @property
    def port(self) -> int:
        return int(self._controller.port)

    def options(self) -> dict[str, Any]:
        return {"to": ["anna@example.com"]}

    def keys(self) -> list[str]:
        return [mail["Message-ID"].strip("<>").partition("@")[0] for mail in list(self.mails)]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _: list[str]
    ) -> str:
        refusal = {"refuse": "550 No such mailbox", "later": "451 Come back later"}.get(self.way)
        if refusal or address in self.unknown:
            return refusal or "550 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = cast(bytes, envelope.content)
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        self.mails.append(mail)
        if self.way == "hang":
            await asyncio.Event().wait()
        transport = cast(asyncio.Transport, server.transport)
        if self.way == "cut":
            transport.abort()
        if self.way == "huge":
            return "250-and so on\r\n" * 100_000 + "250 OK"
        while self.way == "drip":
            transport.write(b"250-and so on\r\n")
            await asyncio.sleep(0.1)
        return "250 Queued as 4711"


class _Controller(Controller):
    """On any free port."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_receiver() -> Iterator[MailReceiver]:
    """The settings EMAIL_HOST and EMAIL_PORT have to lead to it."""
    receiver = MailReceiver()
    receiver._controller.start()
    try:
        yield receiver
    finally:
        receiver._controller.stop()
