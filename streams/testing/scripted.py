"""A pulled source in memory: shards, records and faults exactly as a test scripts them.

Records are spelled as DynamoDB spells them; what a test scripts here is how they move.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from streams.change import Change
from streams.errors import IteratorExpired, PositionTrimmed, ShardGone, SourceError
from streams.indexing import Indexed
from streams.sources.base import Description, ListedShard, Origin, Page
from streams.sources.dynamodb import records


@dataclass(frozen=True)
class ScriptedOptions:
    table: str = "scripted"

    def as_dict(self) -> dict[str, str]:
        return {"table": self.table}


@dataclass
class ScriptedShard:
    """`trimmed` is how many of its records are deleted already."""

    name: str
    parent: str | None = None
    closed: bool = False
    records: list[bytes] = field(default_factory=list)
    trimmed: int = 0


class ScriptedSource:
    """`streams` holds the shards of each ARN; `arn` is the current one. An error in `faults`,
    under a method's name, is raised by its next call; in `faults["page"]` by a listing after its
    first page."""

    def __init__(self, arn: str, *, view_type: str = "NEW_AND_OLD_IMAGES") -> None:
        self.options = ScriptedOptions()
        self.arn = arn
        self.view_type = view_type
        self.streams: dict[str, dict[str, ScriptedShard]] = {arn: {}}
        self.faults: dict[str, list[SourceError]] = defaultdict(list)
        self.listed_per_page = 100
        self.records_per_page = 1000
        self.down: SourceError | None = None
        self.retention = timedelta(hours=24)
        self.other_readers: list[str] = []
        self._iterators: set[str] = set()

    def add(self, name: str, parent: str | None = None, *, closed: bool = False) -> ScriptedShard:
        """Add a shard to the current ARN."""
        shard = ScriptedShard(name, parent, closed)
        self.streams[self.arn][name] = shard
        return shard

    def replace_arn(self, arn: str) -> None:
        """The stream was off and is on again: the old ARN's shards are closed."""
        for shard in self.streams[self.arn].values():
            shard.closed = True
        self.arn = arn
        self.streams[arn] = {}

    def expire_iterators(self) -> None:
        self._iterators.clear()

    def describe(self) -> Description:
        self._fail("describe")
        return Description(self.arn, self.view_type, [["pk", "S"]])

    def shards(self, arn: str) -> Iterator[list[ListedShard]]:
        self._fail("shards")
        if arn not in self.streams:
            raise ShardGone(f"no stream {arn}")
        listed = [ListedShard(s.name, s.parent, s.closed) for s in self.streams[arn].values()]
        for first in range(0, max(1, len(listed)), self.listed_per_page):
            if first:
                self._fail("page")
            yield listed[first : first + self.listed_per_page]

    def iterator(self, arn: str, shard: str, start: str | Origin) -> str:
        self._fail("iterator")
        found = self._shard(arn, shard)
        if start is Origin.NEWEST:
            return self._place(arn, shard, len(found.records))
        if start is Origin.OLDEST:
            return self._place(arn, shard, found.trimmed)
        after = [int(records.sequence_of(raw)) <= int(start) for raw in found.records]
        return self._place(arn, shard, sum(after))

    def read(self, iterator: str) -> Page:
        self._fail("read")
        if iterator not in self._iterators:
            raise IteratorExpired("the iterator is too old")
        arn, name, place = iterator.split("|")
        first, shard = int(place), self._shard(arn, name)
        if first < shard.trimmed:
            raise PositionTrimmed("the records after this place are deleted")
        page = shard.records[first : first + self.records_per_page]
        upto = first + len(page)
        over = shard.closed and upto == len(shard.records)
        following = None if over else self._place(arn, name, upto)
        return Page(page, following, full=upto < len(shard.records))

    def parse_all(self, raws: Sequence[bytes], stream_id: int, indexed: Indexed) -> list[Change]:
        return [self.parse(raw, stream_id, indexed) for raw in raws]

    def parse(self, raw: bytes, stream_id: int, indexed: Indexed) -> Change:
        return records.parse(raw, stream_id, indexed)

    def sequence_of(self, raw: bytes) -> str:
        return records.sequence_of(raw)

    def readers(self, arn: str) -> list[str]:
        self._fail("readers")
        return self.other_readers

    def close(self) -> None:
        """Nothing to give back."""

    def _shard(self, arn: str, name: str) -> ScriptedShard:
        try:
            return self.streams[arn][name]
        except KeyError as error:
            raise ShardGone(f"no shard {name} in {arn}") from error

    def _place(self, arn: str, shard: str, place: int) -> str:
        iterator = f"{arn}|{shard}|{place}"
        self._iterators.add(iterator)
        return iterator

    def _fail(self, method: str) -> None:
        if self.down:
            raise self.down
        if self.faults[method]:
            raise self.faults[method].pop(0)


def make_record(sequence: int, *, key: str = "a", seconds: float = 1.8e9, **fields: Any) -> bytes:
    """A record as DynamoDB spells it: a MODIFY, if the `fields` do not say otherwise; those with
    a small first letter belong to the record itself, the others to its `dynamodb` part."""
    own = {name: value for name, value in fields.items() if name[0].islower()}
    data = {
        "ApproximateCreationDateTime": seconds,
        "Keys": {"pk": {"S": key}},
        "SequenceNumber": str(sequence).zfill(21),
        "SizeBytes": 26,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        **{name: value for name, value in fields.items() if name not in own},
    }
    record = {"eventID": f"event-{sequence}", "eventName": "MODIFY", **own, "dynamodb": data}
    return json.dumps(record, separators=(",", ":")).encode()
