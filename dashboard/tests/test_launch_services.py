"""The embedded PostgreSQL and Valkey on their own: what survives which end."""

import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import redis

from conftest import wait_for
from dashboard.launch.home import CannotStart, Home
from dashboard.launch.postgres import EmbeddedPostgres
from dashboard.launch.services import Services
from dashboard.launch.valkey import EmbeddedValkey

pytestmark = pytest.mark.acceptance


class Place:
    """A state folder whose services can be started again and again."""

    def __init__(self, path: Path) -> None:
        self.home = Home(path)
        for folder in (self.home.run, self.home.log):
            folder.mkdir(parents=True)
        self.said: list[str] = []
        self.postgres = EmbeddedPostgres(self.home, self.said.append)
        self.valkey = EmbeddedValkey(self.home)
        self.services: Services

    def start(self) -> None:
        self.services = Services(self.home)
        self.services.start([self.postgres, self.valkey])

    def number_of(self, name: str) -> int:
        return int((self.home.run / f"{name}.lock").read_text().split()[1])

    def sql(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.postgres.url(), autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.valkey.url(), decode_responses=True)


@pytest.fixture
def place() -> Iterator[Place]:
    # Not pytest's folder, which every other run of pytest closes to PostgreSQL's user again.
    folder = Path(tempfile.mkdtemp(prefix="deltawatch-"))
    place = Place(folder / "state")
    place.start()
    yield place
    place.services.stop()
    shutil.rmtree(folder)


def test_the_data_is_there_after_a_stop_and_a_start(place: Place) -> None:
    place.sql("CREATE TABLE kept (n int)")
    place.sql("INSERT INTO kept VALUES (1)")
    with place.redis() as client:
        client.set("kept", "1")
    place.services.stop()
    place.start()
    assert place.sql("SELECT n FROM kept") == [(1,)]
    with place.redis() as client:
        assert client.get("kept") == "1"


def test_the_data_is_there_after_kill_9(place: Place) -> None:
    place.sql("CREATE TABLE kept (n int)")
    place.sql("INSERT INTO kept VALUES (1)")
    before = {name: place.number_of(name) for name in ("postgres", "valkey")}
    for number in before.values():
        os.kill(number, signal.SIGKILL)
    wait_for(lambda: all(place.number_of(name) != before[name] for name in before))
    wait_for(lambda: place.postgres.answers() and place.valkey.answers())
    assert place.sql("SELECT n FROM kept") == [(1,)]


def test_a_stop_is_a_clean_shutdown_even_with_open_sessions(place: Place) -> None:
    with closing(psycopg.connect(place.postgres.url())) as connection:
        connection.execute("SELECT 1")
        place.services.stop()
    report = place.postgres._run("pg_controldata", str(place.postgres.data)).stdout
    assert "Database cluster state:               shut down\n" in report


def test_a_password_is_asked_for(place: Place) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            f"postgres://deltawatch:wrong@127.0.0.1:{place.postgres.port}/deltawatch"
        ).close()
    stranger = redis.Redis(host="127.0.0.1", port=place.valkey.port)
    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_another_password_file_is_said_in_words(place: Place) -> None:
    place.services.stop()
    (place.postgres.folder / "password").write_text("another\n")
    with pytest.raises(CannotStart, match="does not accept the password in"):
        place.start()


def test_data_of_another_version_is_said_in_words(place: Place) -> None:
    place.services.stop()
    (place.postgres.data / "PG_VERSION").write_text("15\n")
    with pytest.raises(CannotStart, match="was made by PostgreSQL 15"):
        place.start()


def test_a_service_that_cannot_start_is_said_with_the_end_of_its_log(place: Place) -> None:
    place.services.stop()
    (place.postgres.data / "global" / "pg_control").unlink()
    with pytest.raises(
        CannotStart, match=r"(?s)postgres does not start.*could not find the database"
    ):
        place.start()


def test_an_interrupted_first_start_leaves_nothing_in_the_way(place: Place) -> None:
    place.services.stop()
    place.postgres.data.rename(place.postgres.folder / "data.new")  # as far as initdb had come
    place.start()
    assert place.sql("SELECT 1") == [(1,)]


def test_a_port_taken_at_the_last_moment_is_exchanged(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.services.stop()
    free_port = place.home.free_port
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = [other.getsockname()[1]]
        monkeypatch.setattr(
            place.home,
            "free_port",
            lambda name: taken.pop() if taken and name == "postgres" else free_port(name),
        )
        place.start()
    assert place.sql("SELECT 1") == [(1,)]
