"""What a filter's input offers: real names and values, for the place where the caret is."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.tests.seeding import Shop, order, text
from streams.queries import seen
from streams.queries.seen import known_names, seen_paths

pytestmark = pytest.mark.django_db(transaction=True)

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    seen.forget()


@pytest.fixture
def ask(client: Client, bob: User) -> Ask:
    client.force_login(bob)

    def suggested(query: str, **more: Any) -> dict[str, Any]:
        response = client.get("/suggest", {"q": query, **more})
        assert response.status_code == 200
        answer: dict[str, Any] = response.json()
        return answer

    return suggested


def texts(answer: dict[str, Any]) -> list[str]:
    return [option["text"] for option in answer["options"]]


@pytest.fixture
def paid(shop: Shop) -> Shop:
    address = {"M": {"city": text("Brno"), "zip code": text("602 00")}}
    shop.modify("4711", order("new"), order("paid", address=address))
    shop.modify("4712", order("new"), order("paid", tags={"SS": ["red", "blue"]}))
    return shop


def test_an_attribute_that_was_seen_is_offered_with_its_values(ask: Ask, paid: Shop) -> None:
    assert texts(ask("new.sta")) == ["new.status:"]
    assert set(texts(ask("new.status:"))) == {"paid", "new"}
    assert texts(ask("new.status:p")) == ["paid"]
    assert texts(ask("status: new -> p")) == ["paid"]
    assert texts(ask("new.tags:")) == ["red", "blue"]


def test_what_is_typed_finds_an_attribute_in_any_place(ask: Ask, paid: Shop) -> None:
    assert texts(ask("city")) == ["new.address.city:"]
    assert texts(ask("old.tot")) == ["old.total:"]
    assert texts(ask("keys.")) == ["keys.pk:"]


def test_names_and_values_are_spelled_as_an_expression_needs_them(ask: Ask, paid: Shop) -> None:
    assert texts(ask("zip")) == ['new.address."zip code":']
    assert texts(ask('new.address."zip code":')) == ['"602 00"']
    assert texts(ask('new.address."zip code":"6')) == ['"602 00"']


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("op:", ["INSERT", "MODIFY", "REMOVE"]),
        ("op:mo", ["MODIFY"]),
        ("stream:o", ["orders"]),
        ("actor:", ["ttl"]),
        ("chang", ["changed:", "changed("]),
        ("changed:s", ["status"]),
        ("changed(addr", ["address)", "address.city)", 'address."zip code")']),
        ("type(new.total):BO", ["BOOL"]),
        ("op:REMOVE A", ["actor:ttl", "account:", "appeared(", "AND "]),
        ("new.status !", []),
        ('{"eventName": ', []),
        ("new.statsu", ["new.status:"]),
        ("changed(statsu", ["status)"]),
    ],
)
def test_what_fits_is_offered(ask: Ask, paid: Shop, typed: str, offered: list[str]) -> None:
    found = texts(ask(typed))
    assert [option for option in found if not option.startswith("new.address")][: len(offered)] == (
        [option for option in offered if not option.startswith("new.address")]
    )


def test_the_word_around_the_caret_is_replaced(ask: Ask, paid: Shop) -> None:
    query = "new.status:pa op:REMOVE"
    answer = ask(query, at=13)
    start, end = answer["from"], answer["to"]
    assert query[start:end] == "pa" and texts(answer) == ["paid"]


def test_the_chosen_streams_alone_are_looked_at(ask: Ask, paid: Shop) -> None:
    other = Shop("customers")
    other.insert("1", {"email": text("a@b.test")})
    assert texts(ask("new.em")) == ["new.email:"]
    assert texts(ask("new.em", stream="orders")) == []
    assert texts(ask("new.em", stream=["nowhere"])) == []


def test_columns_are_the_paths_of_keys_and_images(client: Client, bob: User, paid: Shop) -> None:
    client.force_login(bob)
    found = client.get("/suggest?columns=1&stream=orders").json()["columns"]
    assert found[0] == "keys.pk"
    assert {"new.status", "old.status", "new.address.city"} <= set(found)


def test_it_needs_a_log_in(client: Client, db: None) -> None:
    assert client.get("/suggest?q=o").status_code == 302


def test_what_was_seen_is_remembered_for_a_while(ask: Ask, paid: Shop) -> None:
    ask("new.status:")
    with CaptureQueriesContext(connection) as queries:
        ask("new.status:")
    assert not [q for q in queries if "streams_change" in q["sql"]]


def test_the_names_that_were_seen_are_known(paid: Shop) -> None:
    known = known_names([paid.stream.pk])
    assert known and {"status", "total", "address.city", "pk"} <= known
    assert known_names([Shop("empty").stream.pk]) is None


def test_odd_images_are_looked_at_without_error(shop: Shop) -> None:
    deep: dict[str, Any] = {"S": "x"}
    for _ in range(30):
        deep = {"M": {"a": deep}}
    shop.insert("1", {f"name-{n}": {"S": "v" * n} for n in range(1000)})
    shop.insert("2", {"large": {"S": "v" * 100_000}})
    shop.insert("3", {"deep": deep, "odd": {"L": 3}, "worse": "x", "": {"S": "y"}})
    found = {path.path: path for path in seen_paths([shop.stream.pk])}
    assert found["deep"].types == {"M"} and "deep.a.a" in found
    assert len(found) <= 400
    assert all(len(path.examples) <= 12 for path in found.values())
    json.dumps([list(path.examples) for path in found.values()])
