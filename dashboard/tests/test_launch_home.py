"""The state folder: who may start on it, and in what words somebody is turned away."""

import os
import re
import shutil
import socket
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.launch.home import (
    CannotStart,
    Home,
    check_web_port,
    kept_secret,
    port_is_free,
    write_private,
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "state")
    home.open()
    yield home
    home._close_lock()


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_it_makes_its_folders_closed_to_others(home: Home) -> None:
    assert {folder.stat().st_mode & 0o777 for folder in (home.run, home.log)} == {0o700}


def test_it_turns_a_second_launcher_away_with_the_number_of_the_first(home: Home) -> None:
    with pytest.raises(CannotStart) as refused:
        Home(home.path).open()
    assert f"already runs on {home.path} (process {os.getpid()})" in str(refused.value)
    assert f"`kill {os.getpid()}`" in str(refused.value)


def test_a_killed_launcher_leaves_no_stale_lock(home: Home) -> None:
    home._close_lock()  # what the kernel does for a process that is killed
    again = Home(home.path)
    again.open()
    again._close_lock()


def test_it_says_whose_folder_it_is_when_it_may_not_write_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(CannotStart, match=r"belongs to somebody else.*DELTAWATCH_HOME"):
        Home(tmp_path / "state").open()


def test_it_wants_half_a_gigabyte_of_free_disk(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 9, 499 * 1024 * 1024))
    with pytest.raises(
        CannotStart, match=r"Only 499 MB are free.*at least 500 MB.*Free some space"
    ):
        home.check_space()


def test_it_remembers_a_port_as_long_as_it_is_free(home: Home) -> None:
    port = home.free_port("postgres")
    assert home.free_port("postgres") == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert home.free_port("postgres") != port


def test_it_keeps_the_services_addresses_for_its_owner_alone(home: Home) -> None:
    home.write_services({"database_url": "postgres://u:p@h/d"})
    file = home.path / "services.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "postgres://u:p@h/d" in file.read_text()


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    first = kept_secret(tmp_path / "password")
    assert kept_secret(tmp_path / "password") == first
    assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600
    assert len(first) >= 32


def test_a_private_file_is_never_half_written(tmp_path: Path) -> None:
    write_private(tmp_path / "file", "first")
    write_private(tmp_path / "file", "second")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "second"


def test_a_port_in_use_is_said_with_another_to_try(taken_port: int) -> None:
    with pytest.raises(CannotStart) as refused:
        check_web_port(taken_port, "make demo")
    assert str(refused.value) == (
        f"Port {taken_port} is in use by another program. Choose another: PORT=8001 make demo"
    )


def test_a_port_that_was_just_closed_counts_as_free(taken_port: int) -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server.accept()[0].close()  # leaves the port in TIME_WAIT
    assert port_is_free(port)


def test_a_number_that_is_no_port_is_said() -> None:
    with pytest.raises(CannotStart, match=re.escape("PORT=99999 is not a port number")):
        check_web_port(99999, "make up")
