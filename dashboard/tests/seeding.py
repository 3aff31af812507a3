"""A small shop whose changes the page and feed tests look at."""

import asyncio
import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, ParamSpec, TypeVar

from channels.layers import get_channel_layer
from django.db import connection
from django.utils import timezone

from dashboard.feed.hub import Hub
from streams.change import INSERT, MODIFY, REMOVE, Change
from streams.item_key import canonical, item_id, token
from streams.models import FeedHead, Heartbeat, Poller, Stream
from streams.queries import feed
from streams.queries.feed import StoredChange
from streams.stages.publish import number_batches
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.storing import alone, store_in

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_sequences = itertools.count(1)
# Feed positions grow over all tests: a server that is shared by tests must not see the feed go
# back when the database is emptied between them.
_positions = itertools.count(1_000_000, 1_000_000)

Item = dict[str, Any]


def text(value: str) -> Item:
    return {"S": value}


def order(status: str, total: str = "12.50", **fields: Item) -> Item:
    return {"status": text(status), "total": {"N": total}, **fields}


class Shop:
    """One stream with one shard; every `write` is a batch that is visible in the feed."""

    def __init__(self, name: str = "orders", **fields: Any) -> None:
        self.stream: Stream = make_stream(name, **fields)
        self.shard = make_shard(self.stream, f"shardId-{name}")

    def insert(self, key: str, new: Item | None) -> StoredChange:
        return self.write((key, INSERT, None, new))[0]

    def modify(self, key: str, old: Item | None, new: Item | None) -> StoredChange:
        return self.write((key, MODIFY, old, new))[0]

    def remove(self, key: str, old: Item | None) -> StoredChange:
        return self.write((key, REMOVE, old, None))[0]

    def write_many(self, count: int, first: int = 0) -> list[StoredChange]:
        """`count` changes of as many items, in batches as large as a page of the source."""
        rows = [
            (f"item-{n}", MODIFY, order("new"), order("paid")) for n in range(first, first + count)
        ]
        return [
            change
            for start in range(0, count, 1000)
            for change in self.write(*rows[start : start + 1000])
        ]

    def write(self, *rows: tuple[str, str, Item | None, Item | None]) -> list[StoredChange]:
        begin = feed.head()
        store_in(self.shard, *[self.change(*row) for row in rows])
        number_batches()
        return feed.read(begin, streams=[self.stream.pk], limit=len(rows)).changes

    def change(
        self, key: str, operation: str, old: Item | None, new: Item | None, ttl: bool = False
    ) -> Change:
        keys = {"pk": text(key)}
        sequence = next(_sequences)
        both = old is not None and new is not None
        names = [
            name for name in {**(new or {}), **(old or {})} if _get(old, name) != _get(new, name)
        ]
        return Change(
            operation=operation,
            item=item_id(self.stream.pk, canonical(keys)).bytes,
            sequence=str(sequence).zfill(21),
            event_id=f"event-{sequence}",
            occurred=int(timezone.now().timestamp()) * 1_000_000,
            keys=json.dumps(keys).encode(),
            old=None if old is None else json.dumps({**keys, **old}).encode(),
            new=None if new is None else json.dumps({**keys, **new}).encode(),
            changed=tuple(names) if both or (operation != MODIFY and (old or new)) else None,
            user_identity=b'{"principalId":"dynamodb.amazonaws.com"}' if ttl else None,
            size=200,
        )

    def token(self, key: str) -> str:
        return token(canonical({"pk": text(key)}))


def _get(image: Item | None, name: str) -> Any:
    return (image or {}).get(name)


def begin_feed() -> None:
    """A feed that begins after every one that a test has had."""
    FeedHead.objects.update_or_create(pk=1, defaults={"position": next(_positions)})


def all_well() -> None:
    """Workers and beat show signs of life."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    Poller.objects.create(number=1, owner="test", expires_at=now + timedelta(minutes=5))
    Heartbeat.objects.create(name="beat", seen_at=now)


async def in_store(
    work: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """Database work of an async test, in a connection that is closed after it."""
    return await asyncio.to_thread(alone, partial(work, *args, **kwargs))


async def close_layer(hub: Hub) -> None:
    """End a test's connections to Redis while its event loop still runs."""
    if hub._listening:
        await get_channel_layer().flush()  # forgets the channel, so nothing is asked of Redis
        hub._listening.cancel()
