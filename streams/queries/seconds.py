"""How many changes were stored in each of the last seconds, from the ledger."""

from collections.abc import Collection
from typing import Any

from django.db import connection

Counts = tuple[int, int, int]


def last_seconds(streams: Collection[int] | None, seconds: int) -> tuple[int, list[Counts]]:
    """The newest whole second since 1970, and for it and those before it, oldest first, how many
    (inserts, modifies, removes) were stored. Streams: None is all."""
    where, parameters = "", list[Any]()
    if streams is not None:
        where, parameters = "AND stream_id = ANY(%s)", [list(streams)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT floor(extract(epoch FROM clock_timestamp()))::bigint - 1")
        end = int(cursor.fetchone()[0])
        begin = end - seconds + 1
        cursor.execute(
            f"""SELECT floor(extract(epoch FROM stored_at))::bigint AS second,
                       sum(inserts), sum(modifies), sum(removes)
                FROM streams_batch
                WHERE stored_at >= to_timestamp(%s) AND stored_at < to_timestamp(%s) {where}
                GROUP BY second""",
            [begin, end + 1, *parameters],
        )
        found = {row[0]: (int(row[1]), int(row[2]), int(row[3])) for row in cursor.fetchall()}
    return end, [found.get(second, (0, 0, 0)) for second in range(begin, end + 1)]
