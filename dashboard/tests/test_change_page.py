"""The change page: its tabs, its states, its limits, and the texts to take along."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from dashboard.tests.odd_items import CONTROLS, HTML, KEYS, TURNED, deep, large, strange, wide
from dashboard.tests.seeding import Shop, begin_feed, order, text
from streams.models import Drop, Gap
from streams.queries.rows import StoredChange

pytestmark = pytest.mark.django_db

Get = Callable[..., str]
TABS = ["changed", "all", "sides", "raw"]
# A fresh page may transfer 300 KB; scripts and styles take less than a third of it.
MOST_BYTES = 200_000


def broken(change: StoredChange, image: str) -> None:
    """Give a change a new image that is JSON but not DynamoDB's."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE streams_change SET new = %s WHERE item = %s", [image, change.item])


def test_a_fragment_is_the_change_alone(client: Client, bob: Any, shop: Shop) -> None:
    first = shop.insert("4711", order("new"))
    change = shop.modify("4711", order("new"), order("paid"))
    client.force_login(bob)
    response = client.get(f"/changes/{change.id}", headers={"HX-Request": "true"})
    part = response.content.decode().strip()
    assert part.startswith(f'<article class="change" data-change="{change.id}"')
    assert f'data-older="/changes/{first.id}" data-newer=""' in part
    assert part.endswith("</article>") and "<html" not in part and "<h1" not in part
    assert "HX-Request" in response.headers["Vary"]


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_is_a_page_of_its_own(page_of: Get, shop: Shop, tab: str) -> None:
    change = shop.modify("4711", order("new"), order("paid"))
    page = page_of(f"/changes/{change.id}", tab=tab)
    assert f'data-panel="{tab}"' in page and "paid" in page
    assert page.count('aria-current="page"') == 1


def test_an_unknown_tab_is_the_first_one(page_of: Get, shop: Shop) -> None:
    assert 'data-panel="changed"' in page_of(f"/changes/{shop.insert('1', {}).id}", tab="x")


def test_ignored_fields_are_folded(page_of: Get, shop: Shop) -> None:
    shop.stream.ignored_fields = ["etag", "seen"]
    shop.stream.save()
    old, new = order("new", etag=text("a"), seen=text("1")), order("paid", etag=text("b"))
    page = page_of(f"/changes/{shop.modify('4711', old, new).id}")
    assert "Ignored fields (2)" in page
    only = shop.modify("4711", order("new", etag=text("a")), order("new", etag=text("b")))
    page = page_of(f"/changes/{only.id}")
    assert "Nothing differs but fields that the stream ignores" in page


def test_each_field_leads_to_its_history(page_of: Get, shop: Shop) -> None:
    change = shop.modify("4711", {"a b": text("1")}, {"a b": text("2")})
    page = page_of(f"/changes/{change.id}")
    assert f'action="/items/orders/{shop.token("4711")}"' in page
    assert 'name="field" value="[&quot;a b&quot;]"' in page


def test_words_that_differ_are_marked(page_of: Get, shop: Shop) -> None:
    old, new = order("new", note=text("left at the door")), order("new", note=text("left at home"))
    page = page_of(f"/changes/{shop.modify('4711', old, new).id}")
    assert "left at <del>the door</del>" in page and "left at <ins>home</ins>" in page


def test_white_space_is_shown_on_demand(page_of: Get, shop: Shop) -> None:
    change = shop.modify("4711", order("a  b\t"), order("a b\n"))
    assert "a··b→" in page_of(f"/changes/{change.id}", space=1)
    assert "·" not in page_of(f"/changes/{change.id}").split("change-panel")[1]


def test_a_likely_time_is_a_hint_beside_the_number(page_of: Get, shop: Shop) -> None:
    old = {"at": {"N": "1700000000"}, "ms": {"N": "1700000000123"}, "n": {"N": "170000000"}}
    page = page_of(f"/changes/{shop.remove('4711', old).id}")
    assert 'datetime="2023-11-14T22:13:20Z"' in page and ">1700000000<" in page
    assert 'datetime="2023-11-14T22:13:20Z" data-precision="seconds"' in page
    assert "if these are ms" in page and page.count("if these are") == 2


def test_a_gap_before_the_change_is_told(page_of: Get, shop: Shop) -> None:
    shop.insert("4711", order("new"))
    change = shop.modify("4711", order("new"), order("paid"))
    at = change.occurred_at
    Gap.objects.create(stream=shop.stream, reason=Gap.Reason.TRIMMED, from_at=at, to_at=at)
    page = page_of(f"/changes/{change.id}")
    assert "Changes may be missing between the version before and this one" in page
    assert "the source had deleted the records" in page


def test_what_a_view_type_hides_is_said(page_of: Get, db: None) -> None:
    begin_feed()
    change = Shop(view_type="NEW_IMAGE").modify("4711", None, order("paid"))
    page = page_of(f"/changes/{change.id}")
    assert "old images are not in the stream" in page
    assert '<th scope="col">Value</th>' in page and ">added<" not in page


def test_a_change_that_retention_dropped(page_of: Get, shop: Shop) -> None:
    change = shop.insert("4711", order("new"))
    shop.stream.keep_days = 7
    shop.stream.save()
    until = change.occurred_at + timedelta(days=1)
    Drop.objects.create(
        stream=shop.stream, from_at=change.occurred_at, to_at=until, changes=1, size=1
    )
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM streams_change WHERE stream_id = %s", [shop.stream.pk])
    page = page_of(f"/changes/{change.id}", status=404)
    assert change.id in page and "it keeps 7 days" in page
    assert f"before {until:%Y-%m-%d %H:%M} UTC" in page


@pytest.mark.parametrize("tab", TABS)
def test_an_image_that_cannot_be_read(page_of: Get, shop: Shop, tab: str) -> None:
    change = shop.insert("4711", order("new"))
    broken(change, '{"a": {"X": "<b>"}}')
    page = page_of(f"/changes/{change.id}", tab=tab)
    assert "The new image cannot be read" in page and "unknown type" in page
    assert "/problems" in page
    if tab == "raw":
        assert "eyJhIjogeyJYIjogIjxiPiJ9fQ==" in page


@pytest.mark.parametrize("tab", TABS)
def test_odd_items_are_shown_as_text(page_of: Get, shop: Shop, tab: str) -> None:
    change = shop.modify("4711", strange("old"), strange("new"))
    page = page_of(f"/changes/{change.id}", tab=tab)
    assert HTML not in page and "\u202e" not in page and "\x07" not in page and "\x00" not in page
    if tab != "raw":
        assert "⟨U+202E⟩" in page and "␇" in page and "�" in page
    assert len(page.encode()) < MOST_BYTES


@pytest.mark.parametrize("key", KEYS)
def test_keys_may_have_any_signs(page_of: Get, shop: Shop, key: str) -> None:
    change = shop.insert(key, order("new"))
    page = page_of(f"/changes/{change.id}")
    assert HTML not in page and "\u202e" not in page
    assert shop.token(key) in page


@pytest.mark.parametrize("tab", TABS)
def test_large_items_make_small_pages(page_of: Get, shop: Shop, tab: str) -> None:
    change = shop.modify("4711", large("ham"), large("spam"))
    page = page_of(f"/changes/{change.id}", tab=tab)
    assert len(page.encode()) < MOST_BYTES
    if tab != "raw":
        assert "Load full values" in page


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize("levels", [35, 90])
def test_deep_items_are_shown_to_the_bottom(
    page_of: Get, shop: Shop, tab: str, levels: int
) -> None:
    change = shop.modify(
        "4711", {"a": deep(levels, text("left"))}, {"a": deep(levels, text("right"))}
    )
    page = page_of(f"/changes/{change.id}", tab=tab)
    assert "left" in page and "right" in page
    assert len(page.encode()) < MOST_BYTES


def test_an_item_of_a_thousand_attributes(page_of: Get, shop: Shop) -> None:
    change = shop.modify("4711", wide(1_000, "old"), wide(1_000, "new"))
    for tab in TABS:
        page = page_of(f"/changes/{change.id}", tab=tab)
        assert len(page.encode()) < MOST_BYTES
    whole = page_of(f"/changes/{change.id}", tab="changed", full=1)
    assert "attribute999" in whole


def test_a_long_list_says_that_it_was_compared_by_index(page_of: Get, shop: Shop) -> None:
    old, new = ({"L": [text(f"{word}{n}") for n in range(300)]} for word in "ab")
    page = page_of(f"/changes/{shop.modify('4711', {'list': old}, {'list': new}).id}")
    assert "compared index by index" in page and "list" in page


IMAGE = {"n": {"N": "1.0"}, "tags": {"SS": ["a"]}, "raw": {"B": "AAEC"}, "no": {"NULL": True}}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("dynamodb", '"raw": {"B": "AAEC"}'),
        ("json", '"n": 1.0,\n  "tags": [\n    "a"\n  ],\n  "raw": "AAEC",\n  "no": null'),
        ("python", "'n': Decimal('1.0')"),
        ("python", r"'raw': Binary(b'\x00\x01\x02')"),
    ],
)
def test_an_image_can_be_taken_along(page_of: Get, shop: Shop, language: str, said: str) -> None:
    change = shop.insert("4711", IMAGE)
    assert said in page_of(f"/changes/{change.id}/text", **{"of": "new", "as": language})


def test_dynamodb_json_is_exactly_what_is_stored(page_of: Get, shop: Shop) -> None:
    change = shop.insert("4711", strange("old"))
    assert change.new is not None
    assert page_of(f"/changes/{change.id}/text") == change.new.decode()
    key = page_of(f"/changes/{change.id}/text", **{"of": "key", "as": "json"})
    assert json.loads(key) == {"pk": "4711"}


def test_a_download_has_a_name(client: Client, bob: Any, shop: Shop) -> None:
    change = shop.insert("4711", IMAGE)
    client.force_login(bob)
    response = client.get(f"/changes/{change.id}/text", {"of": "new", "download": ""})
    named = response.headers["Content-Disposition"]
    assert named == f'attachment; filename="change-{change.id}-new.json"'
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"


def test_texts_that_are_not_there(page_of: Get, shop: Shop) -> None:
    change = shop.insert("4711", IMAGE)
    assert "no such image" in page_of(f"/changes/{change.id}/text", 404, of="old")
    assert "no such image" in page_of("/changes/1-1/text", 404)
    broken(change, "[]")
    path = f"/changes/{change.id}/text"
    assert "no DynamoDB JSON" in page_of(path, 422, **{"of": "new", "as": "python"})


def test_the_sentence_says_what_plain_json_loses(page_of: Get, shop: Shop) -> None:
    page = page_of(f"/changes/{shop.insert('4711', IMAGE).id}")
    assert "binaries became base64 text, sets became lists" in page
    assert CONTROLS not in page and TURNED not in page
