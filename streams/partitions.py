"""The daily partitions of the change table."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction

# Two pollers may need the same new day at once; one makes it, the other finds it made.
_MAKING = 7_245_001


def day_of(microseconds: int) -> date:
    """The day, in UTC, of a time in microseconds since 1970."""
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).date()


def ensure(days: Iterable[date]) -> None:
    """Make the partitions that do not exist yet."""
    for day in sorted(days):
        if not _exists(day):
            _make(day)


def name_of(day: date) -> str:
    return f"streams_change_{day:%Y%m%d}"


def _exists(day: date) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_inherits WHERE inhrelid = to_regclass(%s)", [name_of(day)])
        return cursor.fetchone() is not None


def _make(day: date) -> None:
    name, upto = name_of(day), day + timedelta(days=1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_MAKING])
        if _exists(day):
            return
        # ATTACH locks the parent less than CREATE … PARTITION OF, which would wait for every
        # reader of the table, with all later readers waiting behind it.
        cursor.execute(f"CREATE TABLE {name} (LIKE streams_change INCLUDING DEFAULTS)")
        cursor.execute(
            f"""ALTER TABLE streams_change ATTACH PARTITION {name}
                FOR VALUES FROM ('{day} 00:00:00+00') TO ('{upto} 00:00:00+00')"""
        )
