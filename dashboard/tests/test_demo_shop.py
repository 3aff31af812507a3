"""The shop's plan, without clock or network, and the shop against the demo's own DynamoDB."""

import threading
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from conftest import wait_for
from dashboard.demo import service, shop
from dashboard.demo.orders import KEPT_ORDERS, NEXT, OPEN_ORDERS
from dashboard.demo.plan import SHARES, Plan
from dashboard.demo.tables import TABLES, make_tables
from dashboard.demo.values import Delete, Item, Put, Update, Write, typed
from dashboard.launch.home import unused_port
from streams.sources.dynamodb.client import boto_client

HOUR = 3600
NOON = 1_800_000_000


@pytest.fixture(scope="module")
def hour() -> list[list[Write]]:
    """An hour of the shop, second by second."""
    plan = Plan(seed=1)
    return [plan.second(NOON + number) for number in range(HOUR)]


@pytest.fixture(scope="module")
def writes(hour: list[list[Write]]) -> list[Write]:
    return [write for second in hour for write in second]


class Tables:
    """What the tables hold after the writes so far; refuses what DynamoDB would refuse."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Item] = {}

    def apply(self, write: Write) -> None:
        if isinstance(write, Put):
            keys = TABLES[write.table][0]
            self.items[self._place(write.table, {k: write.item[k] for k in keys})] = write.item
            return
        place = self._place(write.table, write.key)
        assert place in self.items, f"{write} has no item"
        if isinstance(write, Delete):
            del self.items[place]
            return
        item = {**self.items[place], **write.values}
        item |= {name: item[name] + number for name, number in write.add.items()}
        self.items[place] = {k: v for k, v in item.items() if k not in write.remove}

    @staticmethod
    def _place(table: str, key: Item) -> tuple[str, str]:
        return table, str(sorted(key.items()))

    def sizes(self) -> Counter[str]:
        return Counter(table for table, _ in self.items)


def test_one_seed_tells_one_story(hour: list[list[Write]]) -> None:
    plan = Plan(seed=1)
    assert [plan.second(NOON + number) for number in range(60)] == hour[:60]
    assert Plan(seed=2).second(NOON) != hour[0]


def test_it_writes_about_twenty_times_a_second(writes: list[Write]) -> None:
    assert 17 <= len(writes) / HOUR <= 23


def test_it_has_bursts_and_quiet_seconds(hour: list[list[Write]]) -> None:
    sizes = [len(second) for second in hour]
    assert max(sizes) >= 100
    assert sizes.count(0) > HOUR / 50


def test_every_table_gets_its_share(writes: list[Write]) -> None:
    counts = Counter(write.table for write in writes)
    assert set(counts) == set(TABLES)
    assert min(counts.values()) / len(writes) > min(SHARES.values()) / 2


def test_every_update_and_deletion_finds_its_item_and_the_tables_stay_small(
    hour: list[list[Write]],
) -> None:
    tables, most = Tables(), Counter[str]()
    for second in hour:
        for write in second:
            tables.apply(write)
        most |= tables.sizes()
    assert most["orders"] <= OPEN_ORDERS + KEPT_ORDERS + 10
    assert most["customers"] <= 60
    assert most["sessions"] <= 200
    assert most["stock"] == 30


def test_an_order_goes_its_way_step_by_step(writes: list[Write]) -> None:
    steps: dict[str, list[str]] = {}
    for write in writes:
        if write.table == "orders" and isinstance(write, Put):
            steps[write.item["order_id"]] = ["new"]
        elif write.table == "orders" and isinstance(write, Update) and "status" in write.values:
            steps[write.key["order_id"]].append(write.values["status"])
    allowed = {*NEXT.items(), ("new", "cancelled"), ("paid", "cancelled")}
    allowed |= {("delivered", "refunded")}
    assert {pair for each in steps.values() for pair in pairwise(each)} == allowed


def test_an_orders_total_is_the_exact_sum_of_its_lines(writes: list[Write]) -> None:
    orders = [w.item for w in writes if isinstance(w, Put) and w.table == "orders"]
    assert len(orders) > 100
    for order in orders:
        assert order["total"] == sum(line["price"] * line["quantity"] for line in order["lines"])


def test_customers_have_every_type_there_is(writes: list[Write]) -> None:
    put = next(w for w in writes if isinstance(w, Put) and w.table == "customers")
    found = {kind for value in put.item.values() for kind in _kinds(typed(value))}
    assert found == {"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}
    assert "" in put.item.values()
    assert len(str(put.item["loyalty_number"])) == 38


def _kinds(value: dict[str, Any]) -> Iterator[str]:
    for kind, content in value.items():
        yield kind
        if kind in "ML":
            for member in content.values() if kind == "M" else content:
                yield from _kinds(member)


def test_true_is_no_number_on_the_wire() -> None:
    assert typed(True) == {"BOOL": True}
    assert typed(Decimal("1.50")) == {"N": "1.50"}
    assert typed({"b", "a"}) == {"SS": ["a", "b"]}


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    port = unused_port()
    server = service.make(port)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    client = boto_client("dynamodb", region="eu-central-1", endpoint_url=f"http://127.0.0.1:{port}")
    yield client
    for table in client.list_tables()["TableNames"]:
        client.delete_table(TableName=table)
    client.close()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_service_takes_every_write_of_the_plan(dynamodb: Any, seed: int) -> None:
    make_tables(dynamodb)
    plan, tables = Plan(seed), Tables()
    for second in range(15):
        for write in plan.second(NOON + second):
            shop.perform(dynamodb, write)
            tables.apply(write)
    for table in TABLES:
        stored = dynamodb.scan(TableName=table)["Items"]
        assert len(stored) == tables.sizes()[table]


def test_the_shop_opens_again_after_the_service_was_away(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop, "AWAY_PAUSE", 0.01)
    over, perform = threading.Event(), shop.perform
    said: list[str] = []
    failures = [EndpointConnectionError(endpoint_url="x")]

    def fail_once(client: Any, write: Write) -> None:
        if failures:
            raise failures.pop()
        perform(client, write)

    monkeypatch.setattr(shop, "perform", fail_once)
    running = threading.Thread(target=shop.Shop(dynamodb, 3, over, said.append).run)
    running.start()
    wait_for(lambda: not failures and _size(dynamodb, "orders"))
    over.set()
    running.join(timeout=5)
    assert not running.is_alive()
    assert len(said) == 1
    assert "the shop tries again" in said[0]


def test_the_shop_deletes_what_an_earlier_one_has_left(dynamodb: Any) -> None:
    make_tables(dynamodb)
    dynamodb.put_item(TableName="sessions", Item={"session_id": {"S": "old"}})
    over = threading.Event()
    running = threading.Thread(target=shop.Shop(dynamodb, 3, over, lambda text: None).run)
    running.start()
    key = {"session_id": {"S": "old"}}
    wait_for(lambda: "Item" not in dynamodb.get_item(TableName="sessions", Key=key))
    over.set()
    running.join(timeout=5)


def test_an_item_that_is_gone_is_not_written_again(dynamodb: Any) -> None:
    make_tables(dynamodb)
    shop.perform(dynamodb, Update("sessions", {"session_id": "gone"}, {"page": "/"}))
    assert _size(dynamodb, "sessions") == 0


def _size(client: Any, table: str) -> int:
    return len(client.scan(TableName=table)["Items"]) if table in _names(client) else 0


def _names(client: Any) -> list[str]:
    names: list[str] = client.list_tables()["TableNames"]
    return names
