"""Statements that may take only so long, and that read a leaf by its indexes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, transaction
from django.db.utils import OperationalError, ProgrammingError

# Below this, a statement could be over before it has done anything.
_LEAST_SECONDS = 0.25
# A plan that reads a whole leaf is the slower one here, whatever stale statistics make of it.
_SETTINGS = """SELECT set_config('statement_timeout', %s, true),
                      set_config('enable_seqscan', 'off', true),
                      set_config('enable_bitmapscan', %s, true)"""


class LeafGone(Exception):
    """Retention dropped a leaf meanwhile, or somebody rewrote it."""


def rows(
    sql: str, parameters: Sequence[Any] | Mapping[str, Any], seconds: float, *, bitmaps: bool = True
) -> list[tuple[Any, ...]] | None:
    """The rows that a SELECT finds in a leaf, None if it took longer than it may.

    Raises LeafGone if the leaf is no more.
    """
    milliseconds = str(round(max(seconds, _LEAST_SECONDS) * 1_000))
    try:
        with leaf_may_go(), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_SETTINGS, [milliseconds, "on" if bitmaps else "off"])
            cursor.execute(sql, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            return None
        raise


@contextmanager
def leaf_may_go() -> Iterator[None]:
    """Turn the error of a leaf that was dropped meanwhile into LeafGone."""
    try:
        yield
    except ProgrammingError as error:
        if isinstance(error.__cause__, psycopg.errors.UndefinedTable):
            raise LeafGone from error
        raise
