"""How much search reads at once, and what happens when it takes too long or a leaf goes."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from streams import partitions
from streams.models import Batch, Shard
from streams.queries import search as search_module
from streams.queries import search_merged, search_rows
from streams.queries.search import count, search
from streams.rules.expressions.compiler import compile_expression
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.search_orders import BEGIN, DAY, SECOND, order, orders, reading
from streams.tests.integration.searching import pages
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream("orders", key_schema=[["order_id", "S"]]))


@pytest.mark.parametrize("few", [0, 5_000])
def test_one_moment_with_many_changes_is_paged_through(
    shard: Shard, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_rows, "_FEW", few)
    orders(shard, 3_000, 0)
    found = [
        c.id
        for page in pages(compile_expression("changed:status"), limit=700)
        for c in page.changes
    ]
    assert len(found) == len(set(found)) == 2_994
    places = [tuple(map(int, id_.split("-"))) for id_ in found]
    assert places == sorted(places, reverse=True)


def test_what_is_far_back_is_reached_in_growing_slices(shard: Shard) -> None:
    orders(shard, 6_000, 100 * SECOND)
    statements: list[str] = []
    with reading(lambda sql, _: statements.append(sql)):
        found = search(compile_expression("op:MODIFY new.n:0"), limit=1)
    assert [change.sequence for change in found.changes] == ["0" * 21]
    assert found.looked_at == 6_000
    assert len(statements) < 60


def test_large_images_are_read_a_few_at_a_time(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_merged, "_DECIDED_BYTES", 1_000_000)
    monkeypatch.setattr(search_module, "_PAGE_BYTES", 2_000_000)
    image = json.dumps({"note": {"S": "x" * 400_000}}).encode()
    orders(shard, 20, new=image, size=400_000)
    read: list[int] = []

    def note(sql: str, parameters: Any) -> None:
        if "ctid = ANY" in sql:
            read.append(len(parameters[0]))

    with reading(note):
        found = list(pages(compile_expression("new.note~x")))
    assert [len(page.changes) for page in found] == [5, 5, 5, 5]
    assert all(page.complete for page in found)
    assert max(read) <= 5


def test_a_count_is_exact_up_to_a_number(shard: Shard) -> None:
    orders(shard, 1_050)
    everything = compile_expression("op:MODIFY")
    assert str(count(everything)) == "1,050"
    assert str(count(everything, at_most=1_000)) == "1,000+"
    assert str(count(everything, at_most=1_050)) == "1,050"


def test_a_count_that_runs_out_of_time_says_at_least(shard: Shard) -> None:
    orders(shard, 1_000)
    counted = count(compile_expression("op:MODIFY"), budget_seconds=0)
    assert 0 < counted.number < 1_000
    assert str(counted).endswith("+")
    assert counted.searched_to is not None


# When it takes too long, or a leaf goes


@contextmanager
def leaf_locked(name: str) -> Iterator[None]:
    """Another connection holds the leaf, so that whoever reads it waits."""
    locked, over = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
            locked.set()
            over.wait(30)
            cursor.execute("ROLLBACK")
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(10)
        yield
    finally:
        over.set()
        holder.join()


@pytest.mark.parametrize("expression", ["op:MODIFY", "new.customer_id:C-1,C-2,C-3", "new.n>=0"])
def test_a_slow_leaf_ends_the_search_in_time_and_it_goes_on_there(
    shard: Shard, expression: str
) -> None:
    orders(shard, 20, DAY)
    filter_ = compile_expression(expression)
    everything = search(filter_).changes
    slow = partitions.leaves_of(shard.stream_id)[1]
    with leaf_locked(slow.name):
        found = search(filter_, budget_seconds=0.3)
    assert not found.complete
    assert found.older is not None
    assert found.searched_to == slow.to_at
    assert all(change.occurred_at >= slow.to_at for change in found.changes)
    rest = search(filter_, before=found.older)
    assert found.changes + rest.changes == everything


def test_a_leaf_that_is_dropped_meanwhile_is_no_error(shard: Shard) -> None:
    orders(shard, 20, DAY)
    oldest = partitions.leaves_of(shard.stream_id)[0]

    def drop() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {oldest.name}")
        connection.close()

    def drop_when_reached(sql: str, _: Any) -> None:
        if oldest.name in sql:
            thread = threading.Thread(target=drop)
            thread.start()
            thread.join()

    for limit in (5, 100):
        with reading(drop_when_reached):
            found = [
                c for p in pages(compile_expression("new.n>=0"), limit=limit) for c in p.changes
            ]
        assert [int(c.sequence) for c in found] == list(range(19, 6, -1))


def test_rows_that_move_meanwhile_are_read_again(shard: Shard) -> None:
    """Somebody may rewrite a leaf, as VACUUM FULL and CLUSTER do."""
    orders(shard, 100)
    (leaf,) = partitions.leaves_of(shard.stream_id)
    done: list[str] = []

    def rewrite() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"CLUSTER {leaf.name} USING {leaf.name}_item")
        connection.close()

    def rewrite_between(sql: str, _: Any) -> None:
        if "ctid = ANY" in sql and not done:
            done.append(sql)
            thread = threading.Thread(target=rewrite)
            thread.start()
            thread.join()

    with reading(rewrite_between):
        found = search(compile_expression("new.n>=0"), limit=200)
    assert done
    assert sorted(int(change.sequence) for change in found.changes) == list(range(100))


def test_a_change_without_its_batch_is_left_out(shard: Shard) -> None:
    orders(shard, 3)
    store_in(shard, order(shard.stream_id, 7, BEGIN))
    Batch.objects.filter(number=1).delete()
    found = search(compile_expression("new.n>=0"))
    assert [int(change.sequence) for change in found.changes] == [7]


def test_all_streams_are_searched_by_time(shard: Shard) -> None:
    orders(shard, 30, 60 * SECOND)
    other = make_shard(make_stream("stock", key_schema=[["order_id", "S"]]))
    orders(other, 30, 45 * SECOND)
    found = [c for page in pages(compile_expression("new.n>3"), limit=7) for c in page.changes]
    assert len(found) == 52
    assert found == sorted(found, key=lambda c: c.occurred_at, reverse=True)
    newest = search(
        compile_expression("new.n>3"), limit=3, until=found[0].occurred_at + timedelta(1)
    )
    assert newest.changes == found[:3]
