"""The DynamoDB adapter: the port of sources/base.py over the wire calls of client.py."""

import codecs
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

import msgspec

from streams.change import Change
from streams.errors import SourceUnavailable
from streams.indexing import Indexed
from streams.sources.base import Description, ListedShard, Origin, Page
from streams.sources.dynamodb import lenient, records
from streams.sources.dynamodb.client import Client
from streams.sources.dynamodb.options import DynamoDBOptions
from streams.sources.dynamodb.shards import describe, list_shards

# GetRecords answers with at most 1,000 records or 1 MB, whichever comes first.
_MOST_RECORDS = 1_000
_NEARLY_A_MEGABYTE = 900_000

# An answer's body, as it came.
Body = bytes | memoryview

_utf_8 = codecs.getincrementaldecoder("utf-8")
_PIECE = 65_536

_ORIGINS = {Origin.OLDEST: "TRIM_HORIZON", Origin.NEWEST: "LATEST"}


class _Iterator(msgspec.Struct):
    ShardIterator: str


class _Answer(msgspec.Struct):
    Records: list[records.Record]  # without it, another thing than DynamoDB answered
    NextShardIterator: str | None = None


class _RawAnswer(msgspec.Struct):
    Records: list[msgspec.Raw]
    NextShardIterator: str | None = None


_iterator = msgspec.json.Decoder(_Iterator)
_answer = msgspec.json.Decoder(_Answer)
_raw_answer = msgspec.json.Decoder(_RawAnswer)


class _Records(Sequence[bytes]):
    """A page's records: decoded together, and as raw bytes only when somebody asks for them."""

    def __init__(self, answer: Body, decoded: list[records.Record]) -> None:
        self._answer, self.decoded = answer, decoded

    def __len__(self) -> int:
        return len(self.decoded)

    def __getitem__(self, place: Any) -> Any:
        return self._raw[place]

    @cached_property
    def _raw(self) -> list[bytes]:
        return [bytes(raw) for raw in _raw_answer.decode(self._answer).Records]


class DynamoDBSource:
    retention = timedelta(hours=24)

    def __init__(self, options: DynamoDBOptions) -> None:
        self._options = options
        self._client = Client(options)

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "DynamoDBSource":
        return cls(DynamoDBOptions.of(options))

    @property
    def options(self) -> DynamoDBOptions:
        return self._options

    def describe(self) -> Description:
        return describe(self._client, self._options)

    def shards(self, arn: str) -> Iterator[list[ListedShard]]:
        return list_shards(self._client, arn)

    def iterator(self, arn: str, shard: str, start: str | Origin) -> str:
        arguments = {"StreamArn": arn, "ShardId": shard}
        if isinstance(start, Origin):
            arguments["ShardIteratorType"] = _ORIGINS[start]
        else:
            arguments |= {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": start}
        answer = self._client.call("dynamodbstreams", "GetShardIterator", arguments)
        try:
            return _iterator.decode(answer).ShardIterator
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise _unreadable(error) from error

    def read(self, iterator: str) -> Page:
        answer = self._client.view("dynamodbstreams", "GetRecords", {"ShardIterator": iterator})
        found, following = _page(answer)
        return Page(
            records=found,
            iterator=following,
            full=len(found) >= _MOST_RECORDS or len(answer) >= _NEARLY_A_MEGABYTE,
        )

    def parse_all(self, raws: Sequence[bytes], stream_id: int, indexed: Indexed) -> list[Change]:
        if isinstance(raws, _Records):
            return records.parse_all(raws.decoded, stream_id, indexed)
        return [records.parse(raw, stream_id, indexed) for raw in raws]

    def parse(self, raw: bytes, stream_id: int, indexed: Indexed) -> Change:
        return records.parse(raw, stream_id, indexed)

    def sequence_of(self, raw: bytes) -> str:
        return records.sequence_of(raw)

    def readers(self, arn: str) -> list[str]:
        return [f"Lambda function {name}" for name in self._client.triggers(arn)]

    def close(self) -> None:
        self._client.close()


def _page(answer: Body) -> tuple[Sequence[bytes], str | None]:
    """The records of an answer, and where to go on."""
    try:
        _check_text(answer)
        try:
            page = _answer.decode(answer)
            return _Records(answer, page.Records), page.NextShardIterator
        except msgspec.ValidationError:  # one record is none: they are parsed one by one
            raw = _raw_answer.decode(answer)
            return [bytes(record) for record in raw.Records], raw.NextShardIterator
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # One string with a lone surrogate must not make its whole page unreadable.
        try:
            return lenient.page(bytes(answer))
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise _unreadable(error) from error


def _check_text(answer: Body) -> None:
    """UnicodeError if it is no UTF-8: msgspec leaves the text inside images unchecked, Postgres
    does not. In pieces: a page's text in one is memory to be fetched and given back (memory.py)."""
    decoder = _utf_8()
    for first in range(0, len(answer), _PIECE):
        decoder.decode(answer[first : first + _PIECE])
    decoder.decode(b"", final=True)


def _unreadable(error: Exception) -> SourceUnavailable:
    return SourceUnavailable(f"The answer cannot be read: {error}")
