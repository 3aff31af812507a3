"""By which index search reads, what it says of that, and what it does not read at all."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from streams import partitions
from streams.item_key import canonical, item_bytes
from streams.models import Shard, Stream
from streams.queries import search_rows
from streams.queries.search import count, search
from streams.rules.expressions.compiler import compile_expression
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.search_orders import BEGIN, DAY, SECOND, order, orders, reading
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream("orders", key_schema=[["order_id", "S"]]))


def analyse(stream: Stream) -> None:
    with connection.cursor() as cursor:
        for leaf in partitions.leaves_of(stream.pk):
            cursor.execute(f"ANALYZE {leaf.name}")


def plans_of(expression: str, **asked: Any) -> list[str]:
    """The plans of all that a search reads, in the settings in which it is read."""
    plans: list[str] = []

    def explain(sql: str, parameters: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql}", parameters)
            plans.append("\n".join(row[0] for row in cursor.fetchall()))

    with reading(explain):
        found = search(compile_expression(expression), limit=20, **asked)
    assert found.changes, expression
    return plans


@pytest.mark.parametrize("analysed", [True, False])
def test_each_question_is_answered_by_its_index(shard: Shard, analysed: bool) -> None:
    orders(shard, 10_000)
    if analysed:
        analyse(shard.stream)
    (leaf,) = partitions.leaves_of(shard.stream_id)
    questions = {
        "keys.order_id:ORD#00077": ["item"],
        "keys.order_id:ORD#00077 changed:status": ["item"],
        "keys.order_id^=ORD#0007": ["key"],
        "keys.order_id:ORD#0007*": ["key"],
        "changed:address": ["changed"],
        "new.customer_id:C-5": ["terms"],
        "new.customer_id:C-5,C-6 new.n>5": ["terms"],
        "changed:address OR new.customer_id:C-5": ["changed", "terms"],
        "new.n>9000": ["time"],
        "op:MODIFY": ["time"],
    }
    for expression, indexes in questions.items():
        plans = plans_of(expression)
        for name in ("item", "key", "changed", "terms", "time", "batch"):
            used = any(f"{leaf.name}_{name}" in plan for plan in plans)
            assert used == (name in indexes), (expression, name, plans)
        assert not any(f"Seq Scan on {leaf.name}" in plan for plan in plans), (expression, plans)


def test_it_says_how_it_searched(shard: Shard) -> None:
    orders(shard, 3_000, 600 * SECOND)  # nearly three weeks
    Stream.objects.update(indexed_since=datetime(2027, 1, 21, tzinfo=UTC).date())
    found = search(compile_expression("new.customer_id:C-5"))
    assert len(found.changes) == 3
    assert found.how == [
        "orders: by the index of customer_id, then changes one by one, newest first"
    ]
    assert 1_000 < found.looked_at < 1_100


def test_a_leaf_in_which_nothing_matches_costs_one_statement(shard: Shard) -> None:
    orders(shard, 40, 7 * DAY)
    statements: list[str] = []
    with reading(lambda sql, _: statements.append(sql)):
        found = search(compile_expression("new.customer_id:nobody"))
    assert (found.changes, found.looked_at, found.complete) == ([], 0, True)
    assert len(statements) == len(partitions.leaves_of(shard.stream_id)) == 40


def test_leaves_out_of_the_time_asked_for_are_not_read(shard: Shard) -> None:
    orders(shard, 20, 7 * DAY)
    statements: list[str] = []
    since, until = (datetime(2027, 2, day, tzinfo=UTC) for day in (1, 2))
    with reading(lambda sql, _: statements.append(sql)):
        search(compile_expression("new.n>=0"), since=since, until=until)
    names = {leaf.name for leaf in partitions.leaves_of(shard.stream_id)}
    assert len({name for name in names for sql in statements if name in sql}) == 1


def test_before_and_after_another_key_all_is_found(shard: Shard) -> None:
    """The table was made anew with another key, so an item's id does not tell what has a value."""
    old = make_shard(make_stream("new", key_schema=[["order_id", "S"], ["line", "N"]]))
    keys = {"order_id": {"S": "a"}, "line": {"N": "1"}}
    item = item_bytes(old.stream_id, canonical(keys).encode())
    spelled = json.dumps(keys, separators=(",", ":")).encode()
    store_in(old, order(old.stream_id, 1, BEGIN, keys=spelled, item=item))
    Stream.objects.filter(pk=old.stream_id).update(generation=2, key_schema=[["order_id", "S"]])
    young = make_shard(Stream.objects.get(pk=old.stream_id))
    keys = {"order_id": {"S": "a"}}
    item = item_bytes(old.stream_id, canonical(keys).encode())
    spelled = json.dumps(keys, separators=(",", ":")).encode()
    store_in(young, order(old.stream_id, 2, BEGIN + SECOND, keys=spelled, item=item))
    for expression, number in {"keys.order_id:a": 2, "key:a": 2, "keys.line:1": 1}.items():
        assert count(compile_expression(expression)).number == number, expression


def test_many_rows_of_an_index_are_read_by_time_too(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_rows, "_FEW", 100)
    orders(shard, 3_000)
    found = search(compile_expression("changed:status"), limit=10)
    assert found.how == ["orders: by the index of changed attributes and of time"]
    assert found.looked_at < 300
