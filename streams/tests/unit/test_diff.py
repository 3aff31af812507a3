"""What differs between two images."""

from typing import Any

import pytest

from streams.diff import (
    ADDED,
    CHANGED,
    MEMBERS,
    REMOVED,
    RESPELLED,
    RETYPED,
    Difference,
    Image,
    compare,
    diff,
)


def one(old: Any, new: Any) -> Difference:
    (found,) = diff({"a": old}, {"a": new})
    return found


def test_it_finds_nothing_between_equal_images() -> None:
    assert diff({"a": {"S": "x"}}, {"a": {"S": "x"}}) == []


def test_it_shows_every_field_of_an_insert_as_added() -> None:
    new: Image = {"a": {"S": "x"}, "b": {"NULL": True}}
    assert [(d.path, d.kind) for d in diff(None, new)] == [("a", ADDED), ("b", ADDED)]


def test_it_shows_every_field_of_a_remove_as_removed() -> None:
    assert diff({"a": {"S": ""}}, None) == [Difference("a", REMOVED, {"S": ""}, None)]


def test_it_tells_missing_null_and_empty_apart() -> None:
    assert one({"NULL": True}, {"S": ""}).kind == RETYPED
    assert diff({}, {"a": {"NULL": True}})[0].kind == ADDED
    assert one({"S": ""}, {"S": " "}).kind == CHANGED


@pytest.mark.parametrize(("old", "new"), [("1.0", "1"), ("1e2", "100"), ("-0", "0"), ("007", "7")])
def test_it_knows_a_number_in_another_spelling(old: str, new: str) -> None:
    assert one({"N": old}, {"N": new}).kind == RESPELLED


def test_it_compares_all_38_digits() -> None:
    digits = "12345678901234567890123456789012345678"
    assert one({"N": digits}, {"N": digits[:-1] + "9"}).kind == CHANGED


def test_it_survives_what_is_no_number() -> None:
    assert one({"N": "NaN"}, {"N": "abc"}).kind == CHANGED


def test_it_calls_a_changed_type_by_its_name() -> None:
    assert one({"N": "1"}, {"S": "1"}) == Difference("a", RETYPED, {"N": "1"}, {"S": "1"})


def test_it_goes_into_maps_with_full_paths() -> None:
    old = {"M": {"city": {"S": "Brno"}, "zip": {"S": "1"}}}
    new = {"M": {"city": {"S": "Praha"}, "zip": {"S": "1"}}}
    assert one(old, new).path == "a.city"


def test_it_quotes_names_that_could_be_misread() -> None:
    assert diff({}, {"a.b": {"S": "x"}})[0].path == '["a.b"]'
    assert one({"M": {}}, {"M": {"x y": {"S": "1"}}}).path == 'a["x y"]'


def test_it_goes_into_lists_with_their_index() -> None:
    old = {"L": [{"M": {"qty": {"N": "1"}}}, {"M": {"qty": {"N": "2"}}}]}
    new = {"L": [{"M": {"qty": {"N": "1"}}}, {"M": {"qty": {"N": "3"}}}]}
    assert one(old, new).path == "a[1].qty"


def test_it_shows_one_element_put_in_front_as_one() -> None:
    old = [{"S": str(number)} for number in range(20)]
    found = one({"L": old}, {"L": [{"S": "new"}, *old]})
    assert found == Difference("a[0]", ADDED, None, {"S": "new"})


def test_it_finds_another_spelling_inside_an_aligned_list() -> None:
    old, new = {"L": [{"S": "gone"}, {"N": "1"}]}, {"L": [{"N": "1.0"}]}
    found = diff({"a": old}, {"a": new})
    assert [(d.path, d.kind) for d in found] == [("a[0]", REMOVED), ("a[0]", RESPELLED)]


def test_it_compares_long_lists_by_index() -> None:
    old = [{"S": str(number)} for number in range(300)]
    found = diff({"a": {"L": old}}, {"a": {"L": [*old, {"S": "last"}]}})
    assert [d.path for d in found] == ["a[300]"]


def test_it_compares_sets_without_order() -> None:
    assert diff({"a": {"SS": ["x", "y"]}}, {"a": {"SS": ["y", "x"]}}) == []
    found = one({"SS": ["x", "y"]}, {"SS": ["y", "z"]})
    assert found == Difference("a", MEMBERS, {"SS": ["x"]}, {"SS": ["z"]})


def test_it_leaves_out_the_side_of_a_set_that_has_nothing() -> None:
    assert one({"NS": ["1"]}, {"NS": ["1.0", "2"]}) == Difference("a", MEMBERS, None, {"NS": ["2"]})


def test_it_knows_a_set_of_numbers_in_another_spelling() -> None:
    assert one({"NS": ["1", "2"]}, {"NS": ["2", "1.0"]}).kind == RESPELLED


def line(sku: str, quantity: int, price: str = "9") -> Any:
    return {"M": {"sku": {"S": sku}, "qty": {"N": str(quantity)}, "price": {"N": price}}}


def test_it_tells_a_changed_element_from_one_that_came_before_it() -> None:
    old, new = [line("A", 2), line("B", 1)], [line("X", 1, "5"), line("A", 3), line("B", 1)]
    found = diff({"a": {"L": old}}, {"a": {"L": new}})
    assert [(d.path, d.kind) for d in found] == [("a[0]", ADDED), ("a[1].qty", CHANGED)]


def test_it_says_which_lists_were_compared_by_index() -> None:
    old = [{"S": str(number)} for number in range(300)]
    new = [{"S": f"{number}!"} for number in range(300)]
    found = compare({"a": {"L": old}}, {"a": {"L": new}})
    assert (found.by_index, found.late) == (["a"], False)
    assert len(found.differences) == 300


def test_it_escapes_what_would_hide_in_a_path() -> None:
    assert diff({}, {"\ud800": {"S": "x"}})[0].path == '["\\ud800"]'
    assert diff({}, {"a\u202eb": {"S": "x"}})[0].path == '["a\\u202eb"]'
