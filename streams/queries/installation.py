"""The installation itself: seats, pulses, queues, the database and its clock. For the system page.

Everything is bounded: a handful of rows, and one second for the broker.
"""

import platform
import time
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from django.conf import settings
from django.db import connection
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from streams.stages.lease import LEASE_SECONDS

_SECONDS = 1
# What beat and its watch write every three seconds is late after this.
PULSE_LATE = 15.0
# Clocks apart by more than this make logs hard to read; nothing else depends on them.
SKEW_SECONDS = 2.0


@dataclass(frozen=True)
class Seat:
    """One of the pollers' seats: who has it ("" for nobody), how long ago it was renewed, and how
    many shards are leased by that poller."""

    number: int
    owner: str
    alive: bool
    seconds: float | None
    shards: int


@dataclass(frozen=True)
class Pulse:
    """Beat's pulse, the last whole watch over all streams, and the last look at health rules."""

    name: str
    seen_at: datetime
    seconds: float

    @property
    def late(self) -> bool:
        return self.seconds > PULSE_LATE


@dataclass(frozen=True)
class Database:
    """`skew_seconds` is this process's clock minus the database's; `size` in bytes."""

    version: str
    size: int
    skew_seconds: float
    connections: int

    @property
    def skewed(self) -> bool:
        return abs(self.skew_seconds) > SKEW_SECONDS


@dataclass(frozen=True)
class Queue:
    name: str
    length: int


@dataclass(frozen=True)
class Broker:
    """`fault` says why it does not answer, "" if it does. `running` are tasks that a worker has
    taken and not finished, `oldest_seconds` since when the first of them."""

    fault: str
    version: str
    queues: list[Queue]
    running: int
    oldest_seconds: float | None


def seats() -> list[Seat]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.number, p.owner, coalesce(p.expires_at > clock_timestamp(), false),
                      greatest(0, extract(epoch FROM clock_timestamp() - p.expires_at) + %s)
                          ::float8,
                      (SELECT count(*) FROM streams_shard s
                       WHERE p.owner <> '' AND s.lease_owner = p.owner AND s.ended_at IS NULL
                         AND s.lease_expires_at > clock_timestamp())
               FROM streams_poller p ORDER BY p.number LIMIT 100""",
            [LEASE_SECONDS],
        )
        return [Seat(*row) for row in cursor.fetchall()]


def pulses() -> list[Pulse]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT name, seen_at,
                      extract(epoch FROM clock_timestamp() - seen_at)::float8
               FROM streams_heartbeat WHERE name IN ('beat', 'watch', 'health') ORDER BY name"""
        )
        return [Pulse(*row) for row in cursor.fetchall()]


def database() -> Database:
    with connection.cursor() as cursor:
        before = time.time()
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        there = cursor.fetchone()[0]
        # Half of the way to the database and back.
        here = (before + time.time()) / 2
        cursor.execute(
            """SELECT current_setting('server_version'), pg_database_size(current_database()),
                      (SELECT count(*) FROM pg_stat_activity
                       WHERE datname = current_database())"""
        )
        name, size, connections = cursor.fetchone()
    return Database(name, size, here - there, connections)


def broker() -> Broker:
    """Celery's queues, as kombu keeps them in Valkey or Redis."""
    client: Any = Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=_SECONDS,
        socket_timeout=_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    names = sorted(
        {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
        | {settings.CELERY_TASK_DEFAULT_QUEUE}
    )
    try:
        info = client.info("server")
        queues = [Queue(name, client.llen(f"{prefix}{name}")) for name in names]
        running = client.zcard(f"{prefix}unacked_index")
        first = client.zrange(f"{prefix}unacked_index", 0, 0, withscores=True)
    except (RedisError, OSError) as error:
        return Broker(type(error).__name__, "", [], 0, None)
    finally:
        client.close()
    name = "Valkey" if "valkey_version" in info else "Redis"
    number = info.get("valkey_version") or info.get("redis_version", "")
    since = time.time() - first[0][1] if first else None
    return Broker("", f"{name} {number}", queues, running, since)


def versions() -> list[tuple[str, str]]:
    """What this web process runs."""
    return [
        ("Python", platform.python_version()),
        *((name, version(name)) for name in ("Django", "channels", "celery", "psycopg", "boto3")),
    ]
