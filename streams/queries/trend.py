"""Which way a lag moves, from the ledger: what it was a minute or two ago."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

# Far enough back to see a movement, and a stretch in which a shard that is read surely stored.
_UNTIL, _FROM = timedelta(seconds=60), timedelta(seconds=150)


def earlier_lags(shards: Collection[int]) -> dict[int, tuple[timedelta, datetime]]:
    """The lag of each of these shards at its last store of more than a minute ago, and when that
    was. A shard without a store in the minute and a half before is left out."""
    if not shards:
        return {}
    parameters: list[Any] = [_FROM, _UNTIL, list(shards)]
    with connection.cursor() as cursor:
        cursor.execute(
            # By its time first: the order alone would lead through all of a shard's ledger. The
            # clock in brackets is one value, which an index can be asked for.
            """WITH lately AS MATERIALIZED (
                   SELECT shard_id, number, newest_change_at, stored_at FROM streams_batch
                   WHERE stored_at BETWEEN (SELECT clock_timestamp() - %s)
                                     AND (SELECT clock_timestamp() - %s)
                     AND shard_id = ANY(%s) AND newest_change_at IS NOT NULL
               )
               SELECT DISTINCT ON (shard_id) shard_id, stored_at - newest_change_at, stored_at
               FROM lately ORDER BY shard_id, number DESC""",
            parameters,
        )
        return {shard: (lag, at) for shard, lag, at in cursor.fetchall()}
