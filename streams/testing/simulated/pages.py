"""Iterators and the pages of records they lead to."""

import base64
import binascii
import json
from dataclasses import dataclass, replace
from typing import Any

from streams.testing.simulated.operations import find_stream
from streams.testing.simulated.refusals import expired, invalid, not_found, trimmed
from streams.testing.simulated.shards import Record, Shard
from streams.testing.simulated.streams import Stream
from streams.testing.simulated.world import World

_SHORTEST_SEQUENCE = 21


@dataclass(frozen=True)
class Iterator:
    """A place in a shard: after which sequence number. `chain` stays the same from page to page,
    so it tells one reader from another; `origin` is the type it was asked for."""

    arn: str
    shard: str
    after: int
    given_at: float
    chain: int
    origin: str

    def spell(self) -> str:
        place = [self.shard, str(self.after), self.given_at, self.chain, self.origin]
        return f"{self.arn}|1|{base64.b64encode(json.dumps(place).encode()).decode()}"

    @classmethod
    def read(cls, text: Any) -> "Iterator":
        try:
            arn, _, place = str(text).split("|")
            shard, after, given_at, chain, origin = json.loads(base64.b64decode(place))
            return cls(arn, shard, int(after), given_at, chain, origin)
        except (ValueError, binascii.Error) as error:
            raise invalid("Invalid ShardIterator") from error


@dataclass(frozen=True)
class Page:
    """What GetRecords gives: the first of the shard's records in it, and where to go on."""

    shard: Shard
    start: int
    records: list[Record]
    following: Iterator | None

    def body(self) -> bytes:
        raw = b",".join([record.raw for record in self.records])
        if self.following is None:
            return b'{"Records":[' + raw + b"]}"
        spelled = self.following.spell().encode()
        return b'{"Records":[' + raw + b'],"NextShardIterator":"' + spelled + b'"}'


def give_iterator(world: World, given: dict[str, Any], chain: int) -> Iterator:
    """GetShardIterator."""
    stream = find_stream(world, str(given.get("StreamArn", "")))
    if not given.get("ShardId"):
        raise invalid("No ShardId specified.")
    shard = find_shard(stream, given["ShardId"])
    kind = given.get("ShardIteratorType")
    if kind == "TRIM_HORIZON":
        after = shard.last_trimmed()
    elif kind == "LATEST":
        after = shard.records[-1].sequence if shard.records else -1
    elif kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        sequence = _sequence(shard, given.get("SequenceNumber"))
        after = sequence - (kind == "AT_SEQUENCE_NUMBER")
    else:
        raise invalid("Invalid ShardIteratorType.")
    return Iterator(stream.arn, shard.id, after, world.clock.now(), chain, kind)


def _sequence(shard: Shard, text: Any) -> int:
    """The position a client gives, if the shard still has the record there."""
    if not isinstance(text, str) or not text.isdecimal():
        raise invalid("One or more parameter values were invalid: Invalid SequenceNumber")
    if len(text) < _SHORTEST_SEQUENCE:
        raise invalid(
            f"1 validation error detected: Value '{text}' at 'sequenceNumber' failed to satisfy "
            "constraint: Member must have length greater than or equal to 21"
        )
    sequence = int(text)
    if sequence < shard.starting or (shard.ending is not None and sequence > shard.ending):
        raise invalid("Invalid SequenceNumber for the shard")
    if sequence <= shard.last_trimmed():
        raise trimmed()
    return sequence


def find_shard(stream: Stream, name: str) -> Shard:
    shard = stream.tree.listed.get(name)
    if shard is None:
        raise not_found(f"Shard: {name}")
    return shard


def check_limit(world: World, limit: Any) -> int:
    if limit is None:
        return world.limits.page_records
    if not isinstance(limit, int) or limit < 1:
        raise invalid(f"Value '{limit}' at 'limit' failed to satisfy constraint: at least 1")
    if limit > 1_000:
        raise invalid(
            "One or more parameter values were invalid: Limit should be less than or equal to 1000"
        )
    return min(limit, world.limits.page_records)


def read_page(world: World, iterator: Iterator, limit: int, repeat: int = 0) -> Page:
    """The records from the iterator on. With `repeat`, so many of those before come again."""
    shard = _shard_of(world, iterator)
    place = shard.place_after(iterator.after)
    if place < shard.trimmed:
        raise trimmed()
    start = max(shard.trimmed, place - repeat)
    records = _fitting(shard, start, limit, world.limits.page_bytes)
    upto = start + len(records)
    if upto == len(shard.records) and shard.closed_at is not None:
        return Page(shard, start, records, None)
    after = records[-1].sequence if upto > place else iterator.after
    following = replace(iterator, after=after, given_at=world.clock.now())
    return Page(shard, start, records, following)


def empty_page(world: World, iterator: Iterator) -> Page:
    """No records although there are some: it says nothing about the shard's end."""
    shard = _shard_of(world, iterator)
    following = replace(iterator, given_at=world.clock.now())
    return Page(shard, shard.place_after(iterator.after), [], following)


def _shard_of(world: World, iterator: Iterator) -> Shard:
    age = world.clock.now() - iterator.given_at
    if age > world.limits.iterator_seconds:
        raise expired(age)
    return find_shard(find_stream(world, iterator.arn), iterator.shard)


def _fitting(shard: Shard, start: int, limit: int, most_bytes: int) -> list[Record]:
    """As many records as fit; the first always does."""
    fitting: list[Record] = []
    size = 0
    for record in shard.records[start : start + limit]:
        size += record.size
        if fitting and size > most_bytes:
            break
        fitting.append(record)
    return fitting
