"""Do the services that everything needs do their work? Asked only when something stands still, so
that it costs nothing while all is well."""

import os

from django.conf import settings
from django.db import connection, transaction
from django.db.utils import Error as DatabaseError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

# A page waits for this.
_SECONDS = 1


def refusal() -> str:
    """A sentence about the service that does not do its work, with what to do; "" if all do."""
    if why := _refused_write():
        return (
            f"Postgres refuses writes ({why}), so nothing can be stored. End its read-only mode or "
            "make room on its disk; reading goes on by itself then, from where it was."
        )
    if why := broker_fault():
        return (
            f"Valkey or Redis does not answer ({why}), so no task starts: what is being read goes "
            "on, but nothing replaces what stops. See that it runs; check REDIS_URL."
        )
    return ""


def _refused_write() -> str:
    """Why Postgres refuses a small write, which is undone; "" if it does not."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO streams_heartbeat (name, seen_at) VALUES (%s, clock_timestamp())",
                [f"try {os.getpid()} {connection.connection.info.backend_pid}"],
            )
            transaction.set_rollback(True)
    except DatabaseError as error:
        return str(error).splitlines()[0]
    return ""


def broker_fault() -> str:
    """Why Valkey or Redis does not answer; "" if it does."""
    client = Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=_SECONDS,
        socket_timeout=_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        client.ping()
    except (RedisError, OSError) as error:
        return type(error).__name__
    finally:
        client.close()
    return ""
