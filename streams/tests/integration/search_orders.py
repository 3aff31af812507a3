"""Many orders in a stream, and a look at each statement by which search reads them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from streams.change import MODIFY, Change
from streams.indexing import term
from streams.item_key import canonical, item_bytes
from streams.models import Shard
from streams.tests.integration.storing import store_in

# A Thursday, when a leaf of seven days begins.
BEGIN = int(datetime(2027, 1, 14, tzinfo=UTC).timestamp()) * 1_000_000
SECOND, DAY = 1_000_000, 86_400_000_000


def order(stream_id: int, n: int, at: int, **fields: Any) -> Change:
    keys = {"order_id": {"S": f"ORD#{n:05}"}}
    image = {**keys, "customer_id": {"S": f"C-{n % 1000}"}, "n": {"N": str(n)}}
    given = {
        "operation": MODIFY,
        "item": item_bytes(stream_id, canonical(keys).encode()),
        "sequence": f"{n:021}",
        "event_id": f"event-{n}",
        "occurred": at,
        "keys": json.dumps(keys, separators=(",", ":")).encode(),
        "old": None,
        "new": json.dumps(image, separators=(",", ":")).encode(),
        "changed": ("address",) if n % 500 == 0 else ("status",),
        "user_identity": None,
        "size": 200,
        "terms": (term("customer_id", {"S": f"C-{n % 1000}"}),),
        **fields,
    }
    return Change(**given)


def orders(shard: Shard, number: int, step: int = SECOND, **fields: Any) -> None:
    """So many changes, each of its own order, one each step of time."""
    for first in range(0, number, 2_000):
        numbers = range(first, min(first + 2_000, number))
        stored = [order(shard.stream_id, n, BEGIN + n * step, **fields) for n in numbers]
        store_in(shard, *stored)


@contextmanager
def reading(before: Callable[[str, Any], None]) -> Iterator[None]:
    """Call this before each SELECT of a leaf."""

    def wrapper(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        if "streams_change_s" in sql and not sql.startswith("EXPLAIN"):
            before(sql, parameters)
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(wrapper):
        yield
