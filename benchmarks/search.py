"""How long does it take to find changes among ten million, and what do the indexes cost?

    .venv/bin/python benchmarks/search.py [--json] [--rows N] [--image-bytes N] [--queries N]

Fills a stream with N changes of orders over 30 days, two images of about 350 bytes each (with
10,000,000 rows the store takes about 13 GB of disk), and asks random questions. Prints p50 and p95
in milliseconds, the first page of a hundred each:

    history     an item's versions
    prefix      the changes of ten orders by the beginning of their key
    attribute   the changes of one customer, by the index of customer_id
    rare        changes of the address within a random day: one change in a thousand
    common      changes of the status within a random day: all changes
    page_1      the newest page of fifty, and page_1000 the thousandth one
    contains    what no index can answer: how many changes a second are looked at

and stores ready rows by COPY with and without the terms of one attribute, in alternation: changes
a second, and bytes a change that the terms and their index take.
"""

import argparse
import json
import random
import shutil
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from database import ROOT, fresh_database
from stored_orders import BATCH, Orders, copy, fill

PAGE = 50
DEEP = 1_000
# Table, indexes and ledger of a change, beside its images; and room for the write-ahead log.
ROW_BYTES, SPARE_BYTES = 800, 5_000_000_000


def ask(orders: Orders, queries: int) -> dict[str, float]:
    """p50 and p95 of each kind of question, in milliseconds."""
    from streams.item_key import canonical, item_id
    from streams.queries.history import versions

    dice = random.Random(7)

    def history() -> int:
        key = {"order_id": {"S": orders.key(dice.randrange(orders.orders))}}
        return len(versions(orders.stream, item_id(orders.stream.pk, canonical(key))).versions)

    def prefix() -> int:
        return found(f'order_id^="{orders.key(dice.randrange(orders.orders))[:-1]}"')

    def attribute() -> int:
        return found(f'new.customer_id:"{orders.customer(dice.randrange(orders.customers))}"')

    def within_a_day(name: str) -> int:
        since = orders.time_of(dice.random() * 29 / 30)
        return found(f"changed:{name}", since=since, until=since + timedelta(days=1))

    kinds: dict[str, Callable[[], int]] = {
        "history": history,
        "prefix": prefix,
        "attribute": attribute,
        "rare": lambda: within_a_day("address"),
        "common": lambda: within_a_day("status"),
    }
    answers: dict[str, float] = {}
    for name, question in kinds.items():
        answers |= percentiles(name, question, queries)
    return answers


def found(expression: str, **asked: Any) -> int:
    from streams.queries.search import search
    from streams.rules.expressions.compiler import compile_expression

    page = search(compile_expression(expression), **asked)
    assert page.complete, expression
    return len(page.changes)


def percentiles(name: str, question: Callable[[], int], queries: int) -> dict[str, float]:
    seconds, answered = [], 0
    for _ in range(queries):
        begun = time.perf_counter()
        answered += bool(question())
        seconds.append(time.perf_counter() - begun)
    assert answered > queries / 2, f"{name} finds nothing"
    cuts = statistics.quantiles(seconds, n=20)
    return {f"{name}_p50_ms": cuts[9] * 1_000, f"{name}_p95_ms": cuts[18] * 1_000}


def pages(queries: int, rows: int) -> dict[str, float]:
    """The first page and a deep one, in alternation."""
    from streams.queries.search import Place, search
    from streams.rules.expressions.compiler import compile_expression

    everything = compile_expression("op:MODIFY")
    deep = min(DEEP, rows // PAGE - 1)
    place: Place | None = None
    for _ in range(deep - 1):
        place = search(everything, before=place, limit=PAGE).older
    seconds: dict[Place | None, list[float]] = {None: [], place: []}
    for _ in range(queries):
        for before, taken in seconds.items():
            begun = time.perf_counter()
            assert len(search(everything, before=before, limit=PAGE).changes) == PAGE
            taken.append(time.perf_counter() - begun)
    first, thousandth = (statistics.median(taken) for taken in seconds.values())
    return {
        "page_1_ms": first * 1_000,
        f"page_{deep}_ms": thousandth * 1_000,
        "deep_page_to_first": thousandth / first,
    }


def looked_at() -> dict[str, float]:
    from streams.queries.search import search
    from streams.rules.expressions.compiler import compile_expression

    begun = time.perf_counter()
    page = search(compile_expression('new.note~"nowhere"'), budget_seconds=10)
    return {"contains_rows_per_second": page.looked_at / (time.perf_counter() - begun)}


def index_cost(rows: int, image_bytes: int) -> dict[str, float]:
    """Storing the same ready rows with the terms of one attribute and without."""
    speeds: dict[bool, list[float]] = {True: [], False: []}
    sizes: dict[bool, float] = {}
    for _ in range(3):
        for with_terms in speeds:
            speed, sizes[with_terms] = stored(rows, image_bytes, with_terms)
            speeds[with_terms].append(speed)
    fast, slow = statistics.median(speeds[False]), statistics.median(speeds[True])
    return {
        "stored_per_second_without_terms": fast,
        "stored_per_second_with_terms": slow,
        "with_terms_to_without": slow / fast,
        "bytes_a_change_with_terms": sizes[True],
        "terms_bytes_a_change": sizes[True] - sizes[False],
    }


def stored(rows: int, image_bytes: int, with_terms: bool) -> tuple[float, float]:
    """Changes a second, and bytes a change, of a new stream that is given these rows."""
    import msgspec
    from django.db import connection

    from streams import partitions
    from streams.testing.factories import make_stream

    stream = make_stream(key_schema=[["order_id", "S"]])
    orders = Orders(stream, rows, image_bytes)
    batches = list(orders.batches())
    today = datetime.now(UTC).date()
    partitions.ensure(stream.pk, {today - timedelta(days=day) for day in range(32)})
    names = [leaf.name for leaf in partitions.leaves_of(stream.pk)]
    with connection.cursor() as cursor:
        if not with_terms:
            batches = [[msgspec.structs.replace(c, terms=()) for c in b] for b in batches]
            cursor.execute(f"DROP INDEX {', '.join(f'{name}_terms' for name in names)}")
        cursor.execute("CHECKPOINT")
        begun = time.perf_counter()
        for number, batch in enumerate(batches, 1):
            copy(stream.pk, number, batch)
        seconds = time.perf_counter() - begun
        size = 0
        for name in names:
            cursor.execute(f"VACUUM {name}")
            cursor.execute(f"SELECT pg_total_relation_size('{name}')")
            size += cursor.fetchone()[0]
        cursor.execute(f"DROP TABLE {partitions.parent_of(stream.pk)}")
    return rows / seconds, size / rows


def measure(rows: int, image_bytes: int, queries: int) -> dict[str, float]:
    from streams.testing.factories import make_shard, make_stream

    cost = index_cost(min(rows, 100 * BATCH), image_bytes)
    stream = make_stream("orders", key_schema=[["order_id", "S"]])
    orders = Orders(stream, rows, image_bytes)
    begun = time.perf_counter()
    fill(orders, make_shard(stream, newest_change_at=datetime.now(UTC)))
    filled = {"fill_seconds": time.perf_counter() - begun}
    return {**filled, **ask(orders, queries), **pages(queries, rows), **looked_at(), **cost}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line for machines")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--image-bytes", type=int, default=350, help="of each of the two images")
    parser.add_argument("--queries", type=int, default=100, help="of each kind")
    options = parser.parse_args()
    needed = options.rows * (2 * options.image_bytes + ROW_BYTES) + SPARE_BYTES
    if shutil.disk_usage(ROOT).free < needed:
        parser.error(f"this needs {needed / 1e9:.0f} GB of disk: use fewer --rows or --image-bytes")
    with fresh_database():
        answers = measure(options.rows, options.image_bytes, options.queries)
    said = {"rows": options.rows, "image_bytes": options.image_bytes}
    said |= {name: round(figure, 2) for name, figure in answers.items()}
    if options.json:
        print(json.dumps(said))
        return
    for name, figure in said.items():
        print(f"{name:<34} {figure:>14,.2f}")


if __name__ == "__main__":
    main()
