"""The model: tables, their streams, and a clock. No HTTP, no threads of its own, and the same
every time for the same seed, start and calls."""

import functools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, Concatenate, ParamSpec, TypeVar

from streams.testing.simulated import poison, spelling
from streams.testing.simulated.clock import Clock
from streams.testing.simulated.shards import Record, Shard
from streams.testing.simulated.spelling import Item
from streams.testing.simulated.streams import Limits, Stream

P = ParamSpec("P")
T = TypeVar("T")

ACCOUNT = "123456789012"
# The shortest sequence number AWS takes has 21 digits.
FIRST_SEQUENCE = 100_000_000_000_000_000_001
# Sequence numbers grow by up to this much: nobody may count on their being dense.
_STRIDE = 1_000


@dataclass
class Table:
    """`keys` are the (name, type) of the partition key and, if there is one, the sort key."""

    name: str
    keys: list[tuple[str, str]]
    created_at: float
    stream: Stream | None = None
    items: dict[str, Item] = field(default_factory=dict)


def _one_at_a_time(
    method: Callable[Concatenate["World", P], T],
) -> Callable[Concatenate["World", P], T]:
    """A test writes in its thread while the server reads in another."""

    @functools.wraps(method)
    def locked(self: "World", /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self.lock:
            self.settle()
            return method(self, *args, **kwargs)

    return locked


class World:
    def __init__(
        self,
        seed: int = 0,
        *,
        clock: Clock | None = None,
        region: str = "eu-central-1",
        limits: Limits | None = None,
        first_sequence: int = FIRST_SEQUENCE,
    ) -> None:
        self.lock = RLock()
        self.clock = clock or Clock()
        self.region = region
        self.limits = limits or Limits()
        self.tables: dict[str, Table] = {}
        self.streams: dict[str, Stream] = {}
        # Says how a record that is about to be written is broken: a kind of poison.py, or "".
        self.spoil: Callable[[str, str], str] = lambda table, shard: ""
        self._dice = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self.seed = seed
        self._sequences = self._count(first_sequence)
        self._due = 0.0

    def settle(self) -> None:
        """Let time do its work; every call begins with it."""
        with self.lock:
            now = self.clock.now()
            if now < self._due:
                return
            for stream in self.streams.values():
                stream.settle(self.limits, self._sequences, now)
            self._due = min([s.next_due(self.limits) for s in self.streams.values()], default=0.0)

    @_one_at_a_time
    def create_table(
        self,
        name: str,
        keys: list[tuple[str, str]] | None = None,
        *,
        view_type: str = spelling.NEW_AND_OLD_IMAGES,
        shards: int = 1,
    ) -> Table:
        """A table with its stream on; without, if `view_type` is empty."""
        if name in self.tables:
            raise ValueError(f"there is a table {name} already")
        self.tables[name] = Table(name, keys or [("pk", "S")], self.clock.now())
        if view_type:
            self.enable(name, view_type, shards)
        return self.tables[name]

    @_one_at_a_time
    def delete_table(self, name: str) -> None:
        """The table is gone; its stream stays readable for a day."""
        table = self.tables[name]
        if table.stream and table.stream.disabled_at is None:
            self.disable(name)
        del self.tables[name]

    @_one_at_a_time
    def enable(
        self, name: str, view_type: str = spelling.NEW_AND_OLD_IMAGES, shards: int = 1
    ) -> Stream:
        """Switch the table's stream on: a new one, with an ARN of its own."""
        table = self.tables[name]
        if table.stream and table.stream.disabled_at is None:
            raise ValueError(f"the stream of {name} is on")
        if view_type not in spelling.VIEW_TYPES:
            raise ValueError(f"{view_type} is no view type")
        stream = self._new_stream(table, view_type)
        stream.begin(shards, self._sequences)
        self.streams[stream.arn] = table.stream = stream
        self._due = 0.0
        return stream

    @_one_at_a_time
    def disable(self, name: str) -> None:
        self.stream_of(name).disable(self._sequences, self.clock.now())
        self._due = 0.0

    @_one_at_a_time
    def put(self, name: str, item: Item, *, poison_kind: str = "") -> Record | None:
        """Write an item; its record, or None where nothing changed or the stream is off."""
        table = self.tables[name]
        key = _key_text(table, item)
        old = table.items.get(key)
        table.items[key] = item
        if old == item:
            return None
        return self._record(table, old, item, poison_kind)

    @_one_at_a_time
    def delete(self, name: str, item: Item, *, by_time_to_live: bool = False) -> Record | None:
        """Delete the item with this key, by hand or because its time to live is over."""
        table = self.tables[name]
        old = table.items.pop(_key_text(table, item), None)
        return None if old is None else self._record(table, old, None, "", by_time_to_live)

    @_one_at_a_time
    def split(self, name: str, shard: str = "") -> list[Shard]:
        """Split a shard (the one with the lowest hashes, if none is named)."""
        stream = self.stream_of(name)
        return stream.split(_open_shard(stream, shard), self._sequences, self.clock.now())

    @_one_at_a_time
    def merge(self, name: str, first: str, second: str) -> Shard:
        stream = self.stream_of(name)
        pair = _open_shard(stream, first), _open_shard(stream, second)
        return stream.merge(*pair, self._sequences, self.clock.now())

    @_one_at_a_time
    def roll_over(self, name: str, shard: str = "") -> list[Shard]:
        """Roll over one shard, or all open ones."""
        stream = self.stream_of(name)
        chosen = [_open_shard(stream, shard)] if shard else stream.tree.open_shards()
        now = self.clock.now()
        return [stream.roll_over(each, self._sequences, now) for each in chosen]

    @_one_at_a_time
    def lose(self, shard: str) -> None:
        """A shard is gone before its time: neither listed nor readable any more."""
        for stream in self.streams.values():
            if shard in stream.tree.listed:
                stream.lose(stream.tree.listed[shard], self._sequences, self.clock.now())

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.settle()

    def stream_of(self, name: str) -> Stream:
        """The table's stream, which must be on."""
        stream = self.tables[name].stream
        if stream is None or stream.disabled_at is not None:
            raise ValueError(f"the stream of {name} is off")
        return stream

    @_one_at_a_time
    def truth(self, name: str) -> dict[str, dict[str, list[Record]]]:
        """Every record ever written for a table, by ARN and shard, in order."""
        return {
            arn: {shard.id: list(shard.records) for shard in stream.tree.all()}
            for arn, stream in self.streams.items()
            if stream.table == name
        }

    def _new_stream(self, table: Table, view_type: str) -> Stream:
        now = self.clock.now()
        while True:
            stream = Stream(
                prefix=f"arn:aws:dynamodb:{self.region}:{ACCOUNT}",
                table=table.name,
                view_type=view_type,
                keys=table.keys,
                now=now,
                dice=self._dice.getrandbits(32),
            )
            if stream.arn not in self.streams:
                return stream
            now += 0.001  # off and on within a millisecond is another stream all the same

    def _record(
        self, table: Table, old: Item | None, new: Item | None,
        poison_kind: str, by_time_to_live: bool = False,
    ) -> Record | None:  # fmt: skip
        if table.stream is None or table.stream.disabled_at is not None:
            return None
        item = old if new is None else new
        assert item is not None  # noqa: S101 - an item is written, or deleted
        keys = {name: item[name] for name, _ in table.keys}
        shard = table.stream.tree.owner_of(json.dumps(keys[table.keys[0][0]]))
        now = self.clock.now()
        sequence = next(self._sequences)
        spelled = spelling.record(
            arn=table.stream.arn, region=self.region, view_type=table.stream.view_type,
            sequence=sequence, second=int(now), keys=keys, old=old, new=new,
            by_time_to_live=by_time_to_live,
        )  # fmt: skip
        kind = poison_kind or self.spoil(table.name, shard.id)
        record = Record(
            sequence=sequence, raw=poison.spell(spelled, kind), at=now,
            size=spelled["dynamodb"]["SizeBytes"], operation=spelled["eventName"],
            key=_key_text(table, item), poison=kind,
        )  # fmt: skip
        shard.add(record)
        self._due = min(self._due, now + self.limits.keep_seconds)
        return record

    def _count(self, first: int) -> Iterator[int]:
        number = first
        while True:
            yield number
            number += self._dice.randint(1, _STRIDE)


def _key_text(table: Table, item: Item) -> str:
    return json.dumps({name: item[name] for name, _ in table.keys}, separators=(",", ":"))


def _open_shard(stream: Stream, name: str) -> Shard:
    found = stream.tree.open_shards()
    for shard in found:
        if name in ("", shard.id):
            return shard
    raise ValueError(f"no open shard {name} in {stream.arn}")


def pairs(given: list[list[str]]) -> list[tuple[str, str]]:
    """A key schema as JSON has it: a list of lists."""
    return [(name, kind) for name, kind in given]


def summary(shard: Shard) -> dict[str, Any]:
    """A shard for a test in another process."""
    return {
        "id": shard.id,
        "parent": shard.parent,
        "closed": shard.closed_at is not None,
        "written": len(shard.records),
        "trimmed": shard.trimmed,
        "served": shard.served,
    }
