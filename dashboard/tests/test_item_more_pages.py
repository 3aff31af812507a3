"""The pages around an item's history: looking one up, blame, evidence, files, the undo plan."""

import csv
import io
import json
from collections.abc import Callable
from hashlib import sha256

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient, Client

from dashboard.tests.item_lives import live
from dashboard.tests.seeding import Shop, order, text
from streams import item_key
from streams.models import Batch, Gap
from streams.queries.rows import StoredChange

pytestmark = pytest.mark.django_db(transaction=True)

Get = Callable[..., str]


@pytest.fixture
def base(shop: Shop) -> str:
    return f"/items/orders/{shop.token('4711')}"


def two(shop: Shop) -> list[StoredChange]:
    return live(shop, "4711", (300, order("new", "1")), (200, order("paid", "1")))


# Looking up


def found(client: Client, **query: str) -> str:
    """The key that a look-up leads to."""
    response = client.get("/items", query)
    assert response.status_code == 302, response.content.decode()
    token = response["Location"].rpartition("/")[2]
    return item_key.canonical(item_key.from_token(token))


def test_a_typed_key_leads_to_its_item(page_of: Get, client: Client, shop: Shop) -> None:
    shop.stream.key_schema = [["pk", "S"], ["n", "N"]]
    shop.stream.save()
    page = page_of("/items", stream="orders")
    assert "partition key, string (S)" in page and "sort key, number (N)" in page
    given = {"stream": "orders", "key.0": "a", "key.1": "007.0"}
    assert found(client, **given) == '{"n":{"N":"7"},"pk":{"S":"a"}}'
    pasted = '{"pk": "a", "n": 7}'
    assert found(client, stream="orders", json=pasted) == '{"n":{"N":"7"},"pk":{"S":"a"}}'


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"stream": "nope"}, "There is no stream “nope”"),
        ({"stream": "orders", "key.0": "a"}, "fill in both"),
        ({"stream": "orders", "key.0": "a", "key.1": "x"}, "no such value"),
        ({"stream": "orders", "json": "{"}, "The key is not JSON"),
    ],
)
def test_a_key_that_is_none(page_of: Get, shop: Shop, query: dict[str, str], said: str) -> None:
    shop.stream.key_schema = [["pk", "S"], ["n", "N"]]
    shop.stream.save()
    page = page_of("/items", status=400, **query)
    assert said in page and 'role="alert"' in page


def test_what_was_looked_up_is_remembered(page_of: Get, shop: Shop, base: str) -> None:
    two(shop)
    live(shop, "0815", (9, order("x")))
    page_of(base)
    page_of(f"/items/orders/{shop.token('0815')}")
    page = page_of("/items")
    assert page.index(">0815<") < page.index(">4711<")


def test_a_cookie_with_anything_in_it(client: Client, page_of: Get, shop: Shop) -> None:
    client.cookies["deltawatch_items"] = "x~y!!~~!orders"
    assert "Looked up lately" not in page_of("/items")


def test_without_streams_there_is_nothing_to_look_up(page_of: Get) -> None:
    assert "No stream has been added yet" in page_of("/items")


# Blame


def test_blame_names_the_change_of_each_field(page_of: Get, shop: Shop, base: str) -> None:
    first, second = two(shop)
    page = page_of(f"{base}/blame")
    assert f"/changes/{first.id}" in page and f"/changes/{second.id}" in page
    assert "2 times" in page and "1 time<" in page


def test_blame_inside_a_field(page_of: Get, shop: Shop, base: str) -> None:
    live(shop, "4711", (9, order("x", address={"M": {"city": text("Brno")}})))
    assert "?path=address" in page_of(f"{base}/blame")
    page = page_of(f"{base}/blame?path=address")
    assert "address.city" in page and "comparing the images" in page
    page_of(f"{base}/blame?path=a..b", status=404)


def test_blame_without_values_says_so(page_of: Get, shop: Shop, base: str) -> None:
    shop.write(("4711", "MODIFY", None, None))
    assert "is not known" in page_of(f"{base}/blame")
    page_of(f"/items/orders/{shop.token('0815')}/blame", status=404)


# Evidence


def test_evidence_has_an_address_that_always_means_the_same(
    page_of: Get, client: Client, shop: Shop, base: str
) -> None:
    first, second = two(shop)
    page_of(base)
    response = client.get(f"{base}/evidence")
    assert response["Location"] == f"{base}/evidence?first={first.id}&last={second.id}"
    page = client.get(response["Location"]).content.decode()
    assert f"http://testserver{base}/evidence?first={first.id}&amp;last={second.id}" in page
    assert bytes(Batch.objects.get().digest).hex() in page and "manage.py verify orders" in page
    assert "No recorded gap touches this stretch" in page


def test_a_version_s_digest_is_of_what_the_api_gives(
    page_of: Get, client: Client, shop: Shop, base: str
) -> None:
    first, second = two(shop)
    page = page_of(f"{base}/evidence", first=second.id, last=first.id)
    for change in (first, second):
        assert sha256(client.get(f"/api/v1/changes/{change.id}").content).hexdigest() in page


def test_evidence_shows_the_gaps(page_of: Get, shop: Shop, base: str) -> None:
    first, second = two(shop)
    at = first.occurred_at
    Gap.objects.create(stream=shop.stream, reason="trimmed", from_at=at, to_at=at)
    page = page_of(f"{base}/evidence", first=first.id, last=second.id)
    assert "Changes in this period may be missing" in page


# Files


async def file_of(user: object, path: str) -> bytes:
    client = AsyncClient()
    await client.aforce_login(user)  # type: ignore[arg-type]
    response = await client.get(path)
    assert response.status_code == 200
    streamed = response.streaming_content  # type: ignore[attr-defined]
    pieces = [piece async for piece in streamed]
    # The file was made in a thread of its own, whose connection would outlive the test.
    await sync_to_async(lambda: connection.close())()
    return b"".join(pieces)


async def test_all_versions_as_lines_of_json(bob: object, seeded: str) -> None:
    lines = (await file_of(bob, f"{seeded}/export?format=ndjson")).splitlines(keepends=True)
    assert [json.loads(line)["operation"] for line in lines[:-1]] == ["MODIFY", "INSERT"]
    end = json.loads(lines[-1])["end"]
    assert (end["complete"], end["versions"]) == (True, 2)
    assert end["sha256"] == sha256(b"".join(lines[:-1])).hexdigest()


async def test_all_versions_as_csv(bob: object, seeded: str) -> None:
    raw = await file_of(bob, f"{seeded}/export?format=csv")
    head, *rows, end = csv.reader(io.StringIO(raw.decode()))
    assert [dict(zip(head, row, strict=True))["operation"] for row in rows] == ["MODIFY", "INSERT"]
    before_end = raw[: raw.index(b"# end")]
    assert end[:3] == ["# end", "Complete: 2 versions.", sha256(before_end).hexdigest()]


@pytest.fixture
def seeded(shop: Shop, base: str) -> str:
    two(shop)
    return base


def test_another_format_is_not_found(page_of: Get, seeded: str) -> None:
    page_of(f"{seeded}/export", status=404, format="pdf")


# The undo plan


def test_the_plan_is_shown_and_can_be_taken_away(
    page_of: Get, client: Client, shop: Shop, base: str
) -> None:
    first, second = two(shop)
    page = page_of(f"{base}/undo/{first.id}")
    assert "One PutItem" in page and "It never runs this plan" in page and "status" in page
    script = client.get(f"{base}/undo/{first.id}?format=python")
    assert 'filename="undo.py"' in script["Content-Disposition"]
    compile(script.content, "undo.py", "exec")
    request = client.get(f"{base}/undo/{first.id}?format=json").json()
    assert request["Item"]["status"] == {"S": "new"}
    assert "There is no plan" in page_of(f"{base}/undo/{second.id}")


def test_a_doubtful_plan_says_so(page_of: Get, shop: Shop, base: str) -> None:
    first, second = two(shop)
    at = second.occurred_at
    Gap.objects.create(stream=shop.stream, reason="trimmed", from_at=at, to_at=at)
    assert "DOUBTFUL" in page_of(f"{base}/undo/{first.id}")


def test_a_plan_for_another_item_is_not_found(page_of: Get, shop: Shop, base: str) -> None:
    first = two(shop)[0]
    page_of(f"/items/orders/{shop.token('0815')}/undo/{first.id}", status=404)
