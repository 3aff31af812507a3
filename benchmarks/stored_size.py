"""How many bytes does a stored change take, indexes and ledger included?

    .venv/bin/python benchmarks/stored_size.py [--json] [--records N] [--record-bytes N]
                                               [--index NAMES]

Stores recorded pages of a shop's orders (by default such as have two images of about
350 bytes each) through the real parse and store, in full batches, and asks Postgres for the
sizes. Rows come in the order of their items' hashes, so the index is as full as in real life.
"""

import argparse
import json
import time
from typing import Any

from database import fresh_database


def store_pages(records: int, record_bytes: int, indexed: list[str] | None) -> int:
    """Store the pages as batches of one shard; the stream's id."""
    from streams.sources.base import Page
    from streams.sources.dynamodb import reader
    from streams.sources.registry import open_source
    from streams.stages.parse import parse_page
    from streams.stages.store import Tail, Target, store
    from streams.testing.factories import make_shard, make_stream
    from streams.testing.simulated.canned import Recording

    stream = make_stream(key_schema=[["pk", "S"]], indexed_attributes=indexed)
    shard = make_shard(stream, lease_token=1)
    target, tail = Target(stream, shard.pk, 1, 1), Tail("", 0, b"")
    recording = Recording(records=records, record_bytes=record_bytes, second=int(time.time()))
    source = open_source(stream.source, stream.options)
    for body in recording.pages():
        page = Page(reader._page(body)[0], "more", True)
        tail = store(
            target, tail, parse_page(source, stream.pk, page, tail.position, None, stream.indexed)
        )
    source.close()
    return stream.pk


def sizes(stream_id: int) -> dict[str, float]:
    """Bytes a change, by where they are."""
    from django.db import connection

    from streams import partitions

    totals = {"table": 0, "toast": 0}
    indexes = ("item", "batch", "time", "changed", "terms", "key")
    totals |= {f"{name}_index": 0 for name in indexes} | {"ledger": 0}
    changes = 0
    with connection.cursor() as cursor:
        for leaf in partitions.leaves_of(stream_id):
            cursor.execute(f"VACUUM ANALYZE {leaf.name}")
            parts = ", ".join(f"pg_relation_size('{leaf.name}_{name}')" for name in indexes)
            cursor.execute(
                f"""SELECT count(*), pg_relation_size('{leaf.name}'),
                       pg_table_size('{leaf.name}') - pg_relation_size('{leaf.name}'), {parts}
                    FROM {leaf.name}"""
            )
            count, *found = cursor.fetchone()
            changes += count
            for name, size in zip(totals, found, strict=False):
                totals[name] += size
        cursor.execute("SELECT pg_total_relation_size('streams_batch')")
        totals["ledger"] = cursor.fetchone()[0]
    return {name: total / changes for name, total in totals.items()}


def images_of(stream_id: int) -> float:
    """The mean length of the two images of a change together."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT avg(length(old::text) + length(new::text))::float8 FROM streams_change
               WHERE stream_id = %s""",
            [stream_id],
        )
        return float(cursor.fetchone()[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line for machines")
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--record-bytes", type=int, default=1_060)
    parser.add_argument("--index", default="", help="attributes to index, as add_stream takes them")
    options = parser.parse_args()
    with fresh_database():
        from streams.stages.add import parse_indexed

        stream_id = store_pages(options.records, options.record_bytes, parse_indexed(options.index))
        parts, images = sizes(stream_id), images_of(stream_id)
    found: dict[str, Any] = {name: round(size, 1) for name, size in parts.items()}
    found |= {"total": round(sum(parts.values()), 1), "images": round(images, 1)}
    if options.json:
        print(json.dumps(found))
        return
    for name, size in found.items():
        print(f"{name:<12} {size:>8,.1f} bytes a change")


if __name__ == "__main__":
    main()
