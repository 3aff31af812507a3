"""How long does a drop take, compared with deleting the same rows?

    .venv/bin/python benchmarks/retention.py [--json] [--rows N] [--rounds N]

Fills leaves of a stream with N rows each (10,000,000 is what is required to take less than a
second) in batches of a thousand, drops one as retention does, ledger included, and deletes the
rows of another. Prints medians over the rounds, in seconds:

    gone     until another connection finds the leaf dropped
    waited   the longest read of the stream by that connection, which reads all the time
    drop     until Postgres has also freed the files, for which nobody waits
    delete   a DELETE of the same rows, which frees no space yet
"""

import argparse
import json
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

from database import fresh_database

BATCH = 1_000
FILL = """
    INSERT INTO {leaf}
    SELECT %(begin)s::timestamptz + n * interval '1 second' * 86000 / %(rows)s,
           %(first)s + n / %(batch)s, %(stream)s, n %% %(batch)s, 100, 1, 'M',
           md5(n::text)::uuid, 'U' || lpad(n::text, 21, '0'), 'event-' || n,
           '{{"pk":{{"S":"a"}}}}', '{{"n":{{"N":"1"}}}}', '{{"n":{{"N":"2"}}}}', '{{n}}', NULL
    FROM generate_series(0, %(rows)s - 1) AS n
"""
LEDGER = """
    INSERT INTO streams_batch (id, stream_id, shard_id, number, feed_position, continued_from,
        first_sequence, last_sequence, inserts, modifies, removes, before_start, repeated, poison,
        size, oldest_change_at, newest_change_at, read_at, lease_token, digest)
    OVERRIDING SYSTEM VALUE
    SELECT batch_id, %(stream)s, %(shard)s, batch_id, batch_id, '', '', '', 0, count(*), 0, 0, 0, 0,
           sum(size), min(occurred_at), max(occurred_at), now(), 1, ''
    FROM {leaf} GROUP BY batch_id
"""


def measure(rows: int, rounds: int) -> dict[str, float]:
    """Median seconds of a drop, as different people feel it, and of a DELETE."""
    from streams.testing.factories import make_shard, make_stream

    shard = make_shard(make_stream(keep_days=2), caught_up_at=datetime.now(UTC))
    found: dict[str, list[float]] = {"gone": [], "waited": [], "drop": [], "delete": []}
    for number in range(rounds):
        day = datetime.now(UTC).date() - timedelta(days=400 - 2 * number)
        for way, seconds in drop(shard, day, rows, 2 * number).items():
            found[way].append(seconds)
        found["delete"].append(delete(shard, day + timedelta(days=1), rows, 2 * number + 1))
    return {way: statistics.median(seconds) for way, seconds in found.items()}


def drop(shard: Any, day: date, rows: int, number: int) -> dict[str, float]:
    from streams.models import Drop
    from streams.stages import retain

    leaf = fill(shard, day, rows, number)
    with ThreadPoolExecutor(1) as pool:
        reading = threading.Event()
        reader = pool.submit(read_until_gone, leaf, reading)
        reading.wait()
        begun = time.perf_counter()
        dropped = retain.drop(shard.stream, leaf)
        seconds = time.perf_counter() - begun
        assert dropped and Drop.objects.latest("pk").changes == rows
        gone, waited = reader.result()
    return {"gone": gone - begun, "waited": waited, "drop": seconds}


def read_until_gone(leaf: Any, reading: threading.Event) -> tuple[float, float]:
    """Read the leaf's stream until it is dropped: that moment, and the longest read."""
    from django.db import connection

    waited, there = 0.0, True
    with connection.cursor() as cursor:
        while there:
            begun = time.perf_counter()
            cursor.execute(
                """SELECT EXISTS (SELECT 1 FROM streams_change
                   WHERE stream_id = %s AND occurred_at >= %s AND occurred_at < %s)""",
                [leaf.stream_id, leaf.from_at, leaf.to_at],
            )
            there = cursor.fetchone()[0]
            waited = max(waited, time.perf_counter() - begun)
            reading.set()
    connection.close()
    return time.perf_counter(), waited


def delete(shard: Any, day: date, rows: int, number: int) -> float:
    from django.db import connection

    leaf = fill(shard, day, rows, number)
    with connection.cursor() as cursor:
        begun = time.perf_counter()
        cursor.execute(
            """DELETE FROM streams_change
               WHERE stream_id = %s AND occurred_at >= %s AND occurred_at < %s""",
            [leaf.stream_id, leaf.from_at, leaf.to_at],
        )
        seconds = time.perf_counter() - begun
        assert cursor.rowcount == rows
        cursor.execute(f"DROP TABLE {leaf.name}")
    return seconds


def fill(shard: Any, day: date, rows: int, number: int) -> Any:
    """A leaf with so many rows, as they would be after a day: written out and analysed."""
    from django.db import connection

    from streams import partitions

    stream_id = shard.stream_id
    partitions.ensure(stream_id, [day])
    (leaf,) = [leaf for leaf in partitions.leaves_of(stream_id) if leaf.begin == day]
    given = {"rows": rows, "batch": BATCH, "stream": stream_id, "begin": leaf.from_at}
    given |= {"first": 1 + number * rows, "shard": shard.pk}
    with connection.cursor() as cursor:
        cursor.execute(FILL.format(leaf=leaf.name), given)
        cursor.execute(LEDGER.format(leaf=leaf.name), given)
        cursor.execute(f"VACUUM ANALYZE {leaf.name}, streams_batch")
        cursor.execute("CHECKPOINT")
    return leaf


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line for machines")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with fresh_database():
        seconds = measure(options.rows, options.rounds)
    found = {
        "rows": options.rows,
        **{f"{way}_seconds": round(taken, 3) for way, taken in seconds.items()},
        "delete_to_drop": round(seconds["delete"] / seconds["drop"], 1),
    }
    if options.json:
        print(json.dumps(found))
        return
    for way, taken in seconds.items():
        print(f"{way:<8} {taken:>8.3f} s")
    print(f"{options.rows:,} rows; a DELETE takes {found['delete_to_drop']} times a drop")


if __name__ == "__main__":
    main()
