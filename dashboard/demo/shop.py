"""The sample shop: does what the plan says and outlives a service that is away."""

import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dashboard.demo.plan import Plan
from dashboard.demo.tables import leftovers, make_tables
from dashboard.demo.values import Delete, Put, Update, Write, typed, typed_item

AWAY_PAUSE = 1.0  # seconds between two tries while the service does not answer


class Shop:
    """`over` ends it: at once between two writes, and within a request's time otherwise."""

    def __init__(
        self, client: Any, seed: int, over: threading.Event, say: Callable[[str], None]
    ) -> None:
        self.client = client
        self.seed = seed
        self.over = over
        self.say = say

    def run(self) -> None:
        said = ""
        while not self.over.is_set():
            try:
                self._open()
                self._trade()
            except (BotoCoreError, ClientError) as error:
                # The service is away or came back empty: begin anew with fresh tables.
                reason = str(error).partition("\n")[0][:200]
                if reason != said:  # not the same every second
                    said = reason
                    self.say(f"The local DynamoDB fails; the shop tries again. {reason}")
                self.over.wait(AWAY_PAUSE)

    def _open(self) -> None:
        make_tables(self.client)
        # The plan starts empty: what it does not know of would never be changed or deleted.
        for table, key in leftovers(self.client):
            if self.over.is_set():
                return
            self.client.delete_item(TableName=table, Key=key)

    def _trade(self) -> None:
        plan = Plan(self.seed)
        while not self.over.is_set():
            began = time.monotonic()
            writes = plan.second(int(time.time()))
            for number, write in enumerate(writes):
                # Spread over the second; behind time, as in a burst on a slow machine, no pause.
                due = began + number / len(writes)
                if self.over.wait(max(0.0, due - time.monotonic())):
                    return
                perform(self.client, write)
            self.over.wait(max(0.0, began + 1 - time.monotonic()))


def perform(client: Any, write: Write) -> None:
    match write:
        case Put():
            client.put_item(TableName=write.table, Item=typed_item(write.item))
        case Delete():
            client.delete_item(TableName=write.table, Key=typed_item(write.key))
        case Update():
            _update(client, write)


def _update(client: Any, write: Update) -> None:
    names = [*write.values, *write.add, *write.remove, *write.key]
    alias = {name: f"#n{number}" for number, name in enumerate(names)}
    sets = ", ".join(f"{alias[name]} = :{alias[name][1:]}" for name in write.values)
    adds = ", ".join(f"{alias[name]} :{alias[name][1:]}" for name in write.add)
    removes = ", ".join(alias[name] for name in write.remove)
    parts = (("SET", sets), ("ADD", adds), ("REMOVE", removes))
    values = {f":{alias[name][1:]}": typed(v) for name, v in {**write.values, **write.add}.items()}
    arguments = {"ExpressionAttributeValues": values} if values else {}
    used = [*write.values, *write.add, *write.remove, next(iter(write.key))]
    try:
        client.update_item(
            TableName=write.table,
            Key=typed_item(write.key),
            UpdateExpression=" ".join(f"{verb} {text}" for verb, text in parts if text),
            # Or an item that the time to live has just deleted would come back half empty.
            ConditionExpression=f"attribute_exists({alias[used[-1]]})",
            ExpressionAttributeNames={alias[name]: name for name in used},
            **arguments,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
