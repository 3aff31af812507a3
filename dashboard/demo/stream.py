"""The demo's streams: one shard a table, in the place of moto's, fit to run for weeks.

moto 5.2 keeps every version of every item and every shard iterator for ever (measured: 25 KB a
write, 1.8 GB an hour at 20 writes a second), answers GetRecords at 4.5 ms a record, may number two
records alike when two writers meet, and takes an old ARN for the new stream. Here a record is
encoded once and kept for an hour, and an iterator is a text that needs no keeping.
"""

import base64
import json
import threading
import time
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, cast

from moto.core.exceptions import JsonRESTError
from moto.core.model_instances import model_data
from moto.core.utils import utcnow
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models import table as moto_table
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import StreamRecord, Table
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.dynamodbstreams import urls
from moto.dynamodbstreams.responses import DynamoDBStreamsHandler

FIRST_NUMBER = 1_100_000_000_017_454_423_009  # as with moto
ITERATOR_LIFE = 15 * 60.0  # seconds, as with AWS
PAGE_RECORDS, PAGE_BYTES = 1_000, 1_000_000  # as with AWS

# One lock for all shards: moto's tables are deep-copied by transactions, and a lock cannot be.
_lock = threading.RLock()
# Set once the state is written down: a record after that would be lost without a trace.
_closed = threading.Event()
# Set while the time to live deletes, so that its records carry the identity AWS gives them.
_by_time_to_live = threading.local()
_TIME_TO_LIVE = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


class Shard:
    """One table's only shard, in the place of moto's StreamShard."""

    def __init__(self, account_id: str, table: Table) -> None:
        self.table = table
        self.id = "shardId-00000001541626099285-f35f62ef"
        self.created_on = utcnow()
        self.oldest = FIRST_NUMBER  # moves on as records are dropped
        # Wall clocks jump while a laptop sleeps; what nobody could read must not expire meanwhile.
        self.kept: deque[tuple[float, bytes]] = deque()

    def to_json(self) -> dict[str, Any]:
        numbers = {"StartingSequenceNumber": str(FIRST_NUMBER)}
        return {"ShardId": self.id, "SequenceNumberRange": numbers}

    def add(self, old: Any, new: Any) -> None:
        view = (self.table.stream_specification or {})["StreamViewType"]
        name = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
        with _lock:
            if _closed.is_set():
                raise _error("InternalServerError", "The service is stopping.")
            record = StreamRecord(self.table, view, name, old, new, self.next_number()).record
            # AWS gives whole seconds too, and the region; moto always says us-east-1.
            record["dynamodb"]["ApproximateCreationDateTime"] = int(time.time())
            record["awsRegion"] = self.table.region_name
            if getattr(_by_time_to_live, "active", False):
                record["userIdentity"] = _TIME_TO_LIVE
            encoded = zlib.compress(dynamo_json_dump(record).encode(), level=1)
            self.kept.append((time.monotonic(), encoded))

    def next_number(self) -> int:
        return self.oldest + len(self.kept)

    def page(self, start: int, limit: int) -> list[bytes]:
        with _lock:
            skipped = start - self.oldest
            if skipped < 0:
                raise _error("TrimmedDataAccessException", "The records there are trimmed.")
            found = list(islice(self.kept, skipped, skipped + limit))
        page: list[bytes] = []
        size = 0
        for _, encoded in found:
            record = zlib.decompress(encoded)
            size += len(record)
            if page and size > PAGE_BYTES:
                break
            page.append(record)
        return page

    def trim(self, before: float) -> None:
        with _lock:
            while self.kept and self.kept[0][0] < before:
                self.kept.popleft()
                self.oldest += 1


class Streams(DynamoDBStreamsHandler):
    """The four calls of the streams service that need another answer than moto's."""

    def describe_stream(self) -> Any:
        self._shard(self._get_param("StreamArn"))
        return super().describe_stream()

    def get_shard_iterator(self) -> str:  # type: ignore[override]
        arn = self._get_param("StreamArn")
        shard = self._shard(arn)
        start = self._get_param("SequenceNumber")
        with _lock:
            number = {
                "TRIM_HORIZON": shard.oldest,
                "LATEST": shard.next_number(),
                "AT_SEQUENCE_NUMBER": int(start or 0),
                "AFTER_SEQUENCE_NUMBER": int(start or 0) + 1,
            }[self._get_param("ShardIteratorType")]
            if number < shard.oldest:
                raise _error("TrimmedDataAccessException", "The records there are trimmed.")
        return json.dumps({"ShardIterator": _iterator(arn, number)})

    def get_records(self) -> str:  # type: ignore[override]
        arn, number, made = _read_iterator(self._get_param("ShardIterator"))
        if time.time() - made > ITERATOR_LIFE:
            raise _error("ExpiredIteratorException", "The iterator is older than 15 minutes.")
        page = self._shard(arn).page(number, int(self._get_param("Limit") or PAGE_RECORDS))
        following = json.dumps(_iterator(arn, number + len(page)))
        return f'{{"NextShardIterator":{following},"Records":[{b",".join(page).decode()}]}}'

    def _shard(self, arn: str) -> Shard:
        """The shard of this very ARN; moto would take any ARN of the table for its latest."""
        tables = dynamodb_backends[self.current_account][self.region].tables
        table = tables.get(arn.split("/")[1] if "/" in arn else "")
        label = arn.rpartition("/")[2]
        if table is None or table.latest_stream_label != label or not table.stream_shard:
            raise _error(
                "ResourceNotFoundException", f"Requested resource not found: Stream: {arn}"
            )
        return cast(Shard, table.stream_shard)  # moto's class is replaced before there is any table


def _iterator(arn: str, number: int) -> str:
    position = base64.urlsafe_b64encode(json.dumps([number, time.time()]).encode()).decode()
    return f"{arn}|1|{position}"


def _read_iterator(iterator: str) -> tuple[str, int, float]:
    arn, _, position = iterator.rpartition("|1|")
    try:
        number, made = json.loads(base64.urlsafe_b64decode(position))
    except ValueError as error:
        raise _error("ValidationException", "Invalid ShardIterator.") from error
    return arn, number, made


def _error(kind: str, message: str) -> JsonRESTError:
    return JsonRESTError(f"com.amazonaws.dynamodb.v20120810#{kind}", message)


def take_over() -> None:
    """Put these in moto's place; to be called before there is any table."""
    moto_table.StreamShard = Shard  # type: ignore[assignment,misc]
    urls.url_paths["{0}/$"] = Streams.dispatch
    # moto notes every instance it makes, for a page that lists them; here nothing is noted.
    for model in model_data["dynamodb"].values():
        model.instances_tracked = deque(maxlen=0)  # type: ignore[attr-defined]
    _closed.clear()


@contextmanager
def closing() -> Iterator[None]:
    """No record is added from now on; keep-alive connections outlive the server's loop."""
    with _lock:
        _closed.set()
        yield


@contextmanager
def deleting_by_time_to_live() -> Iterator[None]:
    _by_time_to_live.active = True
    try:
        yield
    finally:
        _by_time_to_live.active = False


def all_tables() -> list[Table]:
    return [
        table
        for account in list(dynamodb_backends.values())
        for backend in list(account.values())
        for table in list(backend.tables.values())
    ]


def all_items(table: Table) -> list[Item]:
    """moto's own list fails when somebody writes at that moment."""
    held: list[Any] = list(table.items.values())
    return [i for each in held for i in list(each.values())] if table.has_range_key else held
