"""Names of Postgres' advisory locks, each together with a number, a stream's id for most: one list,
so that no two parts keep each other out by accident."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Two pollers may need the same new leaf at once; one makes it, the other finds it made.
MAKING_LEAVES = 7_245_001
# One process at a time lists a stream's shards.
LISTING = 7_245_002
# One at a time drops and cuts a stream's ledger; who comes second has nothing to do.
RETAINING = 7_245_003
# One writer of alerts at a time: the evaluation, the health rules, and people's answers. Also who
# saves a rule, so that nobody evaluates by a rule that is being changed.
ALERTING = 7_245_004
# One at a time checks the streams' health: beat's tick, a poller, or a web process.
HEALTH = 7_245_005
# With a rule's id: one process reads what came before for it.
MAKING_READY = 7_245_006
# One process sends what is due: receivers that hang must not take all processes of a worker.
DELIVERING = 7_245_007


def wait(name: int, number: int = 0) -> None:
    """Hold the lock until the transaction's end, as soon as nobody else does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [name, number])


def free(name: int, number: int = 0) -> bool:
    """Hold the lock until the transaction's end; False, at once, if somebody else does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [name, number])
        return bool(cursor.fetchone()[0])


@contextmanager
def alone(name: int, number: int = 0) -> Iterator[bool]:
    """Hold the lock meanwhile, in a transaction or not; False, at once, if somebody else does. It
    ends with the connection: a killed process keeps nobody out."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [name, number])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [name, number])
