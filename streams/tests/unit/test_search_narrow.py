"""What indexes are asked for a filter: never less than what matches, and nothing where they cannot
tell. (That all is found is proved on the store, in test_search_finds_all.py.)"""

import json

import pytest

from streams.indexing import term, too_many
from streams.item_key import canonical, item_id
from streams.queries.search_narrow import (
    CHANGED,
    ITEM,
    KEY,
    TERMS,
    KeyFacts,
    Narrow,
    key_range,
    narrowed,
)
from streams.queries.search_place import FIRST, LAST, Place
from streams.rules.expressions.compiler import compile_expression
from streams.rules.patterns.compiler import compile_pattern

ONE = KeyFacts(7, [["order_id", "S"]])
TWO = KeyFacts(7, [["pk", "S"], ["sk", "N"]])
NUMBER = KeyFacts(7, [["n", "N"]])


def of(expression: str, key: KeyFacts = ONE) -> list[tuple[Narrow, ...] | None]:
    return [narrowed(clause, key) for clause in compile_expression(expression).form]


def by(expression: str, key: KeyFacts = ONE) -> list[list[str]]:
    return [[narrow.by for narrow in way or ()] for way in of(expression, key)]


def items(key: KeyFacts, *keys: dict[str, dict[str, str]]) -> Narrow:
    return Narrow(ITEM, frozenset(item_id(key.stream_id, canonical(k)) for k in keys))


# Items and keys


def test_a_whole_key_is_an_item() -> None:
    expected = items(ONE, {"order_id": {"S": "a"}})
    assert of("keys.order_id:a") == of("key:a") == [(expected,)]
    pattern = compile_pattern({"dynamodb": {"Keys": {"order_id": {"S": ["a"]}}}})
    assert narrowed(pattern.form[0], ONE) == (expected,)


def test_an_image_holds_its_key() -> None:
    assert of("new.order_id:a") == of("keys.order_id:a")


def test_several_values_are_several_items() -> None:
    keys = [{"pk": {"S": pk}, "sk": {"N": "5"}} for pk in "ab"]
    assert of("keys.pk:a,b keys.sk:5.0", TWO) == [(items(TWO, *keys),)]


def test_a_number_is_an_item_however_it_is_spelled() -> None:
    assert (
        of("keys.n:5e0", NUMBER) == of("key:5.0", NUMBER) == [(items(NUMBER, {"n": {"N": "5"}}),)]
    )


def test_part_of_a_key_is_found_by_its_text() -> None:
    (way,) = of("keys.pk:a", TWO)
    assert way and way[0] == Narrow(KEY, frozenset(['a"']))


def test_one_value_of_a_key_of_two_is_not_narrowed() -> None:
    assert by("key:a", TWO) == [[]]


def test_what_the_key_does_not_have_matches_nothing() -> None:
    assert of("keys.customer_id:a") == [None]
    assert of("missing(keys.customer_id)") != [None]


@pytest.mark.parametrize(
    ("expression", "beginning"),
    [
        ("keys.order_id^=ORD#", "ORD#"),
        ('keys.order_id^="a\\"b"', "a"),
        ('keys.order_id^="a\\\\b"', "a"),
        ('keys.order_id^="a\\u0000b"', "a"),
        ('keys.order_id^="a\\ud800b"', "a"),
        (f"keys.order_id^={'x' * 60}", "x" * 48),
    ],
)
def test_a_beginning_is_looked_up_as_far_as_the_index_knows(
    expression: str, beginning: str
) -> None:
    ((narrow, *_),) = (way or () for way in of(expression))
    assert narrow == Narrow(KEY, frozenset([beginning]))


def test_the_beginning_of_a_wildcard_is_a_beginning() -> None:
    assert of("keys.order_id:ORD#*7") == [(Narrow(KEY, frozenset(["ORD#"])),)]


@pytest.mark.parametrize(
    "expression", ['keys.order_id^=""', "keys.order_id:*7", 'keys.order_id>"a"']
)
def test_what_may_begin_anyhow_is_not_looked_up(expression: str) -> None:
    assert by(expression) == [[]]


def test_after_another_key_only_the_text_tells() -> None:
    former = KeyFacts(7, [["order_id", "S"]], always=False, former=frozenset(["order_id"]))
    assert by("keys.order_id:a", former) == [[KEY]]
    assert by("keys.customer_id:a", former) == [[]]


# Attributes


def test_a_text_may_be_a_binary_too_and_one_of_many() -> None:
    expected = {term("x", {"S": "a"}), term("x", {"B": "a"}), too_many("x")}
    assert of("old.x:a") == [(Narrow(TERMS, frozenset(expected), frozenset(["x"])),)]


def test_a_number_has_one_term_however_it_is_spelled() -> None:
    expected = frozenset({term("x", {"N": "5"}), too_many("x")})
    for pattern in ('{"new":{"x":[5.00]}}', '{"new":{"x":[{"numeric":["=",5e0]}]}}'):
        (clause,) = compile_pattern(pattern).form
        assert narrowed(clause, ONE) == (Narrow(TERMS, expected, frozenset(["x"])),)


@pytest.mark.parametrize(
    ("type_", "value", "typed"),
    [
        ("S", "a", {"S": "a"}),
        ("N", "5.0", {"N": "5"}),
        ("NS", "5.0", {"N": "5"}),
        ("SS", "a", {"S": "a"}),
        ("BOOL", True, {"BOOL": True}),
    ],
)
def test_the_record_names_the_type(type_: str, value: object, typed: dict[str, object]) -> None:
    (clause,) = compile_pattern({"dynamodb": {"NewImage": {"x": {type_: [value]}}}}).form
    expected = frozenset({term("x", typed), too_many("x")})
    assert narrowed(clause, ONE) == (Narrow(TERMS, expected, frozenset(["x"])),)


@pytest.mark.parametrize(
    "test",
    [
        *({"prefix": "a"}, {"anything-but": "a"}, {"exists": False}, {"exists": True}),
        *({"numeric": [">=", 5]}, {"equals-ignore-case": "a"}, {"wildcard": "a*"}),
        # An address has other spellings.
        *("127.0.0.1", "::1"),
    ],
)
def test_what_has_no_one_value_narrows_nothing(test: object) -> None:
    (clause,) = compile_pattern(json.dumps({"new": {"x": ["a", test]}})).form
    assert narrowed(clause, ONE) == ()


@pytest.mark.parametrize("text", ["abc", "1e9999999", "NaN"])
def test_what_no_number_can_be_is_not_looked_up(text: str) -> None:
    (clause,) = compile_pattern({"dynamodb": {"NewImage": {"x": {"N": [text]}}}}).form
    assert narrowed(clause, ONE) == ()


def test_what_lies_inside_of_an_attribute_narrows_nothing() -> None:
    assert by("new.a.b:x") == by('new."a.b":x') == [[]]


def test_exclusions_narrow_nothing() -> None:
    assert by("-new.x:a") == [[]]


# Changed attributes


def test_changed_names_are_looked_up_as_they_are_stored() -> None:
    assert of('changed:"a\\u0000"') == [(Narrow(CHANGED, frozenset(["a\\u0000"])),)]


def test_what_changed_inside_changed_the_attribute() -> None:
    expected = [(Narrow(CHANGED, frozenset(["address", "address.city"])),)]
    assert of("changed(address.city)") == of("appeared(address.city)") == expected


def test_all_that_a_clause_says_is_used() -> None:
    assert by("changed:status new.x:a -new.y:b") == [[CHANGED, TERMS]]


# Ranges of text


@pytest.mark.parametrize(
    ("beginning", "beyond"),
    [
        ("a", "b"),
        ("a\ud7ff", "a\ue000"),
        ("a\U0010ffff", "b"),
        ("\U0010ffff", None),
        ("Z\xfc", "Z\xfd"),
    ],
)
def test_the_range_of_a_beginning_ends_right_after_it(beginning: str, beyond: str | None) -> None:
    assert key_range(beginning) == (beginning, beyond)


# Places


@pytest.mark.parametrize("place", [FIRST, LAST, Place(1_800_000_000_000_000, 7, 0)])
def test_a_place_is_read_from_its_text(place: Place) -> None:
    assert Place.parse(str(place)) == place


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "1.2.3.4", "a.1.1", "1.-1.1", f"{10**18}.1.1", "1.1.²"]
)
def test_another_text_is_no_place(text: str) -> None:
    with pytest.raises(ValueError, match="no place in a search"):
        Place.parse(text)


@pytest.mark.parametrize("place", [Place(5, 7, 3), Place(5, 7, 0), Place(5, 0, 0)])
def test_between_a_place_and_the_one_before_nothing_lies(place: Place) -> None:
    assert place.previous <= place < place.following
    assert place.previous.following == place or place.ordinal == 0
