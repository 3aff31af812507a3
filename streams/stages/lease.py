"""Who reads what: seats for the pollers, and leases on shards.

Every time here is the database's clock, so a worker with a wrong clock harms nobody. A lease's
token grows with each new owner; the storing transaction checks it (stages/store.py).
"""

import math
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

# A dead poller's shards are free after this long; UPKEEP renews well before.
LEASE_SECONDS = 10
UPKEEP_SECONDS = 2


class Leased(NamedTuple):
    """A shard that was just leased, with all that reading it needs."""

    shard_id: int
    token: int
    stream_id: int
    generation: int
    arn: str
    name: str
    position: str
    iterator: str
    iterator_age: float | None
    number: int
    digest: bytes
    start_at: datetime | None


class Held(NamedTuple):
    """What a renewal writes about a held shard; ages are in seconds, None for not yet."""

    shard_id: int
    token: int
    read_age: float | None
    caught_up_age: float | None
    iterator: str
    iterator_age: float | None


# A shard may be read when its stream is not paused, its parent has ended, and every shard of the
# stream's earlier ARNs has ended: so each item's order is kept across splits and new ARNs.
_READABLE = """
    s.ended_at IS NULL AND s.listed AND st.paused_at IS NULL
    AND (s.parent_id IS NULL OR p.ended_at IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM streams_shard o WHERE o.stream_id = s.stream_id
                    AND o.generation < s.generation AND o.ended_at IS NULL)
"""
_SHARDS = """
    streams_shard s JOIN streams_stream st ON st.id = s.stream_id
    LEFT JOIN streams_shard p ON p.id = s.parent_id
"""


def take_seat(owner: str) -> int | None:
    """Claim one of the POLLERS seats; its number, or None when all are taken."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO streams_poller (number, owner)
               SELECT generate_series(1, %s), '' ON CONFLICT (number) DO NOTHING""",
            [settings.POLLERS],
        )
        cursor.execute(
            """UPDATE streams_poller SET owner = %s,
                   expires_at = clock_timestamp() + make_interval(secs => %s)
               WHERE id = (SELECT id FROM streams_poller
                           WHERE number <= %s
                             AND (expires_at IS NULL OR expires_at < clock_timestamp())
                           ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING number""",
            [owner, LEASE_SECONDS, settings.POLLERS],
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def keep_seat(owner: str) -> bool:
    """Renew the seat; False if somebody else has it now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE streams_poller
               SET expires_at = clock_timestamp() + make_interval(secs => %s) WHERE owner = %s""",
            [LEASE_SECONDS, owner],
        )
        return bool(cursor.rowcount == 1)


def leave_seat(owner: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE streams_poller SET owner = '', expires_at = NULL WHERE owner = %s", [owner]
        )


def live_pollers() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM streams_poller WHERE expires_at > clock_timestamp()")
        return int(cursor.fetchone()[0])


def fair_share() -> int:
    """How many shards each poller should hold.

    One that is held and not listed any more counts, too, or it would keep its poller from another.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT count(*) FROM {_SHARDS}
                WHERE ({_READABLE})
                   OR (s.ended_at IS NULL AND s.lease_expires_at > clock_timestamp())"""
        )
        readable = cursor.fetchone()[0]
    return math.ceil(int(readable) / max(1, live_pollers()))


def acquire(owner: str, most: int) -> list[Leased]:
    """Lease up to `most` shards that nobody reads, those unread the longest first."""
    if most <= 0:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE streams_shard t SET lease_owner = %s, lease_token = t.lease_token + 1,
                    lease_expires_at = clock_timestamp() + make_interval(secs => %s)
                FROM (SELECT s.id, st.start_at FROM {_SHARDS}
                      WHERE {_READABLE}
                        AND (s.lease_expires_at IS NULL OR s.lease_expires_at < clock_timestamp())
                      ORDER BY s.last_read_at NULLS FIRST, s.id LIMIT %s
                      FOR UPDATE OF s SKIP LOCKED) free
                WHERE t.id = free.id
                RETURNING t.id, t.lease_token, t.stream_id, t.generation, t.arn, t.name,
                    t.position, t.iterator,
                    extract(epoch FROM clock_timestamp() - t.iterator_at)::float8,
                    t.number, t.digest, free.start_at""",
            [owner, LEASE_SECONDS, most],
        )
        return [Leased(*_plain(row)) for row in cursor.fetchall()]


def renew(held: Sequence[Held]) -> set[int]:
    """Renew leases and write down what was read since; the ids that are still ours.

    A shard drops out when another poller has it, or when its stream was paused.
    """
    return _write(held, "clock_timestamp() + make_interval(secs => %s)", [LEASE_SECONDS])


def release(held: Sequence[Held]) -> None:
    """Give shards back at once, with the place to read on from."""
    _write(held, "NULL", [])


def _write(held: Sequence[Held], expires: str, parameters: Collection[Any]) -> set[int]:
    if not held:
        return set()
    columns = [list(column) for column in zip(*held, strict=True)]
    # Row locks are taken in one order, so that two writers of many shards cannot deadlock.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH given AS (
                    SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::float8[], %s::float8[],
                                         %s::text[], %s::float8[])
                    AS g(id, token, read_age, caught_up_age, iterator, iterator_age)
                ), locked AS (
                    SELECT s.id FROM streams_shard s JOIN given g ON g.id = s.id
                        AND g.token = s.lease_token
                    ORDER BY s.id FOR UPDATE OF s
                )
                UPDATE streams_shard t SET lease_expires_at = {expires},
                    last_read_at = greatest(t.last_read_at,
                        clock_timestamp() - make_interval(secs => g.read_age)),
                    caught_up_at = greatest(t.caught_up_at,
                        clock_timestamp() - make_interval(secs => g.caught_up_age)),
                    iterator = g.iterator,
                    iterator_at = clock_timestamp() - make_interval(secs => g.iterator_age)
                FROM given g, locked l, streams_stream st
                WHERE t.id = g.id AND l.id = t.id AND t.lease_token = g.token
                  AND st.id = t.stream_id
                RETURNING t.id, st.paused_at IS NULL""",
            [*columns, *parameters],
        )
        return {shard_id for shard_id, running in cursor.fetchall() if running}


def _plain(row: Sequence[Any]) -> Sequence[Any]:
    return [bytes(value) if isinstance(value, memoryview) else value for value in row]
