"""Terms: the same for the same value however it is spelled, and made for what is chosen only."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.indexing import (
    NOTHING,
    Indexed,
    indexed_of,
    key_expression,
    looks_like_id,
    stored_name,
    term,
    terms,
    too_many,
)
from streams.sources.dynamodb.records import parse
from streams.testing.scripted import make_record

KEY = [["pk", "S"]]
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


def terms_of(indexed: Indexed, **fields: Any) -> tuple[int, ...]:
    return parse(make_record(1, **fields), 1, indexed).terms


@pytest.mark.parametrize(
    "name",
    ["id", "order_id", "customerId", "userID", "sku", "UUID", "contact-email", "a.id", "orderARN"],
)
def test_names_that_look_like_ids(name: str) -> None:
    assert looks_like_id(name)


@pytest.mark.parametrize("name", ["paid", "valid", "grid", "status", "href", "identity", ""])
def test_names_that_do_not(name: str) -> None:
    assert not looks_like_id(name)


@given(st.text(), st.sampled_from("SB"), st.text(st.characters(codec="utf-16-le")))
def test_the_spelling_of_a_text_does_not_matter(name: str, type_: str, text: str) -> None:
    value = {type_: text}
    spellings = [
        json.dumps(value, separators=(",", ":"), ensure_ascii=False),
        json.dumps(value),
        json.dumps({"L": [value]}),
    ]
    for spelled in spellings:
        assert terms([(name, spelled.encode("utf-8", "surrogatepass"))]) == (term(name, value),)


def test_lone_surrogates_and_nul_have_terms() -> None:
    for raw, text in [(rb'{"S":"\ud800"}', "\ud800"), (rb'{"S":"\u0000"}', "\0")]:
        assert terms([("id", raw)]) == (term("id", {"S": text}),)


@pytest.mark.parametrize("spelling", ["1", "1.0", "1E0", "0.1e1"])
def test_numbers_are_the_same_by_value(spelling: str) -> None:
    assert terms([("id", b'{"N":"%b"}' % spelling.encode())]) == (term("id", {"N": "1"}),)


@pytest.mark.parametrize("spelling", ["1e9999999", "x", ""])
def test_a_number_that_is_none_has_a_term_of_its_spelling(spelling: str) -> None:
    assert terms([("id", b'{"N":"%b"}' % spelling.encode())]) == (term("id", {"N": spelling}),)


def test_types_and_names_tell_values_apart() -> None:
    values: list[tuple[str, Any]] = [
        ("id", {"S": "1"}),
        ("id", {"N": "1"}),
        ("id", {"BOOL": True}),
        ("sku", {"S": "1"}),
    ]
    assert len({term(name, value) for name, value in values}) == len(values)


def test_members_have_terms_of_their_own_until_they_are_too_many() -> None:
    few = {"SS": [str(n) for n in range(64)]}
    many = {"SS": [str(n) for n in range(65)]}
    assert set(terms([("id", json.dumps(few).encode())])) == {
        term("id", {"S": member}) for member in few["SS"]
    }
    assert terms([("id", json.dumps(many).encode())]) == (too_many("id"),)


@pytest.mark.parametrize("raw", [b'"x"', b"{}", b'{"S":"a","N":"1"}', b'{"L":7}', b'{"L":["x"]}'])
def test_what_is_no_value_is_left_to_the_search(raw: bytes) -> None:
    assert terms([("id", raw)]) == (too_many("id"),)


def test_both_images_and_each_value_once() -> None:
    indexed = indexed_of(None, None, KEY)
    old = {"pk": {"S": "a"}, "order_id": {"S": "1"}, "sku": {"S": "x"}, "note": {"S": "n"}}
    new = {**old, "order_id": {"S": "2"}}
    found = terms_of(indexed, OldImage=old, NewImage=new)
    assert sorted(found) == sorted(
        [term("order_id", {"S": "1"}), term("order_id", {"S": "2"}), term("sku", {"S": "x"})]
    )


def test_chosen_names_replace_the_look() -> None:
    image = {"order_id": {"S": "1"}, "status": {"S": "paid"}}
    indexed = indexed_of(["status"], None, KEY)
    assert terms_of(indexed, NewImage=image) == (term("status", {"S": "paid"}),)
    assert terms_of(NOTHING, NewImage=image) == ()


def test_a_partition_key_with_an_index_of_its_text_needs_no_term() -> None:
    image = {"id": {"S": "a"}}
    assert terms_of(indexed_of(None, None, [["id", "S"]]), NewImage=image) == ()
    assert terms_of(indexed_of(None, None, [["id", "N"]]), NewImage=image) != ()


def test_a_key_without_images_has_its_terms() -> None:
    indexed = indexed_of(None, None, [["pk", "S"], ["order_id", "N"]])
    keys = {"pk": {"S": "a"}, "order_id": {"N": "7.0"}}
    assert terms_of(indexed, Keys=keys) == (term("order_id", {"N": "7"}),)


def test_changes_before_the_day_have_none() -> None:
    image = {"id": {"S": "a"}}
    moment = {"ApproximateCreationDateTime": JUNE.timestamp()}
    june, later = (indexed_of(None, date(2026, 6, day), KEY) for day in (1, 2))
    assert terms_of(june, NewImage=image, **moment) and june.covers("id", JUNE)
    assert not terms_of(later, NewImage=image, **moment) and not later.covers("id", JUNE)
    assert not june.covers("status", JUNE)


def test_only_plain_text_keys_have_an_index() -> None:
    assert '"pk":{"B":"' in key_expression([["pk", "B"], ["sk", "N"]])
    for schema in ([], [["pk", "N"]], [["p'k", "S"]], [["ü", "S"]]):
        assert key_expression(schema) == ""


def test_names_are_stored_as_postgres_can_hold_them() -> None:
    image = {"a\0b": {"S": "x"}, "\ud800": {"S": "x"}}
    changed = parse(make_record(1, eventName="INSERT", NewImage=image), 1, NOTHING).changed
    assert changed == tuple(sorted(map(stored_name, image)))
