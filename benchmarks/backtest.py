"""How long does it take to try a rule on a day of a million changes?

    .venv/bin/python benchmarks/backtest.py [--json] [--rows N] [--image-bytes N]

Fills a stream with N changes of orders within one day, two images of about 350 bytes each, and
tries rules on that day:

    numeric     three changes of the dearest orders of a customer within six hours: no index helps,
                every change is looked at, one in ten matches
    status      an order that is paid, an alert for each customer: one in five matches
    sequence    packed, and for the same order not shipped within an hour: two in five match
    rare        two changes of the address within an hour: by an index, one in a thousand matches
    every       each change, grouped by order: all match

`seconds` is the slowest of them; the first one finds nothing in memory. `plain_seconds` is what a
plain loop takes for the changes of the first one: reading them page by page in the feed's order,
and asking the filter of each. `ratio` is how many times longer that is than a backtest of that rule
right after it. `memory_mb` is the most that the process held.
"""

import argparse
import json
import resource
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from database import fresh_database
from stored_orders import Orders, fill

RULES: dict[str, dict[str, Any]] = {
    "numeric": {
        "kind": "count",
        "query": "new.total>{high}",
        "params": {"threshold": 3, "window": 6 * 3_600},
        "group_by": ["new.customer_id"],
    },
    "status": {"query": "new.status:paid", "group_by": ["new.customer_id"]},
    "sequence": {
        "kind": "sequence",
        "query": "new.status:packed",
        "then_query": "new.status:shipped",
        "params": {"within": 3_600, "expect": "missing"},
    },
    "rare": {
        "kind": "count",
        "query": "changed:address",
        "params": {"threshold": 2, "window": 3_600},
    },
    "every": {"group_by": ["item"]},
}


class OneDay(Orders):
    """The changes of the day that ends now."""

    def time_of(self, place: float) -> datetime:
        return self.begin + timedelta(seconds=int(place * 86_400))

    @property
    def high(self) -> float:
        """One order in ten is dearer."""
        return 0.9 * min(self.orders, 100_000) / 100

    @property
    def begin(self) -> datetime:
        return self._begin + timedelta(days=29)


def stored(rows: int, image_bytes: int) -> OneDay:
    from django.db import connection

    from streams.models import Batch, FeedHead
    from streams.testing.factories import make_shard, make_stream

    stream = make_stream("orders", key_schema=[["order_id", "S"]])
    orders = OneDay(stream, rows, image_bytes)
    fill(orders, make_shard(stream, newest_change_at=datetime.now(UTC)))
    with connection.cursor() as cursor:
        # As if it had been read as it happened.
        cursor.execute(
            """UPDATE streams_batch SET stored_at = newest_change_at + interval '1 second',
                                        numbered_at = newest_change_at + interval '1 second'"""
        )
    FeedHead.objects.update_or_create(pk=1, defaults={"position": Batch.objects.count()})
    return orders


def tried(orders: OneDay) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name in RULES:
        seconds, result = one(name, orders)
        figures[f"{name}_seconds"] = seconds
        figures[f"{name}_matched"], figures[f"{name}_fired"] = result.matched, result.fired
        assert result.verdict == "fired", f"{name}: {result.sentence}"
        assert result.evaluated == orders.number, f"{name}: {result.evaluated}"
    return figures


def one(name: str, orders: OneDay) -> tuple[float, Any]:
    from streams.alerting.definition import define
    from streams.queries.backtest import backtest

    definition = define({**RULES[name], "query": query_of(name, orders)})
    begun = time.perf_counter()
    until = orders.begin + timedelta(days=1, minutes=1)
    result = backtest(definition, since=orders.begin, until=until)
    return time.perf_counter() - begun, result


def query_of(name: str, orders: OneDay) -> str:
    query: str = RULES[name].get("query", "")
    return query.format(high=orders.high)


def plain(query: str) -> tuple[float, int]:
    """How long a plain loop takes, and how many matches it finds."""
    from streams.models import Stream
    from streams.queries import feed
    from streams.queries.event import Matching
    from streams.rules import compile_text

    begun, number, cursor = time.perf_counter(), 0, feed.START
    matches = Matching(Stream.objects.get(), compile_text(query))
    while True:
        page = feed.read(cursor, streams=None, limit=1_000)
        number += sum(map(matches, page.changes))
        cursor = page.cursor
        if not page.more:
            return time.perf_counter() - begun, number


def measure(rows: int, image_bytes: int) -> dict[str, float]:
    orders = stored(rows, image_bytes)
    figures = tried(orders)
    figures["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    plain_seconds, number = plain(query_of("numeric", orders))
    assert number == figures["numeric_matched"], "the backtest does not find what is there"
    again, _ = one("numeric", orders)
    return {
        "seconds": max(figures[f"{name}_seconds"] for name in RULES),
        "plain_seconds": plain_seconds,
        "ratio": plain_seconds / again,
        **figures,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line for machines")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--image-bytes", type=int, default=350, help="of each of the two images")
    options = parser.parse_args()
    with fresh_database():
        figures = measure(options.rows, options.image_bytes)
    said = {"rows": options.rows, "image_bytes": options.image_bytes}
    said |= {name: round(figure, 2) for name, figure in figures.items()}
    if options.json:
        print(json.dumps(said))
        return
    for name, figure in said.items():
        print(f"{name:<20} {figure:>14,.2f}")


if __name__ == "__main__":
    main()
