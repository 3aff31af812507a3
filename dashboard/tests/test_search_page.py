"""The search page and saved views: what is found, what is refused, and whose a view is."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dashboard.tests.seeding import Shop, order
from streams.models import SavedView

Get = Callable[..., str]

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_begins_with_examples_on_an_own_stream(page_of: Get, shop: Shop) -> None:
    page = page_of("/search")
    assert "?q=stream%3Aorders%20changed%3Astatus" in page


def test_it_says_when_there_is_nothing_to_search(page_of: Get) -> None:
    assert "No stream is watched" in page_of("/search")


def test_it_finds_what_the_filter_says(page_of: Get, shop: Shop) -> None:
    shop.modify("4711", order("new"), order("paid"))
    shop.modify("4712", order("paid"), order("packed"))
    page = page_of("/search", q="status: new -> paid")
    assert "4711" in page and "4712" not in page
    assert "Changes where status changes from new to paid." in page
    assert "1 change<" in page
    assert "The same as an event pattern" in page


@pytest.mark.parametrize("number", ["1.10", "-0.5", "1" * 38, "1E+40", "1e400"])
def test_the_other_spelling_keeps_every_digit(page_of: Get, shop: Shop, number: str) -> None:
    page = page_of("/search", q=f"new.total:{number}")
    assert f"\n      {number},\n      &quot;{number}&quot;\n" in page
    assert f"&gt;&quot;,\n          {number}" in page_of("/search", q=f"new.total>{number}")


def test_a_pattern_of_lambda_works(page_of: Get, shop: Shop) -> None:
    shop.modify("4711", order("new"), order("paid"))
    shop.remove("4712", order("new"))
    page = page_of("/search", q='{"eventName": ["REMOVE"]}')
    assert "4712" in page and "4711" not in page
    assert "The same as an expression" in page


def test_an_empty_filter_finds_everything(page_of: Get, shop: Shop) -> None:
    shop.write_many(3)
    assert "3 changes" in page_of("/search", q="")


@pytest.mark.parametrize("order_", ["", "oldest"])
def test_pages_go_on_and_back(page_of: Get, shop: Shop, client: Client, order_: str) -> None:
    shop.write_many(250)
    seen: list[str] = []
    url = f"/search?q=changed:status&order={order_}"
    while url:
        response = client.get(url)
        found = response.context["found"]
        seen += [row.key for row in found["rows"]]
        onward = found["next"] or found["onward"]
        url = f"/search?{onward}" if onward else ""
    assert len(seen) == len(set(seen)) == 250
    rows = client.get(f"/search?{found['previous']}").context["found"]["rows"]
    assert [row.key for row in rows] == seen[100:200]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"q": "tabel:orders"}, "did you mean `table`"),
        ({"q": '{"a": [}'}, "Not understood"),
        ({"q": "", "since": "soon"}, "is no time"),
        ({"q": "", "until": "2026-13-01"}, "is no time"),
    ],
)
def test_what_is_not_understood_is_said(page_of: Get, given: dict[str, str], said: str) -> None:
    page = page_of("/search", 400, **given)
    assert said in page and "aria-describedby" in page


def test_the_place_of_an_error_is_marked(page_of: Get) -> None:
    assert "new.total<mark>!</mark>" in page_of("/search", 400, q="new.total!").replace("&gt;", ">")


def test_a_malformed_place_is_not_found(page_of: Get, shop: Shop) -> None:
    page_of("/search", 404, q="", before="x")


def test_hostile_text_is_shown_as_text(page_of: Get, shop: Shop) -> None:
    page = page_of("/search", 400, q="<script>alert(1)</script>")
    assert "<script>alert" not in page


@pytest.mark.parametrize("value", [{"L": 3}, {"M": []}, "x"])
def test_a_value_that_is_none_of_dynamodbs_fails_no_search(
    page_of: Get, shop: Shop, value: object
) -> None:
    shop.modify("4711", {"a": {"S": "x"}}, {"a": value})
    assert "No change matches" in page_of("/search", q="new.a.b:y")


# Saved views


def save(client: Client, **fields: str) -> SavedView:
    response = client.post("/views/new", {"name": "Paid", "query": "new.status:paid", **fields})
    assert response.status_code == 302
    return SavedView.objects.get(pk=int(response["Location"].rsplit("/", 1)[1]))


def test_a_search_becomes_a_view_with_a_permalink(page_of: Get, client: Client, shop: Shop) -> None:
    assert "\nchanged:status</textarea>" in page_of("/views/new", q="changed:status", since="2h")
    view = save(client, since="2h")
    shop.modify("4711", order("new"), order("paid"))
    page = page_of(f"/views/{view.pk}")
    assert "Paid" in page and "4711" in page and "Edit view" in page
    assert f'href="/views/{view.pk}"' in page_of("/search")


def test_a_view_of_a_filter_that_is_wrong_is_not_saved(page_of: Get, client: Client) -> None:
    for fields in ({"query": "tabel:x"}, {"since": "soon"}, {"name": ""}):
        given = {"name": "Paid", "query": "new.status:paid", **fields}
        assert client.post("/views/new", given).status_code == 400
    assert not SavedView.objects.exists()


def test_a_name_is_used_once(page_of: Get, client: Client) -> None:
    save(client)
    answer = client.post("/views/new", {"name": "Paid", "query": ""})
    assert "You have a view of this name" in answer.content.decode()


def test_a_private_view_is_its_owners(page_of: Get, client: Client, alice: User) -> None:
    view = save(client)
    other = Client()
    other.force_login(alice)
    for path in ("", "/edit"):
        assert other.get(f"/views/{view.pk}{path}").status_code == 404
    assert other.post(f"/views/{view.pk}/delete").status_code == 404
    assert "Paid" not in other.get("/search").content.decode()


def test_a_shared_view_is_opened_by_all_and_changed_by_its_owner(
    page_of: Get, client: Client, alice: User
) -> None:
    view = save(client, shared="on")
    other = Client()
    other.force_login(alice)
    page = other.get(f"/views/{view.pk}").content.decode()
    assert "A view of <bdi>bob</bdi>" in page and "Edit view" not in page
    assert other.get(f"/views/{view.pk}/edit").status_code == 404


def test_its_owner_changes_and_deletes_it(page_of: Get, client: Client) -> None:
    view = save(client)
    client.post(f"/views/{view.pk}/edit", {"name": "Packed", "query": "new.status:packed"})
    view.refresh_from_db()
    assert (view.name, view.query) == ("Packed", "new.status:packed")
    assert client.get(f"/views/{view.pk}/delete").status_code == 405
    client.post(f"/views/{view.pk}/delete")
    assert not SavedView.objects.exists()
