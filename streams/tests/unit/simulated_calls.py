"""Short ways to ask the simulated service without HTTP, on a clock that stands still."""

import json
from typing import Any

from streams.testing.simulated.clock import FIXED, Clock
from streams.testing.simulated.exchange import Answer, Request
from streams.testing.simulated.faults import Faults
from streams.testing.simulated.service import Service
from streams.testing.simulated.watch import Rates, Watch
from streams.testing.simulated.world import World

UNLIMITED = Rates(describe_stream=10**6, list_streams=10**6, get_records=10**6)


class Refusal(Exception):
    """The service's error; its text is the code without the namespace."""


def make_world(seed: int = 0, **settings: Any) -> World:
    """A world whose clock moves only by hand."""
    return World(seed, clock=Clock(FIXED, speed=0), **settings)


def make_service(world: World | None = None, *, watch: Watch | None = None) -> Service:
    world = world or make_world()
    return Service(world, Faults(world.seed), watch or Watch(UNLIMITED))


def answer_of(service: Service, operation: str, **given: Any) -> Answer:
    target = "DynamoDB_20120810" if "Table" in operation else "DynamoDBStreams_20120810"
    body = json.dumps(given).encode()
    return service.answer(Request("/", f"{target}.{operation}", "AWS4-HMAC-SHA256 …", body))


def ask(service: Service, operation: str, **given: Any) -> Any:
    """The result of a call whose answer arrives whole; Refusal if it is an error."""
    answer = answer_of(service, operation, **given)
    result = json.loads(answer.body.decode("utf-8", "surrogateescape"))
    if answer.status != 200:
        raise Refusal(result["__type"].rpartition("#")[2])
    if answer.sent:
        answer.sent()
    return result


def arn_of(service: Service, table: str = "orders") -> str:
    return str(ask(service, "DescribeTable", TableName=table)["Table"]["LatestStreamArn"])


def shards_of(service: Service, arn: str = "", **given: Any) -> list[dict[str, Any]]:
    """One page of a listing."""
    given["StreamArn"] = arn or arn_of(service)
    found = ask(service, "DescribeStream", **given)["StreamDescription"]["Shards"]
    return [dict(shard) for shard in found]


def iterator_of(
    service: Service, shard: str, kind: str = "TRIM_HORIZON", *, arn: str = "", after: str = ""
) -> str:
    given = {"StreamArn": arn or arn_of(service), "ShardId": shard, "ShardIteratorType": kind}
    if after:
        given["SequenceNumber"] = after
    return str(ask(service, "GetShardIterator", **given)["ShardIterator"])


def read(service: Service, iterator: str, **given: Any) -> tuple[list[Any], str | None]:
    page = ask(service, "GetRecords", ShardIterator=iterator, **given)
    return page["Records"], page.get("NextShardIterator")


def read_to_end(service: Service, shard: str, **given: Any) -> list[Any]:
    """All records of a shard: until it ends, or gives nothing."""
    records: list[Any] = []
    iterator: str | None = iterator_of(service, shard, **given)
    while iterator:
        page, iterator = read(service, iterator)
        records += page
        if not page:
            break
    return records


def item(number: int, **attributes: str) -> dict[str, Any]:
    return {"pk": {"S": f"key-{number}"}} | {k: {"S": v} for k, v in attributes.items()}


def sequences(records: list[Any]) -> list[int]:
    return [int(record["dynamodb"]["SequenceNumber"]) for record in records]
