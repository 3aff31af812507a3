"""Recorded pages for benchmarks: full GetRecords answers over a shop's orders, ready as bytes.

A page's text is made once. Pages differ only in their shard's and their own number, inside the
sequence numbers and event ids, and one `bytes.replace` writes it in: millions of records need the
memory of a few pages.
"""

import functools
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from streams.testing.simulated import spelling
from streams.testing.simulated.exchange import Answer, Request
from streams.testing.simulated.orders import order
from streams.testing.simulated.refusals import Refused, invalid, unknown_operation

TABLE = "canned"
REGION = "eu-central-1"
_ARN = f"arn:aws:dynamodb:{REGION}:123456789012:table/{TABLE}"
_LABEL = "2027-01-15T08:00:00.000"
STREAM_ARN = f"{_ARN}/stream/{_LABEL}"
# In a page's text, the place of the shard's number (4 digits) and the page's (8 digits).
_MARK = b"@@@@PAGE@@@@"
# Sequence numbers have 21 digits: 1000 + shard, page, and the place in the page.
_FIRST_SHARD = 1_000
# GetRecords gives at most so much.
_PAGE_RECORDS, _PAGE_BYTES = 1_000, 1_048_576
# So many different pages, with different orders, come round and round.
_TEXTS = 8


@dataclass(frozen=True)
class Recording:
    """`records` of about `record_bytes`, spread over `shards`; `second` is when they happened. A
    shard that is `closed` ends after its last page; an open one goes on with empty ones."""

    records: int = 100_000
    record_bytes: int = 800
    shards: int = 1
    closed: bool = False
    second: int = 1_800_000_000

    @property
    def page_records(self) -> int:
        return _page_records(self.record_bytes)

    @property
    def shard_records(self) -> int:
        return math.ceil(self.records / self.shards)

    @property
    def shard_pages(self) -> int:
        return math.ceil(self.shard_records / self.page_records)

    def pages(self, shard: int = 0) -> Iterator[bytes]:
        """A shard's pages as the bodies of GetRecords' answers."""
        for page in range(self.shard_pages):
            yield self.body(shard, page)

    def body(self, shard: int, page: int, start: int = 0, most: int = _PAGE_RECORDS) -> bytes:
        """The answer that begins with this record of this page."""
        count = self._count_on(page)
        upto = max(start, min(count, start + most))
        following = self._following(shard, page, upto, count)
        number = b"%04d%08d" % (_FIRST_SHARD + shard, page)
        if start == 0 and upto == self.page_records:
            text = _whole(self.second, self.record_bytes, page % _TEXTS)
        else:
            text = b",".join(_texts(self.second, self.record_bytes, page % _TEXTS)[start:upto])
        return b'{"Records":[' + text.replace(_MARK, number) + b"]" + following

    def place_of(self, sequence: str) -> tuple[int, int]:
        """The page and the record in it that has this sequence number."""
        return int(sequence[4:12]), int(sequence[12:])

    def _count_on(self, page: int) -> int:
        left = self.shard_records - page * self.page_records
        return max(0, min(left, self.page_records))

    def _following(self, shard: int, page: int, upto: int, count: int) -> bytes:
        if upto >= count and page >= self.shard_pages - 1 and self.closed:
            return b"}"
        turned = upto >= self.page_records
        place = (page + 1, 0) if turned else (page, upto)
        return b',"NextShardIterator":"canned|%d|%d|%d"}' % (shard, *place)


def _page_records(record_bytes: int) -> int:
    return max(1, min(_PAGE_RECORDS, _PAGE_BYTES // record_bytes))


@functools.lru_cache(maxsize=4 * _TEXTS)
def _whole(second: int, record_bytes: int, number: int) -> bytes:
    return b",".join(_texts(second, record_bytes, number))


@functools.lru_cache(maxsize=4 * _TEXTS)
def _texts(second: int, record_bytes: int, number: int) -> list[bytes]:
    """A page's records, each with the mark where the page's number goes."""
    short = len(_text(second, 0, 0, 0))
    note = max(0, record_bytes - short) // 2  # it stands in both images
    count = _page_records(record_bytes)
    return [_text(second, number * count + place, place, note) for place in range(count)]


def _text(second: int, number: int, place: int, note_bytes: int) -> bytes:
    old, new = (order(number, version, note_bytes) for version in (1, 2))
    record = spelling.record(
        arn=STREAM_ARN,
        region=REGION,
        view_type=spelling.NEW_AND_OLD_IMAGES,
        sequence=0,
        second=second,
        keys={"pk": old["pk"]},
        old=old,
        new=new,
    )
    mark = _MARK.decode()
    record["eventID"] = f"{mark}{place:020x}"
    record["dynamodb"]["SequenceNumber"] = f"{mark}{place:09}"
    return spelling.encode(record)


class CannedService:
    """Serves a recording over the same calls; it watches nobody and nothing goes wrong. With
    `prepare`, all pages are made at once: less work while a benchmark runs, for more memory."""

    def __init__(self, recording: Recording, *, prepare: bool = False) -> None:
        self._recording = recording
        self._began = time.time()
        for number in range(min(_TEXTS, recording.shard_pages)):  # before any clock runs
            _whole(recording.second, recording.record_bytes, number)
        self._prepared: dict[tuple[int, int, int], bytes] = {}
        if prepare:
            for shard in range(recording.shards):
                for page, body in enumerate(recording.pages(shard)):
                    self._prepared[shard, page, 0] = body

    def answer(self, request: Request) -> Answer:
        try:
            given = json.loads(request.body)
            if request.operation == "GetRecords":
                return Answer(200, self._records(given), checksum=False)
            return Answer(200, spelling.encode(self._described(request.operation, given)))
        except Refused as refused:
            return Answer(refused.status, refused.body())

    def _records(self, given: dict[str, Any]) -> bytes:
        try:
            _, shard, page, start = given["ShardIterator"].split("|")
            place = int(shard), int(page), int(start)
        except (KeyError, ValueError) as error:
            raise invalid("Invalid ShardIterator") from error
        if place in self._prepared and not given.get("Limit"):
            return self._prepared[place]
        return self._recording.body(*place, most=given.get("Limit") or _PAGE_RECORDS)

    def _described(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        if operation == "GetShardIterator":
            return {"ShardIterator": self._iterator(given)}
        if operation == "DescribeTable":
            return {"Table": self._table()}
        if operation == "DescribeStream":
            return {"StreamDescription": self._stream(given.get("ExclusiveStartShardId", ""))}
        if operation == "ListTables":
            return {"TableNames": [TABLE]}
        raise unknown_operation()

    def _iterator(self, given: dict[str, Any]) -> str:
        shard = int(given["ShardId"].split("-")[1])
        kind = given["ShardIteratorType"]
        page, start = 0, 0
        if kind == "LATEST":
            page, start = divmod(self._recording.shard_records, self._recording.page_records)
        elif kind != "TRIM_HORIZON":
            page, start = self._recording.place_of(given["SequenceNumber"])
            start += kind == "AFTER_SEQUENCE_NUMBER"
            page, start = (
                page + start // self._recording.page_records,
                (start % self._recording.page_records),
            )
        return f"canned|{shard}|{page}|{start}"

    def _table(self) -> dict[str, Any]:
        return {
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "TableName": TABLE,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "TableStatus": "ACTIVE",
            "CreationDateTime": self._began,
            "TableArn": _ARN,
            "LatestStreamLabel": _LABEL,
            "LatestStreamArn": STREAM_ARN,
            "StreamSpecification": {
                "StreamEnabled": True,
                "StreamViewType": spelling.NEW_AND_OLD_IMAGES,
            },
        }

    def _stream(self, after: str) -> dict[str, Any]:
        listed = [self._shard(number) for number in range(self._recording.shards)]
        listed = [shard for shard in listed if shard["ShardId"] > after]
        more = {"LastEvaluatedShardId": listed[99]["ShardId"]} if len(listed) > 100 else {}
        return {
            "StreamArn": STREAM_ARN,
            "StreamLabel": _LABEL,
            "StreamStatus": "ENABLED",
            "StreamViewType": spelling.NEW_AND_OLD_IMAGES,
            "CreationRequestDateTime": self._began,
            "TableName": TABLE,
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "Shards": listed[:100],
            **more,
        }

    def _shard(self, number: int) -> dict[str, Any]:
        sequences = {"StartingSequenceNumber": f"{_FIRST_SHARD + number:04}{0:017}"}
        if self._recording.closed:
            sequences["EndingSequenceNumber"] = f"{_FIRST_SHARD + number:04}{10**17 - 1:017}"
        return {"ShardId": f"shardId-{number:020}-00000000", "SequenceNumberRange": sequences}
