"""A pytest plugin: a real PostgreSQL and Valkey for the tests, unless the environment names some.

Loaded with `-p` (pyproject.toml), because Django's settings read the addresses before any
conftest.py is imported. The workers of pytest-xdist inherit what the first process started.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

_ROOT = Path(__file__).resolve().parent.parent.parent
_STATE = _ROOT / ".deltawatch-test"
_started: list[tuple[Any, Path]] = []

# Nothing in the tests may find a person's own credentials, or look for a cloud around it.
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Runs before the settings are read, and once for each process of a run."""
    os.environ.update(_ENVIRONMENT)
    if "PYTEST_XDIST_WORKER" in os.environ or "DELTAWATCH_TEST_HOME" in os.environ:
        return
    _STATE.mkdir(exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="home-", dir=_STATE))
    os.environ["DELTAWATCH_TEST_HOME"] = os.environ["DELTAWATCH_HOME"] = str(home)
    _start(home)


def _start(home: Path) -> None:
    # Imported late: these modules read the environment that was just set.
    from dashboard.launch.home import Home
    from dashboard.launch.postgres import EmbeddedPostgres
    from dashboard.launch.services import Services
    from dashboard.launch.valkey import EmbeddedValkey

    def say(text: str) -> None:
        sys.stderr.write(f"{text}\n")

    place = Home(home)
    place.open()
    services = Services(place)
    postgres = None if os.environ.get("DATABASE_URL") else EmbeddedPostgres(place, say)
    valkey = None if os.environ.get("REDIS_URL") else EmbeddedValkey(place)
    services.start([service for service in (postgres, valkey) if service])
    if postgres:
        os.environ["DATABASE_URL"] = postgres.url()
        _trust_the_machine(postgres.url())
    if valkey:
        os.environ["REDIS_URL"] = valkey.url()
    _started.append((services, home))


def _trust_the_machine(url: str) -> None:
    """Tests kill processes, never the machine: what was written need not reach the disk."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off")
        connection.execute("SELECT pg_reload_conf()")


def pytest_unconfigure() -> None:
    """Stop what this process started; should it be killed, the leashes stop it instead."""
    for services, home in _started:
        services.stop()
        shutil.rmtree(home, ignore_errors=True)
