"""HTTP over kept connections, against a server that says exactly what a test wants."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from streams.sources.dynamodb.connections import Answer, Connections, NoAnswer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"

Script = list[list[bytes | None]]


class Server:
    """Answers as its script says: a list for each connection, of an answer for each request. None
    answers nothing; when a connection's list is over, it is closed."""

    def __init__(self, script: Script) -> None:
        self.requests: list[bytes] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.over = threading.Event()
        self.closed = threading.Semaphore(0)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/path?q=1"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        for answers in self._script:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # stopped
                return
            with connection:
                for answer in answers:
                    self.requests.append(connection.recv(65_536))
                    if answer is None:
                        self.over.wait(20)
                    else:
                        connection.sendall(answer)
            self.closed.release()

    def stop(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)  # a test that failed may have asked too little
        self._thread.join()
        self._listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*script: list[bytes | None]) -> Server:
        servers.append(Server(list(script)))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def connections() -> Iterator[Connections]:
    made = Connections(connect_seconds=2, read_seconds=0.3, most_idle=2)
    yield made
    made.close()


def test_a_request_is_spelled_as_http_wants_it(
    serve: Callable[..., Server], connections: Connections
) -> None:
    server = serve([OK])
    assert connections.call("POST", server.url, [("x-a", "b")], b"{}") == Answer(200, b"ok")
    (request,) = server.requests
    host = server.url.split("/")[2]
    assert request.startswith(f"POST /path?q=1 HTTP/1.1\r\nHost: {host}\r\nx-a: b\r\n".encode())
    assert request.endswith(b"\r\nContent-Length: 2\r\nAccept-Encoding: identity\r\n\r\n{}")


def test_a_connection_is_used_again(serve: Callable[..., Server], connections: Connections) -> None:
    server = serve([OK, CHUNKED, OK])  # it takes one connection only
    bodies = [connections.call("POST", server.url, []).body for _ in range(3)]
    assert bodies == [b"ok", b"onetwo", b"ok"]


def test_one_that_was_closed_meanwhile_is_replaced(
    serve: Callable[..., Server], connections: Connections
) -> None:
    server = serve([OK], [OK])
    for _ in range(2):
        assert connections.call("POST", server.url, []).status == 200
        assert server.closed.acquire(timeout=10)


def test_one_that_the_server_wants_closed_is_not_used_again(
    serve: Callable[..., Server], connections: Connections
) -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    server = serve([closing], [OK])
    for _ in range(2):
        assert connections.call("POST", server.url, []).body == b"ok"


def test_an_answer_without_a_length_ends_with_its_connection(
    serve: Callable[..., Server], connections: Connections
) -> None:
    server = serve([b"HTTP/1.1 503 Away\r\n\r\nsorry"])
    assert connections.call("POST", server.url, []) == Answer(503, b"sorry")


def sized(body: bytes, *, whole: bool = True) -> bytes:
    length = len(body) + (not whole)
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (length, body)


def test_a_long_answer_comes_whole(serve: Callable[..., Server], connections: Connections) -> None:
    bodies = [bytes([65 + n]) * 100_000 * (n + 1) for n in range(4)]
    server = serve([sized(body) for body in bodies])
    found = [connections.call("POST", server.url, []).body for _ in bodies]
    assert found == bodies  # each in memory of its own, as long as all are looked at


def test_a_long_answer_in_chunks_comes_whole(
    serve: Callable[..., Server], connections: Connections
) -> None:
    chunks = b"30d40\r\n" + b"x" * 200_000 + b"\r\n0\r\n\r\n"
    server = serve([CHUNKED.split(b"3\r\n", maxsplit=1)[0] + chunks, OK])
    assert connections.call("POST", server.url, []).body == b"x" * 200_000
    assert connections.call("POST", server.url, []).body == b"ok"


def test_a_long_answer_that_stops_short_is_none(
    serve: Callable[..., Server], connections: Connections
) -> None:
    server = serve([sized(b"x" * 200_000, whole=False)], [OK])
    with pytest.raises(NoAnswer, match="the connection was closed"):
        connections.call("POST", server.url, [])
    assert connections.call("POST", server.url, []).status == 200


def test_a_length_beyond_belief_takes_no_memory(
    serve: Callable[..., Server], connections: Connections
) -> None:
    server = serve([b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\nx"])
    with pytest.raises(NoAnswer, match="the connection was closed"):
        connections.call("POST", server.url, [])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (OK[:-1], "the connection was closed"),
        (b"", "the connection was closed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP answer"),
        (None, "time-out"),
    ],
)
def test_what_is_no_whole_answer_is_none(
    serve: Callable[..., Server], connections: Connections, answer: bytes | None, why: str
) -> None:
    server = serve([answer], [OK])
    with pytest.raises(NoAnswer, match=why):
        connections.call("POST", server.url, [])
    server.over.set()
    assert connections.call("POST", server.url, []).status == 200


def test_a_port_where_nobody_listens_says_so(connections: Connections) -> None:
    with pytest.raises(NoAnswer, match="refused"):
        connections.call("POST", "http://127.0.0.1:1/", [])


def test_a_server_that_speaks_no_tls_says_so(
    serve: Callable[..., Server], connections: Connections
) -> None:
    server = serve([b"HTTP/1.1 400 Bad Request\r\n\r\n"])
    with pytest.raises(NoAnswer, match="TLS"):
        connections.call("POST", server.url.replace("http:", "https:"), [])
