"""Paths of fields: every path that a difference spells is read back, and found in the image."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.diff import diff
from streams.field_path import inside, parse_path, spell_path, value_at

IMAGE: dict[str, Any] = {
    "address": {"M": {"city": {"S": "Brno"}, "a.b": {"N": "1"}}},
    "lines": {"L": [{"M": {"qty": {"N": "2"}}}, {"S": "x"}]},
    "a b": {"S": "odd"},
}


@pytest.mark.parametrize(
    ("text", "steps", "value"),
    [
        ("address.city", ("address", "city"), {"S": "Brno"}),
        ('address["a.b"]', ("address", "a.b"), {"N": "1"}),
        ("lines[0].qty", ("lines", 0, "qty"), {"N": "2"}),
        (" lines[1] ", ("lines", 1), {"S": "x"}),
        ('["a b"]', ("a b",), {"S": "odd"}),
        ("lines[7]", ("lines", 7), None),
        ("address.city.more", ("address", "city", "more"), None),
        ("nothing", ("nothing",), None),
    ],
)
def test_a_path_leads_to_a_value(text: str, steps: tuple[Any, ...], value: Any) -> None:
    assert parse_path(text) == steps
    assert value_at(IMAGE, steps) == value
    assert spell_path(steps) == text.strip()


@pytest.mark.parametrize(
    "text", ["", ".", "a.", "[0]", "a[", "a[x]", 'a["', "a b", "a..b", r'a["\x"]']
)
def test_another_text_is_told_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="no path of a field"):
        parse_path(text)


def test_an_image_that_is_not_there_has_no_value() -> None:
    assert value_at(None, ("a",)) is None
    assert inside(None) == {}
    assert inside({"S": "x"}) == {}


@given(st.lists(st.text(max_size=8), min_size=1, max_size=4))
def test_what_is_spelled_is_read_back(names: list[str]) -> None:
    image: Any = {"S": "end"}
    for name in reversed(names):
        image = {"M": {name: image}}
    (difference,) = diff(None, {"top": image})
    whole = spell_path(("top", *names))
    assert difference.path == "top"
    assert parse_path(whole) == ("top", *names)
    assert value_at({"top": image}, parse_path(whole)) == {"S": "end"}
