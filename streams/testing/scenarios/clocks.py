"""All clocks of a scenario: the service's, the database's and Python's, moved together.

A jump of 25 hours is then what it is in a real outage: every time that the engine writes down or
compares has moved, and no test waits. Pauses in the processes are real, only shorter (crew.py).
"""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from multiprocessing.sharedctypes import Synchronized
from unittest.mock import patch

from django.db import connection
from django.utils import timezone

# Found before PostgreSQL's own functions, which the path names last. New tables go to public.
SEARCH_PATH = "public, scenario, pg_catalog"
_FUNCTIONS = ("clock_timestamp", "statement_timestamp", "transaction_timestamp", "now")


def prepare_database() -> None:
    """Functions of the same names that show the scenario's time, to who has the search path."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS scenario")
        cursor.execute("CREATE TABLE IF NOT EXISTS scenario.clock (ahead interval NOT NULL)")
        cursor.execute("DELETE FROM scenario.clock")
        cursor.execute("INSERT INTO scenario.clock VALUES ('0')")
        for name in _FUNCTIONS:
            cursor.execute(
                f"""CREATE OR REPLACE FUNCTION scenario.{name}() RETURNS timestamptz
                    LANGUAGE sql VOLATILE AS $$
                    SELECT pg_catalog.clock_timestamp() + ahead FROM scenario.clock $$"""
            )


def drop_from_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA scenario CASCADE")


def set_ahead(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE scenario.clock SET ahead = make_interval(secs => %s)", [seconds])


def travel(ahead: "Synchronized[float]") -> None:
    """Let the engine's modules in this process see the scenario's time."""

    class Travelled(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Travelled":
            moved = super().now(tz) + timedelta(seconds=ahead.value)
            return cls.fromtimestamp(moved.timestamp(), tz)

    for name, module in list(sys.modules.items()):
        if name.startswith("streams.") and getattr(module, "datetime", None) is datetime:
            patch.object(module, "datetime", Travelled).start()
    real: Callable[[], datetime] = timezone.now
    patch.object(timezone, "now", lambda: real() + timedelta(seconds=ahead.value)).start()
