"""A store full of changes of orders, as after a month, made quickly for benchmarks of reading.

The rows are those that the store writes. Their indexes are made afterwards, which is quicker, and
leaves them as they are after a vacuum.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

BATCH = 1_000
DAYS = 30
STATUSES = ("pending", "paid", "packed", "shipped", "delivered")
# Of so many changes one changes the address; nearly all change the status.
RARE = 1_000
LEDGER = """
    INSERT INTO streams_batch (id, stream_id, shard_id, number, feed_position, continued_from,
        first_sequence, last_sequence, inserts, modifies, removes, before_start, repeated, poison,
        size, oldest_change_at, newest_change_at, read_at, lease_token, digest)
    OVERRIDING SYSTEM VALUE
    SELECT batch_id, %(stream)s, %(shard)s, batch_id, batch_id, '', '', '', 0, count(*), 0, 0, 0, 0,
           sum(size), min(occurred_at), max(occurred_at), now(), 1, ''
    FROM streams_change WHERE stream_id = %(stream)s GROUP BY batch_id
"""


class Orders:
    """`number` changes over 30 days up to now: ten of each order, a hundred of each customer."""

    def __init__(self, stream: Any, number: int, image_bytes: int) -> None:
        self.stream, self.number = stream, number
        self.orders, self.customers = max(number // 10, 1), max(number // 100, 1)
        self._step = next(p for p in (7_919, 104_729, 1_299_709) if self.orders % p)
        self._begin = datetime.now(UTC).replace(microsecond=0) - timedelta(days=DAYS)
        self._filler = "x" * max(image_bytes - len(self._image(0, 0, "")), 0)

    def time_of(self, place: float) -> datetime:
        """When the change at this place happened, 0.0 for the first up to 1.0 for the last."""
        return self._begin + timedelta(seconds=int(place * DAYS * 86_400))

    def key(self, order: int) -> str:
        return f"ORD#{order:08}"

    def customer(self, number: int) -> str:
        return f"C-{number:06}"

    def batches(self) -> Iterator[list[Any]]:
        for first in range(0, self.number, BATCH):
            last = min(first + BATCH, self.number)
            yield [self._change(n) for n in range(first, last)]

    def _change(self, n: int) -> Any:
        from streams.change import MODIFY, Change, microseconds
        from streams.indexing import term
        from streams.item_key import item_bytes

        order, version = n * self._step % self.orders, n // self.orders
        keys = f'{{"order_id":{{"S":"{self.key(order)}"}}}}'.encode()
        customer = self.customer(order % self.customers)
        return Change(
            operation=MODIFY,
            item=item_bytes(self.stream.pk, keys),
            sequence=f"{n:021}",
            event_id=f"{n:032x}",
            occurred=microseconds(self.time_of(n / self.number)),
            keys=keys,
            old=self._image(order, version, self._filler),
            new=self._image(order, version + 1, self._filler),
            changed=("address", "status") if n % RARE == 0 else ("status", "updated_at"),
            user_identity=None,
            size=500,
            terms=(term("customer_id", {"S": customer}),),
        )

    def _image(self, order: int, version: int, note: str) -> bytes:
        return (
            f'{{"order_id":{{"S":"{self.key(order)}"}},'
            f'"customer_id":{{"S":"{self.customer(order % self.customers)}"}},'
            f'"status":{{"S":"{STATUSES[version % len(STATUSES)]}"}},'
            f'"total":{{"N":"{order % 100_000 / 100:.2f}"}},"updated_at":{{"N":"{version}"}},'
            f'"note":{{"S":"{note}"}}}}'
        ).encode()


def fill(orders: Orders, shard: Any) -> None:
    """Store them, ledger included; afterwards as autovacuum leaves it."""
    from django.db import connection

    from streams import partitions

    days = {orders.time_of(n / DAYS).date() for n in range(DAYS + 1)}
    partitions.ensure(orders.stream.pk, days)
    names = [leaf.name for leaf in partitions.leaves_of(orders.stream.pk)]
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename = ANY(%s)", [names])
        made = [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = ANY(%s)", [names])
        cursor.execute(f"DROP INDEX {', '.join(row[0] for row in cursor.fetchall())}")
        for number, batch in enumerate(orders.batches(), 1):
            copy(orders.stream.pk, number, batch)
        for index in made:
            cursor.execute(index)
        cursor.execute(LEDGER, {"stream": orders.stream.pk, "shard": shard.pk})
        cursor.execute("UPDATE streams_feedhead SET position = (SELECT max(id) FROM streams_batch)")
        for name in [*names, "streams_batch"]:
            cursor.execute(f"VACUUM ANALYZE {name}")
        cursor.execute("CHECKPOINT")


def copy(stream_id: int, number: int, batch: list[Any]) -> None:
    from streams.stages import copy_change

    copy_change.copy(number, batch, [copy_change.row(stream_id, 1, change) for change in batch])
