"""Rows and values: short, safe and honest, whatever is in them."""

import json
from typing import Any

import msgspec
import pytest

from dashboard.feed import cursors
from dashboard.feed.preview import decode, key_label, preview, visible
from dashboard.feed.ring import Ring, Row, operations
from dashboard.feed.summary import changed_fields
from streams.queries.feed import Cursor


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"S": "paid"}, "paid"),
        ({"S": ""}, '""'),
        ({"N": "12345678901234567890123456789012345678"}, "12345678901234567890123456789012345678"),
        ({"NULL": True}, "NULL"),
        ({"BOOL": False}, "false"),
        ({"B": "AAECAw=="}, "binary, 4 bytes"),
        ({"SS": ["a", "b"]}, "{a, b}"),
        ({"BS": ["AA=="]}, "{binary, 1 bytes}"),
        ({"L": [{"N": "1"}, {"M": {"city": {"S": "Brno"}}}]}, "[1, {city: Brno}]"),
        ({}, "NULL"),
    ],
)
def test_a_value_on_one_line(value: dict[str, Any], shown: str) -> None:
    assert preview(value) == shown


def test_a_long_value_is_cut_without_reading_all_of_it() -> None:
    value = {"L": [{"L": [{"S": "x" * 1000}] * 1000}] * 1000}
    assert preview(value, 20) == "[[" + "x" * 17 + "…"


def test_nothing_is_hidden_in_a_text() -> None:
    assert visible("a\0b\x7f\u202ec\ud800\u2066") == "a␀b␡⟨U+202E⟩c\ufffd⟨U+2066⟩"
    assert visible("a\n\tb", lines=True) == "a\n\tb"


def test_lone_surrogates_are_decoded() -> None:
    assert decode(b'{"a": {"S": "\\ud800"}}') == {"a": {"S": "\ud800"}}


def test_a_key_is_its_values() -> None:
    assert key_label({"pk": {"S": "ORD#1"}, "sk": {"N": "7"}}) == "ORD#1 / 7"


def image(**fields: Any) -> bytes:
    return json.dumps({"pk": {"S": "1"}, **fields}).encode()


def test_a_row_shows_the_first_three_changed_fields() -> None:
    old = image(a={"S": "1"}, b={"S": "1"}, c={"S": "1"}, d={"S": "1"})
    new = image(a={"S": "2"}, b={"S": "2"}, c={"S": "2"}, d={"S": "2"})
    fields, more = changed_fields(old, new, ("a", "b", "c", "d"), {"pk": {}})
    assert fields == [("a", "1", "2"), ("b", "1", "2"), ("c", "1", "2")]
    assert more == 1


def test_a_row_without_old_image_shows_what_the_item_is_now() -> None:
    fields, more = changed_fields(None, image(a={"S": "2"}), None, {"pk": {}})
    assert (fields, more) == ([("a", None, "2")], 0)


def test_a_row_of_a_large_item_shows_names_only() -> None:
    fields, _ = changed_fields(None, image(a={"S": "x" * 40_000}), ("a",), {"pk": {}})
    assert fields == [("a", None, None)]


def test_a_row_without_images_shows_no_fields() -> None:
    assert changed_fields(None, None, None, {"pk": {}}) == ([], 0)


def row(number: int, stream: int = 1) -> Row:
    return Row(Cursor(number, 0), stream, "MODIFY", msgspec.Raw(b"[]"))


def test_the_ring_forgets_the_oldest_and_knows_from_where_it_is_whole() -> None:
    ring = Ring(size=8)
    ring.append([row(number) for number in range(1, 13)], Cursor(12, 0))
    assert len(ring) == 8
    assert ring.start == Cursor(4, 0)
    assert [r.cursor.position for r in ring.after(Cursor(9, 0), None)] == [10, 11, 12]


def test_the_ring_gives_the_rows_of_some_streams() -> None:
    ring = Ring()
    ring.append([row(1), row(2, stream=2)], Cursor(2, 0))
    assert [r.stream for r in ring.after(Cursor(0, 0), frozenset([2]))] == [2]
    assert operations(ring.after(Cursor(0, 0), None)) == {"MODIFY": 2}


@pytest.mark.parametrize("text", ["", "7", "a.b", "1.99999999999", f"{2**63}.0", "-1.0"])
def test_a_cursor_that_the_store_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        cursors.parse(text)


def test_the_place_before_a_change() -> None:
    assert cursors.before(Cursor(7, 3)) == Cursor(7, 2)
    assert cursors.before(Cursor(7, 0)) == Cursor(6, 2**31 - 1)
