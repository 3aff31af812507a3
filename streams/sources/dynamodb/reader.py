"""The DynamoDB adapter: the port of sources/base.py over the wire calls of client.py."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from streams.change import Change
from streams.errors import SourceUnavailable
from streams.sources.base import Description, ListedShard, Origin, Page
from streams.sources.dynamodb import lenient, records
from streams.sources.dynamodb.client import Client
from streams.sources.dynamodb.options import DynamoDBOptions
from streams.sources.dynamodb.shards import describe, list_shards

# GetRecords answers with at most 1,000 records or 1 MB, whichever comes first.
_MOST_RECORDS = 1_000
_NEARLY_A_MEGABYTE = 900_000

_ORIGINS = {Origin.OLDEST: "TRIM_HORIZON", Origin.NEWEST: "LATEST"}


class _Iterator(msgspec.Struct):
    ShardIterator: str


class _Records(msgspec.Struct):
    Records: list[msgspec.Raw]  # without it, another thing than DynamoDB answered
    NextShardIterator: str | None = None


_iterator = msgspec.json.Decoder(_Iterator)
_records = msgspec.json.Decoder(_Records)


class DynamoDBSource:
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
        answer = self._client.call("dynamodbstreams", "GetRecords", {"ShardIterator": iterator})
        records, following = _page(answer)
        return Page(
            records=records,
            iterator=following,
            full=len(records) >= _MOST_RECORDS or len(answer) >= _NEARLY_A_MEGABYTE,
        )

    def parse(self, raw: bytes, stream_id: int) -> Change:
        return records.parse(raw, stream_id)

    def sequence_of(self, raw: bytes) -> str:
        return records.sequence_of(raw)

    def close(self) -> None:
        self._client.close()


def _page(answer: bytes) -> tuple[list[bytes], str | None]:
    """The raw records of an answer, and where to go on."""
    try:
        answer.decode()  # msgspec leaves the text inside images unchecked, and Postgres does not
        page = _records.decode(answer)
        return [bytes(raw) for raw in page.Records], page.NextShardIterator
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        # One string with a lone surrogate must not make its whole page unreadable.
        try:
            return lenient.page(answer)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise _unreadable(error) from error


def _unreadable(error: Exception) -> SourceUnavailable:
    return SourceUnavailable(f"The answer cannot be read: {error}")
