"""The lives of a shop's items, at chosen times, for the tests of an item's pages."""

from datetime import timedelta
from typing import Any

import msgspec
from django.utils import timezone

from dashboard.tests.seeding import Item, Shop
from streams.change import INSERT, MODIFY, REMOVE, microseconds
from streams.queries import feed
from streams.queries.rows import StoredChange
from streams.stages.publish import number_batches
from streams.tests.integration.storing import store_in

HOUR = 3_600


def live(
    shop: Shop, key: str, *steps: tuple[float, Item | None], ttl: bool = False
) -> list[StoredChange]:
    """Store what was written to one item: (seconds ago, the image without its key, None for a
    deletion), in order. The stored changes, oldest first."""
    now = timezone.now().replace(microsecond=0)
    changes: list[Any] = []
    before: Item | None = None
    for ago, after in steps:
        operation = INSERT if before is None else REMOVE if after is None else MODIFY
        change = shop.change(key, operation, before, after, ttl=ttl and after is None)
        occurred = microseconds(now - timedelta(seconds=ago))
        changes.append(msgspec.structs.replace(change, occurred=occurred))
        before = after
    begin = feed.head()
    store_in(shop.shard, *changes)
    number_batches()
    return feed.read(begin, streams=[shop.stream.pk], limit=len(changes)).changes
