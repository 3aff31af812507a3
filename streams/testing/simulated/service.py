"""The service: one request in, one answer out. The world answers, faults spoil it, and the watch
writes down what the client did wrong."""

import itertools
import json
from collections.abc import Callable
from typing import Any

from streams.testing.simulated import operations, pages, refusals
from streams.testing.simulated.control import Control
from streams.testing.simulated.exchange import Answer, Request
from streams.testing.simulated.faults import Call, Faults, Plan
from streams.testing.simulated.pages import Iterator, Page
from streams.testing.simulated.refusals import Refused
from streams.testing.simulated.spelling import encode
from streams.testing.simulated.watch import Watch
from streams.testing.simulated.world import World

_SERVICES = ("DynamoDB_20120810", "DynamoDBStreams_20120810")
CONTROL_PATH = "/_control"
_FRONT_DOOR = b"<html><body><h1>503 Service Unavailable</h1></body></html>"


class Service:
    """`check_region` refuses calls that are signed for another region than the world's."""

    def __init__(
        self,
        world: World | None = None,
        faults: Faults | None = None,
        watch: Watch | None = None,
        *,
        check_region: bool = False,
    ) -> None:
        self.world = world or World()
        self.faults = faults or Faults(self.world.seed)
        self.watch = watch or Watch()
        self.control = Control(self.world, self.faults, self.watch)
        self._check_region = check_region
        self._chains = itertools.count(1)
        self._describing: dict[str, Callable[[World, dict[str, Any]], dict[str, Any]]] = {
            "DescribeTable": operations.describe_table,
            "ListTables": operations.list_tables,
            "ListStreams": operations.list_streams,
        }
        self.world.spoil = lambda table, shard: self.faults.spoil(
            table, shard, self.control.second()
        )

    def answer(self, request: Request) -> Answer:
        with self.world.lock:
            self.control.play()
            self.world.settle()
            if request.path == CONTROL_PATH:
                return Answer(*self.control.do(request.body))
            try:
                return self._answer(request)
            except Refused as refused:
                return Answer(refused.status, refused.body())

    def _answer(self, request: Request) -> Answer:
        service, _, operation = request.target.partition(".")
        if service not in _SERVICES:
            raise refusals.unknown_operation()
        self._check_signature(request.authorization)
        given = _arguments(request.body)
        call = self._call(operation, given)
        plan = self.faults.plan(call, self.control.second())
        if plan.vanish and call.shard:
            self.world.lose(call.shard)
        try:
            if plan.status:
                return Answer(plan.status, _FRONT_DOOR, plan.delay)
            self.watch.called(operation, call.arn, call.shard)
            if plan.refusal:
                raise plan.refusal
            return self._do(operation, given, plan)
        except Refused as refused:
            return Answer(refused.status, refused.body(), plan.delay, plan.ending)

    def _do(self, operation: str, given: dict[str, Any], plan: Plan) -> Answer:
        if operation == "GetRecords":
            return self._get_records(given, plan)
        if operation == "DescribeStream":
            result = operations.describe_stream(self.world, given, plan.lag)
        elif operation == "GetShardIterator":
            iterator = pages.give_iterator(self.world, given, next(self._chains))
            result = {"ShardIterator": iterator.spell()}
        elif operation in self._describing:
            result = self._describing[operation](self.world, given)
        else:
            raise refusals.unknown_operation()
        return Answer(200, encode(result), plan.delay, plan.ending)

    def _get_records(self, given: dict[str, Any], plan: Plan) -> Answer:
        limit = pages.check_limit(self.world, given.get("Limit"))
        iterator = Iterator.read(given.get("ShardIterator"))
        stream = operations.find_stream(self.world, iterator.arn)
        self.watch.reading(iterator, stream)
        if plan.empty:
            page = pages.empty_page(self.world, iterator)
        else:
            page = pages.read_page(self.world, iterator, limit, plan.repeat)
        return Answer(200, page.body(), plan.delay, plan.ending, sent=lambda: self._delivered(page))

    def _delivered(self, page: Page) -> None:
        page.shard.served = max(page.shard.served, page.start + len(page.records))
        if page.following is None:
            self.watch.ended(page.shard.id)

    def _call(self, operation: str, given: dict[str, Any]) -> Call:
        """What the faults and the watch may look at."""
        arn, shard = str(given.get("StreamArn", "")), str(given.get("ShardId", ""))
        if operation == "GetRecords":
            iterator = Iterator.read(given.get("ShardIterator"))
            arn, shard = iterator.arn, iterator.shard
        stream = self.world.streams.get(arn)
        table = stream.table if stream else str(given.get("TableName", ""))
        return Call(operation, table, arn, shard, operations.page_number(self.world, given))

    def _check_signature(self, authorization: str) -> None:
        if not authorization:
            raise refusals.unsigned()
        if self._check_region and f"/{self.world.region}/dynamodb/" not in authorization:
            raise refusals.wrong_region()


def _arguments(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except ValueError as error:
        raise refusals.unreadable_request() from error
    if not isinstance(given, dict):
        raise refusals.unreadable_request()
    return given
