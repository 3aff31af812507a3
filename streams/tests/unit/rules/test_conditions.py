"""Conditions on a whole change, on events of both shapes."""

from decimal import Decimal
from typing import Any

import pytest

from streams.rules.deciding.conditions import (
    AnyKey,
    Appeared,
    ChangedBy,
    Differs,
    Disappeared,
    Length,
    OfType,
)
from streams.rules.operators import Exact, Numeric, Prefix
from streams.rules.values import Number


def plain(old: Any = None, new: Any = None, **others: Any) -> dict[str, Any]:
    images = {"old": old, "new": new}
    return {name: image for name, image in images.items() if image is not None} | others


def record(old: Any = None, new: Any = None, **others: Any) -> dict[str, Any]:
    images = {"OldImage": old, "NewImage": new}
    return {"dynamodb": {n: image for n, image in images.items() if image is not None}} | others


def test_any_value_of_the_key_may_pass() -> None:
    condition = AnyKey((Prefix("ORD#"), Exact(Number("7"), exact=True)))
    assert condition.holds({"keys": {"pk": "ORD#1", "sk": "x"}})
    assert condition.holds({"keys": {"pk": "x", "sk": Decimal("7.0")}})
    assert not condition.holds({"keys": {"pk": "x", "sk": "7"}})
    assert not condition.holds({"new": {"pk": "ORD#1"}})
    assert not condition.holds({"keys": {"pk": ["ORD#1"], "sk": {"a": "ORD#1"}}})
    long = "12345678901234567890123456789012345678"
    above = AnyKey((Numeric(Number(long), False, None, False, exact=True),))
    assert above.holds({"keys": {"n": Number("12345678901234567890123456789012345679")}})


@pytest.mark.parametrize(
    ("old", "new", "appeared", "disappeared", "differs"),
    [
        ({}, {"a": {"b": None}}, True, False, True),
        ({"a": {}}, {"a": {"b": []}}, True, False, True),
        ({"a": {"b": 1}}, {"a": 1}, False, True, True),
        ({"a": {"b": 1}}, {"a": {"b": Decimal("1.0")}}, False, False, False),
        ({"a": {"b": 1}}, {"a": {"b": True}}, False, False, True),
        ({"a": {"b": 1}}, {"a": {"b": "1"}}, False, False, True),
        ({"a": {"b": "é"}}, {"a": {"b": "e\u0301"}}, False, False, True),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1.0, {"c": 2.0}]}}, False, False, False),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [2, 1]}}, False, False, True),
        ({"a": {"b": [1]}}, {"a": {"b": [1, 1]}}, False, False, True),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"d": 1}}}, False, False, True),
        ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"d": 2, "c": 1}}}, False, False, False),
        ({"a.b": 1}, {"a": {"b": 1}}, False, False, False),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, False, False, True),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1}, {"b": 2}]}, False, False, True),
        ({"a": [{"c": 1}]}, {"a": [[{"b": 2}]]}, True, False, True),
        ({}, {"b": 1}, False, False, False),
    ],
)
def test_what_became_of_a_path(
    old: Any, new: Any, appeared: bool, disappeared: bool, differs: bool
) -> None:
    event = plain(old, new, operation="MODIFY")
    assert Appeared("a.b").holds(event) is appeared
    assert Disappeared("a.b").holds(event) is disappeared
    assert Differs("a.b").holds(event) is differs
    back = plain(new, old, operation="MODIFY")
    assert Appeared("a.b").holds(back) is disappeared
    assert Disappeared("a.b").holds(back) is appeared
    assert Differs("a.b").holds(back) is differs


def test_without_an_image_nothing_is_known() -> None:
    for event in (
        plain(new={"a": {"b": 1}}, operation="MODIFY"),
        plain(old={"a": {"b": 1}}, operation="MODIFY"),
        plain(new={"a": {"b": 1}}),
        record(new={"a": {"M": {"b": {"N": "1"}}}}, eventName="MODIFY"),
        plain(keys={"a": {"b": 1}}, operation="INSERT"),
        plain(operation="REMOVE"),
        plain(old="text", new=[], operation=["INSERT"]),
        {},
    ):
        for condition in (Appeared("a.b"), Disappeared("a.b"), Differs("a.b")):
            assert not condition.holds(event)
        assert not ChangedBy("a.b", ">=", Number("0")).holds(event)


def test_an_inserted_item_had_nothing_before_and_a_removed_one_has_nothing_after() -> None:
    typed = {"a": {"M": {"b": {"N": "1"}}}}
    for inserted in (
        plain(new={"a": {"b": 1}}, operation="INSERT"),
        record(new=typed, eventName="INSERT"),
        record(new=typed, operation="INSERT"),
    ):
        assert Appeared("a.b").holds(inserted)
        assert Differs("a.b").holds(inserted)
        assert not Disappeared("a.b").holds(inserted)
        assert not ChangedBy("a.b", ">", Number("0")).holds(inserted)
    removed = plain(old={"a": {"b": 1}}, operation="REMOVE")
    assert Disappeared("a.b").holds(removed)
    assert Differs("a.b").holds(removed)
    assert not Appeared("a.b").holds(removed)


def test_the_record_tells_sets_and_numbers() -> None:
    old = {"a": {"M": {"b": {"NS": ["1", "2.0"]}, "c": {"SS": ["x"]}, "d": {"B": "AAE="}}}}
    new = {"a": {"M": {"b": {"NS": ["2", "1"]}, "c": {"L": [{"S": "x"}]}, "d": {"S": "AAE="}}}}
    event = record(old, new)
    assert not Differs("a.b").holds(event)
    assert Differs("a.c").holds(event)
    assert Differs("a.d").holds(event)
    # The record goes before the plain shape, which has no types.
    assert Differs("a.d").holds(event | plain({"a": {"d": "AAE="}}, {"a": {"d": "AAE="}}))


@pytest.mark.parametrize(
    ("old", "new", "operator", "amount", "holds"),
    [
        ("100", "110", ">", "10", False),
        ("100", "110", ">=", "10", True),
        ("110", "100", ">=", "10.0", True),
        ("0.1", "0.3", "<=", "0.2", True),
        ("0.1", "0.3", "<", "0.2", False),
        ("5", "5.0", ">", "0", False),
        ("5", "5.0", "<=", "0", True),
        ("1", "1.0000000000000000000000000000000000001", ">", "0", True),
        ("9e125", "1e-130", ">", "8e125", True),
        ("9e125", "1e-130", "<", "9e125", True),
        ("-5", "5", ">=", "10", True),
    ],
)
def test_how_far_a_number_moved(
    old: str, new: str, operator: str, amount: str, holds: bool
) -> None:
    condition = ChangedBy("n", operator, Number(amount))
    assert condition.holds(plain({"n": Number(old)}, {"n": Number(new)})) is holds
    assert condition.holds(record({"n": {"N": old}}, {"n": {"N": new}})) is holds


@pytest.mark.parametrize(
    ("old", "new", "operator", "percent", "holds"),
    [
        (200, 210, ">=", "5", True),
        (200, 210, ">", "5", False),
        (200, 190, ">=", "5", True),
        (-200, -210, ">=", "5", True),
        (Decimal(3), Decimal(4), ">", "33.333333333333333333333333333333", True),
        (Decimal(3), Decimal(4), "<", "33.333333333333333333333333333334", True),
        (0, 1, ">", "1e100", True),
        (0, 1, ">=", "1e100", True),
        (0, 1, "<", "1e100", False),
        (0, 1, "<=", "1e100", False),
        (0, 0, ">=", "0", True),
        (0, 0, ">=", "1", False),
        (0, 0, "<", "1", True),
        (5, 5, ">", "0", False),
        (5, 0, "<=", "100", True),
    ],
)
def test_how_far_a_number_moved_in_percent_of_what_it_was(
    old: Any, new: Any, operator: str, percent: str, holds: bool
) -> None:
    condition = ChangedBy("n", operator, Number(percent), percent=True)
    assert condition.holds(plain({"n": old}, {"n": new})) is holds


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"n": "1"}, {"n": 9}),
        ({"n": 1}, {}),
        ({"n": None}, {"n": 9}),
        ({"n": True}, {"n": 9}),
        ({"n": [1]}, {"n": [9]}),
        ({"n": Number("1e9999999999999999999")}, {"n": 9}),
    ],
)
def test_a_move_needs_a_number_in_each_image(old: Any, new: Any) -> None:
    assert not ChangedBy("n", ">=", Number("0")).holds(plain(old, new))


def test_a_move_is_of_one_number_and_not_of_several() -> None:
    moved = ChangedBy("a.n", ">", Number("1"))
    assert moved.holds(plain({"a": [{"n": 1}]}, {"a": [{"n": 9}]}))
    assert not moved.holds(plain({"a": [{"n": 1}, {"n": 1}]}, {"a": [{"n": 9}, {"n": 9}]}))


def test_the_largest_exponents_end_soon() -> None:
    huge = plain({"n": Number("1e999999999999999999")}, {"n": Number("-1e-999999999999999999")})
    assert ChangedBy("n", ">", Number("1")).holds(huge)
    assert ChangedBy("n", ">=", Number("1"), percent=True).holds(huge)


@pytest.mark.parametrize(
    ("value", "typed", "length"),
    [
        ("é😀", {"S": "é😀"}, 2),
        ("", {"S": ""}, 0),
        ([1, "a", []], {"L": [{"N": "1"}, {"S": "a"}, {"L": []}]}, 3),
        ({"a": 1}, {"M": {"a": {"N": "1"}}}, 1),
        (["a", "b"], {"SS": ["a", "b"]}, 2),
        (12345, {"N": "12345"}, None),
        (True, {"BOOL": True}, None),
        (None, {"NULL": True}, None),
    ],
)
def test_how_long_a_value_is(value: Any, typed: Any, length: int | None) -> None:
    for event in (plain(new={"x": value}), record(new={"x": typed})):
        for size in range(5):
            assert Length("new.x", "=", size).holds(event) is (size == length)
            assert Length("new.x", ">", size).holds(event) is (length is not None and length > size)


@pytest.mark.parametrize(("text", "length"), [("", 0), ("AA==", 1), ("AAE=", 2), ("AAEC", 3)])
def test_a_binary_is_as_long_as_its_bytes(text: str, length: int) -> None:
    assert Length("old.x", "=", length).holds(record(old={"x": {"B": text}}))
    assert Length("old.x", "=", len(text)).holds(plain(old={"x": text}))


def test_any_value_in_a_list_of_maps_may_have_the_length() -> None:
    event = plain(new={"a": [{"b": "x"}, {"b": "xyz"}]})
    assert Length("new.a.b", "=", 3).holds(event)
    assert Length("new.a.b", "!=", 3).holds(event)
    assert not Length("new.a.c", "!=", 3).holds(event)


@pytest.mark.parametrize("kind", ["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"])
def test_the_record_tells_the_type(kind: str) -> None:
    contents = {
        "BOOL": False,
        "NULL": True,
        "L": [],
        "M": {},
        "SS": ["a"],
        "NS": ["1"],
        "BS": ["AA=="],
    }
    event = {"dynamodb": {"Keys": {"x": {kind: contents.get(kind, "1")}}}, "keys": {"x": 5}}
    for other in ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"):
        assert OfType("keys.x", (other,)).holds(event) is (other == kind)


def test_without_the_record_the_value_tells_the_type() -> None:
    values = {"s": "a", "n": 1, "bool": True, "null": None, "l": ["a"], "m": {"a": 1}}
    for name, value in values.items():
        assert OfType("new.x", ("BS", name.upper())).holds(plain(new={"x": value}))
        others = tuple(other.upper() for other in values if other != name)
        assert not OfType("new.x", others).holds(plain(new={"x": value}))


@pytest.mark.parametrize(
    "odd", [{"S": 5}, {"N": 7}, {"SS": "ab"}, {"SS": [{}]}, {"X": 1}, {}, 5, None]
)
def test_what_is_no_value_of_dynamodb_is_taken_as_it_is(odd: Any) -> None:
    event = record(old={"x": odd}, new={"x": {"S": "a"}})
    assert Differs("x").holds(event)
    assert not OfType("old.x", ("S", "SS", "B")).holds(event)
    Length("old.x", ">", 0).holds(event)
    ChangedBy("x", ">", Number("0")).holds(event)


def test_deep_lists_are_no_trouble() -> None:
    old: Any = "x"
    new: Any = "y"
    for _ in range(5_000):
        old, new = [old], [new]
    assert Differs("a").holds(plain({"a": old}, {"a": new}))
    assert not Differs("a.b").holds(plain({"a": old}, {"a": new}))


def test_conditions_say_what_they_look_into() -> None:
    assert set(AnyKey(()).paths()) == {"keys"}
    assert set(Length("new.a.b", ">", 1).paths()) == {"new.a.b", "dynamodb.NewImage.a.b"}
    assert set(OfType("size", ("N",)).paths()) == {"size"}
    both = {"old.a", "new.a", "dynamodb.OldImage.a", "dynamodb.NewImage.a", "operation"}
    assert set(Differs("a").paths()) == both
    assert set(ChangedBy("a", ">", Number("1")).paths()) == both
