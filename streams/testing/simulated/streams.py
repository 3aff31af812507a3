"""One stream of a table: its ARN, its shards, and what time does to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from streams.testing.simulated.shards import HASHES, Shard, Tree


@dataclass(frozen=True)
class Limits:
    """AWS's own numbers; a `rollover_seconds` of 0 keeps shards open for ever."""

    keep_seconds: float = 24 * 3600
    rollover_seconds: float = 4 * 3600
    iterator_seconds: float = 15 * 60
    page_records: int = 1_000
    page_bytes: int = 1_048_576
    shards_per_page: int = 100


class Stream:
    def __init__(
        self, *, prefix: str, table: str, view_type: str, keys: list[tuple[str, str]],
        now: float, dice: int,
    ) -> None:  # fmt: skip
        at = datetime.fromtimestamp(now, UTC)
        self.label = at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}"
        self.arn = f"{prefix}:table/{table}/stream/{self.label}"
        self.table, self.view_type, self.keys = table, view_type, keys
        self.created_at = now
        self.disabled_at: float | None = None
        self.tree = Tree(dice)

    def begin(self, shards: int, sequences: Iterator[int]) -> None:
        """The first shards, each with an equal part of the hashes."""
        edges = [HASHES * number // shards for number in range(shards + 1)]
        for low, high in pairwise(edges):
            self.tree.open(low, high, None, next(sequences), self.created_at)

    def disable(self, sequences: Iterator[int], now: float) -> None:
        """No new records; what there is stays readable until it is trimmed."""
        self.disabled_at = now
        for shard in self.tree.open_shards():
            self.tree.close(shard, next(sequences), now)

    def split(self, shard: Shard, sequences: Iterator[int], now: float) -> list[Shard]:
        """Close a shard; two children take a half of its hashes each."""
        middle = (shard.low + shard.high) // 2
        self.tree.close(shard, next(sequences), now)
        return [
            self.tree.open(shard.low, middle, shard.id, next(sequences), now),
            self.tree.open(middle, shard.high, shard.id, next(sequences), now),
        ]

    def merge(self, first: Shard, second: Shard, sequences: Iterator[int], now: float) -> Shard:
        """Close two neighbours; one child takes their hashes, and names the first as its parent
        (the wire format has room for one)."""
        if first.high != second.low:
            raise ValueError("only neighbours can be merged, the one with the lower hashes first")
        for shard in (first, second):
            self.tree.close(shard, next(sequences), now)
        return self.tree.open(first.low, second.high, first.id, next(sequences), now)

    def roll_over(self, shard: Shard, sequences: Iterator[int], now: float) -> Shard:
        """Close a shard; one child takes all its hashes, as happens every few hours anyway."""
        self.tree.close(shard, next(sequences), now)
        return self.tree.open(shard.low, shard.high, shard.id, next(sequences), now)

    def lose(self, shard: Shard, sequences: Iterator[int], now: float) -> None:
        """The shard is gone before its time; an open one leaves a child that takes its hashes."""
        if shard.closed_at is None:
            self.roll_over(shard, sequences, now)
        self.tree.drop(shard)

    def settle(self, limits: Limits, sequences: Iterator[int], now: float) -> None:
        """Do what is due by now: roll over what was open too long, trim what is too old."""
        if limits.rollover_seconds:
            for shard in self.tree.open_shards():
                while shard.created_at + limits.rollover_seconds <= now:
                    due = shard.created_at + limits.rollover_seconds
                    shard = self.roll_over(shard, sequences, due)
        horizon = now - limits.keep_seconds
        for shard in list(self.tree.listed.values()):
            shard.trim(horizon)
            if shard.closed_at is not None and shard.closed_at <= horizon:
                self.tree.drop(shard)

    def next_due(self, limits: Limits) -> float:
        """When something is due again, if nothing is written meanwhile."""
        due = [float("inf")]
        for shard in self.tree.listed.values():
            if shard.closed_at is not None:
                due.append(shard.closed_at + limits.keep_seconds)
            elif limits.rollover_seconds:
                due.append(shard.created_at + limits.rollover_seconds)
            if shard.trimmed < len(shard.records):
                due.append(shard.records[shard.trimmed].at + limits.keep_seconds)
        return min(due)
