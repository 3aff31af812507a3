"""One change: what differs, where the images are from, and the raw JSON."""

from collections.abc import Callable
from typing import Any

import pytest

from dashboard.tests.seeding import Shop, begin_feed, order, text
from dashboard.views.values import line, show
from streams.diff import Difference, diff

pytestmark = pytest.mark.django_db

Get = Callable[..., str]


def test_it_shows_the_facts_and_the_changed_fields_only(page_of: Get, shop: Shop) -> None:
    old = order("new", note=text("same"))
    change = shop.modify("4711", old, order("paid", "13.00", note=text("same")))
    page = page_of(f"/changes/{change.id}")
    assert change.sequence in page and change.shard in page and change.event_id in page
    assert "Changed fields" in page and "paid" in page
    assert "+0.50, +4.0 %" in page
    assert '<th scope="row" class="path"><bdi>note</bdi>' not in page


def test_it_leads_to_the_versions_before_and_after(page_of: Get, shop: Shop) -> None:
    first = shop.insert("4711", order("new"))
    second = shop.modify("4711", order("new"), order("paid"))
    assert f'rel="next" href="/changes/{second.id}"' in page_of(f"/changes/{first.id}")
    assert f'rel="prev" href="/changes/{first.id}"' in page_of(f"/changes/{second.id}")


def test_it_says_where_a_supplied_old_image_is_from(page_of: Get, shop: Shop) -> None:
    shop.insert("4711", order("new"))
    change = shop.modify("4711", None, order("paid"))
    page = page_of(f"/changes/{change.id}")
    assert "The stream does not send old images; this one is the previous stored version" in page
    assert "Changed fields" in page and ">new<" in page


def test_it_says_that_an_old_image_is_unknown(page_of: Get, shop: Shop) -> None:
    change = shop.modify("4711", None, order("paid"))
    page = page_of(f"/changes/{change.id}")
    assert "no earlier version of this item is stored" in page
    assert "Fields as far as they are known" in page


def test_it_says_that_only_keys_are_sent(page_of: Get, db: None) -> None:
    begin_feed()
    change = Shop(view_type="KEYS_ONLY").modify("4711", None, None)
    page = page_of(f"/changes/{change.id}")
    assert "The stream sends keys only" in page and "nothing to compare" in page


def test_it_says_that_a_write_changed_nothing(page_of: Get, shop: Shop) -> None:
    change = shop.modify("4711", order("new"), order("new"))
    assert "Nothing differs between the images" in page_of(f"/changes/{change.id}")


def test_it_folds_the_fields_of_a_large_insert(page_of: Get, shop: Shop) -> None:
    change = shop.insert("4711", {f"field{n}": text("x") for n in range(1_000)})
    page = page_of(f"/changes/{change.id}")
    assert "Show 200 more" in page
    assert "771 more differences are not listed" in page
    assert len(page) < 200_000
    whole = page_of(f"/changes/{change.id}", full=1)
    assert ">field999<" in whole and "not listed" not in whole


def test_a_large_image_is_shown_with_its_beginning(page_of: Get, shop: Shop) -> None:
    change = shop.insert("4711", {"big": text("x" * 400_000)})
    page = page_of(f"/changes/{change.id}")
    assert len(page) < 100_000
    assert "399,800 more characters" in page and "Load full values" in page
    whole = page_of(f"/changes/{change.id}", full=1)
    assert "x" * 400_000 in whole and "Load full values" not in whole


def test_the_raw_json_is_as_it_was_stored(page_of: Get, shop: Shop) -> None:
    change = shop.insert("4711", order("new", "1.0"))
    page = page_of(f"/changes/{change.id}", tab="raw")
    assert "{&quot;N&quot;: &quot;1.0&quot;}" in page


@pytest.mark.parametrize("change_id", ["1-1", "x", "1", "9" * 40, "1-x"])
def test_a_change_that_is_not_there(page_of: Get, change_id: str) -> None:
    assert "There is no change" in page_of(f"/changes/{change_id}", status=404)


@pytest.mark.parametrize(
    ("value", "look", "text_"),
    [
        (None, "missing", "missing"),
        ({"NULL": True}, "null", "NULL"),
        ({"S": ""}, "empty-value", "empty string"),
        ({"S": "a\nb"}, "text", "a\nb"),
        ({"BOOL": True}, "text", "true"),
    ],
)
def test_missing_null_and_empty_look_different(value: Any, look: str, text_: str) -> None:
    shown = show(value)
    assert (shown.look, shown.text) == (look, text_)


def test_a_binary_has_its_size_and_digest() -> None:
    assert show({"B": "AAECAw=="}).note == (
        "4 bytes, SHA-256 054edec1d0211f624fed0cbca9d4f9400b0e491c43742af2c5b0abebf0c990d8"
    )
    assert show({"B": "?"}).note == "not valid base64"


@pytest.mark.parametrize(
    ("old", "new", "delta"),
    [
        ("1042.50", "1099.00", "+56.50, +5.4 %"),
        ("0", "5", "+5"),
        ("1", "1000000", "+999999"),
        (f"1{'0' * 37}", "1", f"-{'9' * 37}, -100.0 %"),
        ("1", "x", ""),
        ("-2", "-1", "+1, +50.0 %"),
    ],
)  # fmt: skip
def test_a_changed_number_has_its_exact_difference(old: str, new: str, delta: str) -> None:
    (difference,) = diff({"a": {"N": old}}, {"a": {"N": new}})
    assert line(difference).delta == delta


def test_a_kind_has_a_letter_and_a_word() -> None:
    shown = line(Difference("a", "retyped", {"N": "1"}, {"S": "1"}))
    assert (shown.letter, shown.word) == ("T", "type changed (N → S)")
