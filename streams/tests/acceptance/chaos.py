"""Real kills and restarts of a stack's processes, and what the table's stream really holds."""

import base64
import random
import signal
import threading
from collections.abc import Iterator
from typing import Any

import psutil

from conftest import REGION
from streams.sources.dynamodb.client import boto_client
from streams.testing.stack import Stack

KILL_EVERY_SECONDS = 2.0


class Chaos(threading.Thread):
    """Kills a random worker process every two seconds, and restarts both services once."""

    def __init__(self, stack: Stack, written: threading.Event) -> None:
        super().__init__()
        self._stack, self._written = stack, written
        self.kills = 0
        self.restarts: list[str] = []

    @property
    def report(self) -> str:
        return f"{self.kills} worker processes killed, restarted: {', '.join(self.restarts)}"

    def run(self) -> None:
        services = {"postgres": signal.SIGINT, "valkey": signal.SIGKILL}
        while not self._written.wait(KILL_EVERY_SECONDS) or services:
            processes = self._stack.processes("worker")
            if processes:
                self.kills += _kill(random.choice(processes), signal.SIGKILL)
            if self.kills >= 2 and services:
                name = next(iter(services))
                if _kill(self._stack.processes(name)[0], services.pop(name)):
                    self.restarts.append(name)


def _kill(process: psutil.Process, number: int) -> int:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return 0
    return 1


def records(url: str, table: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each record of the table's stream with its shard's name, read by boto3 alone."""
    client = boto_client("dynamodbstreams", region=REGION, endpoint_url=url)
    arn = client.list_streams(TableName=table)["Streams"][0]["StreamArn"]
    for shard in client.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]:
        iterator = client.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = client.get_records(ShardIterator=iterator)
            if not page["Records"]:
                break
            for record in page["Records"]:
                yield shard["ShardId"], record
            iterator = page.get("NextShardIterator")


def plain(value: Any) -> Any:
    """boto3's bytes as the base64 they travel in."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
