"""What the DynamoDB adapter makes of an endpoint that answers, but not as DynamoDB does."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from streams.errors import SourceError
from streams.sources.base import Origin, PulledSource
from streams.sources.registry import open_source


class Answering(ThreadingHTTPServer):
    """Gives every request the same answer."""

    status, body = 200, b""


class _Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Answering]:
    with Answering(("127.0.0.1", 0), _Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def source(server: Answering) -> Iterator[PulledSource]:
    url = f"http://127.0.0.1:{server.server_port}"
    options = {"table": "orders", "region": "eu-central-1", "endpoint_url": url}
    source = open_source("dynamodb", options)
    yield source
    source.close()


@pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"[]", b"{}", b"null", b"\xff"])
def test_another_servers_answer_is_a_source_error(
    server: Answering, source: PulledSource, body: bytes
) -> None:
    server.body = body
    for call in (
        source.describe,
        lambda: list(source.shards("arn")),
        lambda: source.iterator("arn", "shard", Origin.OLDEST),
        lambda: source.read("iterator"),
    ):
        with pytest.raises(SourceError):
            call()


def test_an_answer_without_records_does_not_end_a_shard(
    server: Answering, source: PulledSource
) -> None:
    server.body = b"{}"
    with pytest.raises(SourceError):
        source.read("iterator")


def test_an_answer_without_a_following_iterator_does(
    server: Answering, source: PulledSource
) -> None:
    server.body = b'{"Records": []}'
    assert source.read("iterator").iterator is None


@pytest.mark.parametrize("status", [301, 400, 403, 404, 500, 503])
def test_another_status_is_a_source_error(
    server: Answering, source: PulledSource, status: int
) -> None:
    server.status, server.body = status, b"no"
    with pytest.raises(SourceError):
        source.read("iterator")


def test_one_bad_text_does_not_cost_the_page(server: Answering, source: PulledSource) -> None:
    server.body = b'{"Records":[{"a":"\xff"},{"a":"\\ud800"}],"NextShardIterator":"next"}'
    page = source.read("iterator")
    assert page.records == [b'{"a":"\\udcff"}', b'{"a":"\\ud800"}']
    assert page.iterator == "next"


@pytest.mark.parametrize("number", [999, 1000])
def test_a_page_of_a_thousand_records_is_full(
    server: Answering, source: PulledSource, number: int
) -> None:
    server.body = b'{"Records":[' + b",".join([b"{}"] * number) + b'],"NextShardIterator":"n"}'
    assert source.read("iterator").full == (number == 1000)
