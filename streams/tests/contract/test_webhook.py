"""What a webhook's receiver gets, and how its answers are understood."""

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from streams.destinations import http
from streams.destinations.base import Refused, Unreachable, WrongOption
from streams.destinations.webhook import Webhook
from streams.testing.receivers import HttpReceiver, http_receiver
from streams.tests.contract.test_destinations import message


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """The URL of a server that says just this and hangs up."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            while (line := self.rfile.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            json.loads(self.rfile.read(length))
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/a?b=c"
        server.shutdown()


def test_it_posts_the_message_as_json(receiver: HttpReceiver) -> None:
    sent = message("repeat")
    Webhook(receiver.url).send(sent)
    ((headers, body),) = receiver.requests
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == sent.key
    assert int(headers["webhook-timestamp"]) > 1_700_000_000
    assert body == {
        "id": sent.key,
        "type": "alert.repeat",
        "timestamp": "2026-11-22T10:02:03Z",
        "subject": sent.subject,
        "text": sent.text,
        "data": sent.facts,
    }


@pytest.mark.parametrize("reason", ["test", "mute-ends"])
def test_what_is_about_no_alert_is_not_called_one(receiver: HttpReceiver, reason: str) -> None:
    Webhook(receiver.url).send(message(reason))
    assert receiver.requests[0][1]["type"] == reason


def test_a_redirect_is_not_followed(receiver: HttpReceiver) -> None:
    away = f"HTTP/1.1 307 Moved\r\nLocation: {receiver.url}\r\nContent-Length: 0\r\n\r\n"
    with answering(away.encode()) as url, pytest.raises(Refused, match="not followed"):
        Webhook(url).send(message())
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("said", "seconds"), [(b"120", 120.0), (b"999999", 21_600.0), (b"Sun, 22 Nov 2026", None)]
)
def test_a_receiver_may_ask_for_a_pause(said: bytes, seconds: float | None) -> None:
    answer = b"HTTP/1.1 429 Slow down\r\nRetry-After: " + said + b"\r\nContent-Length: 0\r\n\r\n"
    with answering(answer) as url, pytest.raises(Unreachable) as later:
        Webhook(url).send(message())
    assert later.value.retry_after == seconds


@pytest.mark.parametrize(
    "answer", [b"", b"\x00\x01", b"220 mail.example.com ESMTP\r\n", b"HTTP/1.1 2\r\n\r\n"]
)
def test_what_is_no_http_answer_is_none(answer: bytes) -> None:
    with answering(answer) as url, pytest.raises(Unreachable):
        Webhook(url).send(message())


def test_a_head_has_an_end() -> None:
    endless = b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000
    with answering(endless) as url, pytest.raises(Unreachable):
        Webhook(url).send(message())


def test_an_answer_may_be_announced_first() -> None:
    answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
    with answering(answer) as url:
        assert Webhook(url).send(message()) == "204"


def test_a_body_that_was_cut_is_told_and_no_failure() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthan"
    with answering(answer) as url:
        assert Webhook(url).send(message()) == "200 than … (the answer was cut here)"


def test_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WHOLE_SECONDS", 5.0)
    with pytest.raises(Unreachable, match=r"nowhere\.invalid"):
        Webhook("https://nowhere.invalid/").send(message())


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.com", "ftp://example.com", "http://", "http://a b.example.com/"),
        *(
            "http://user:word@example.com/",
            "http://example.com:99999/",
            "http://[::1/",
            "x" * 3_000,
        ),
        *(
            "x" * 3_000,
            "http://example.com/\r\nX: y",
            "https://example.com/#part",
            "https://exämple.com/",
        ),
    ],
)
def test_only_a_whole_url_is_taken(url: str) -> None:
    with pytest.raises(WrongOption):
        Webhook.of({"url": url})


def test_its_path_is_not_shown() -> None:
    webhook = Webhook.of({"url": " https://example.com:8443/services/T0/B0?token=x "})
    assert webhook.target() == "https://example.com:8443/…"
