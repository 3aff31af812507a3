"""Shards: one stream's tree of them. Keys are routed by their hash, and each shard owns a range of
hashes; a closed one hands its range to its children."""

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from hashlib import blake2b

# Hashes are 64 bits.
HASHES = 2**64


@dataclass(frozen=True)
class Record:
    """A record as it is in the stream; `poison` says how it is broken, if it is."""

    sequence: int
    raw: bytes
    at: float
    size: int
    operation: str
    key: str
    poison: str = ""


@dataclass
class Shard:
    """`records` holds all that were ever written; the first `trimmed` of them are gone."""

    id: str
    low: int
    high: int
    parent: str | None
    starting: int
    created_at: float
    ending: int | None = None
    closed_at: float | None = None
    records: list[Record] = field(default_factory=list)
    trimmed: int = 0
    # How many of the records were in an answer that was sent whole.
    served: int = 0

    def add(self, record: Record) -> None:
        self.records.append(record)

    def trim(self, horizon: float) -> None:
        """Forget the records written at or before the horizon."""
        while self.trimmed < len(self.records) and self.records[self.trimmed].at <= horizon:
            self.trimmed += 1

    def place_after(self, sequence: int) -> int:
        """How many of all its records have this sequence or a lower one."""
        return bisect_right(self.records, sequence, key=lambda record: record.sequence)

    def last_trimmed(self) -> int:
        """The sequence of the newest record that is gone; -1 if none is."""
        return self.records[self.trimmed - 1].sequence if self.trimmed else -1


class Tree:
    """All shards of a stream, in the order they came into being."""

    def __init__(self, dice: int) -> None:
        self._dice = dice
        self._number = 0
        self.listed: dict[str, Shard] = {}
        # Trimmed or lost: no call finds them, but the truth has them.
        self.past: dict[str, Shard] = {}
        self._open: list[tuple[int, Shard]] = []

    def open(self, low: int, high: int, parent: str | None, sequence: int, now: float) -> Shard:
        """A new shard. Ids grow with time, so that a listing can go on after any of them."""
        self._number = max(self._number + 1, int(now * 1000))
        suffix = blake2b(f"{self._dice} {self._number}".encode(), digest_size=4).hexdigest()
        name = f"shardId-{self._number:020}-{suffix}"
        shard = Shard(name, low, high, parent, sequence, now)
        self.listed[name] = shard
        insort(self._open, (low, shard), key=lambda pair: pair[0])
        return shard

    def close(self, shard: Shard, sequence: int, now: float) -> None:
        shard.ending, shard.closed_at = sequence, now
        self._open = [pair for pair in self._open if pair[1] is not shard]

    def open_shards(self) -> list[Shard]:
        """The shards that take records, by their hashes."""
        return [shard for _, shard in self._open]

    def owner_of(self, key: str) -> Shard:
        """The shard that takes the records of this partition key."""
        digest = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big")
        place = bisect_right(self._open, digest, key=lambda pair: pair[0])
        return self._open[place - 1][1]

    def children_of(self, name: str) -> list[Shard]:
        return [shard for shard in self.listed.values() if shard.parent == name]

    def drop(self, shard: Shard) -> None:
        """The shard is in no listing any more, and cannot be read."""
        self.past[shard.id] = self.listed.pop(shard.id)
        self._open = [pair for pair in self._open if pair[1] is not shard]

    def all(self) -> list[Shard]:
        """Every shard there ever was, the oldest first."""
        return sorted([*self.past.values(), *self.listed.values()], key=lambda shard: shard.id)
