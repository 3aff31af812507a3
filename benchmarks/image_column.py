"""Which column type for images: `json`, which keeps the bytes, or `jsonb`, which takes them apart?

    .venv/bin/python benchmarks/image_column.py [--json] [--rows N]

Writes the same rows, two images of about 300 bytes each, by binary COPY into a table with `json`
and one with `jsonb` columns, several times in turn, and prints the medians. Needs a running
Deltawatch (`make up`) or DATABASE_URL; makes and drops its own temporary tables.
"""

import argparse
import json
import os
import statistics
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg

from dashboard import env

ROUNDS = 5
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER = struct.pack(">h", -1)


def image(number: int) -> bytes:
    """An order as DynamoDB spells it."""
    item = {
        "customer_id": {"S": f"CUST#{number % 997}"},
        "order_id": {"S": f"ORD#{number}"},
        "status": {"S": "paid"},
        "total": {"N": f"{number % 1000}.50"},
        "address": {"M": {"city": {"S": "Prague"}, "zip": {"S": "11000"}}},
        "lines": {"L": [{"M": {"sku": {"S": s}, "qty": {"N": "2"}}} for s in ("A-1", "B-7")]},
        "note": {"S": "please leave at the door"},
    }
    return json.dumps(item, separators=(",", ":")).encode()


def measure(connection: psycopg.Connection, kind: str, rows: int) -> tuple[float, float]:
    """Rows a second and bytes a row for a column type."""
    prefix = b"\1" if kind == "jsonb" else b""
    parts = [_HEADER]
    for number in range(rows):
        old, new = prefix + image(number), prefix + image(number + 1)
        parts.append(struct.pack(">hiqi", 3, 8, number, len(old)) + old)
        parts.append(struct.pack(">i", len(new)) + new)
    data = b"".join([*parts, _TRAILER])
    connection.execute(f"CREATE TEMP TABLE images (id bigint, old {kind}, new {kind})")
    begun = time.perf_counter()
    with connection.cursor().copy("COPY images FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(data)
    seconds = time.perf_counter() - begun
    size = connection.execute("SELECT pg_total_relation_size('images')").fetchone()
    assert size is not None
    connection.execute("DROP TABLE images")
    return rows / seconds, size[0] / rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=50_000)
    options = parser.parse_args()
    url = env.service("DATABASE_URL", "database_url") or os.environ["DATABASE_URL"]
    speeds: dict[str, list[float]] = {"json": [], "jsonb": []}
    sizes = {}
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(ROUNDS):
            for kind in speeds:
                speed, sizes[kind] = measure(connection, kind, options.rows)
                speeds[kind].append(speed)
    medians = {kind: statistics.median(found) for kind, found in speeds.items()}
    if options.json:
        ratios = {
            "speed_json_to_jsonb": round(medians["json"] / medians["jsonb"], 2),
            "bytes_json_to_jsonb": round(sizes["json"] / sizes["jsonb"], 2),
        }
        print(json.dumps(ratios))
        return
    for kind in speeds:
        print(f"{kind:<6} {medians[kind]:>10,.0f} rows/s {sizes[kind]:>8,.0f} bytes a row")


if __name__ == "__main__":
    main()
