"""Who reads is told to the source with every call."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from streams.sources import agent
from streams.sources.dynamodb.client import Client
from streams.sources.dynamodb.options import DynamoDBOptions


class _Listener(BaseHTTPRequestHandler):
    heard: list[str | None] = []

    def do_POST(self) -> None:
        self.heard.append(self.headers["User-Agent"])
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: the test's output is for failures."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Listener)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_call_says_which_installation_reads(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "_consumer", "audit")
    given = {"table": "orders", "region": "eu-central-1", "endpoint_url": url}
    client = Client(DynamoDBOptions.of(given))
    client.call("dynamodb", "DescribeTable", {"TableName": "orders"})
    client.close()
    assert _Listener.heard == ["deltawatch/0.1 consumer/audit"]
