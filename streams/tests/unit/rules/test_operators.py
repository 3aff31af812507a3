"""Operators beyond the examples of PATTERNS.md: what holds for all inputs, and what it costs."""

import sys
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.addresses import address
from streams.rules.errors import EventError
from streams.rules.folding import Folded
from streams.rules.operators import (
    AnythingBut,
    Cidr,
    Exact,
    Numeric,
    Ordered,
    Prefix,
    Wildcard,
)
from streams.rules.values import Number, leaf

TEXTS = st.text(st.sampled_from("ab*\\\n"), max_size=12)


def slow_wildcard(pattern: str, text: str) -> bool:
    """By every way a star can be filled. Escapes count two characters of the pattern."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(slow_wildcard(pattern[1:], text[start:]) for start in range(len(text) + 1))
    size = 2 if pattern[0] == "\\" else 1
    return text[:1] == pattern[size - 1] and slow_wildcard(pattern[size:], text[1:])


@given(st.lists(st.sampled_from(["a", "b", "ab", "*", "\\*", "\\\\"]), max_size=6), TEXTS)
def test_a_wildcard_finds_what_trying_every_way_finds(pieces: list[str], text: str) -> None:
    pattern = ""
    for before, piece in pairwise(["", *pieces]):
        pattern += "" if before == piece == "*" else piece
    assert Wildcard(pattern).accepts(text) is slow_wildcard(pattern, text)


def test_a_wildcard_of_many_stars_takes_one_pass() -> None:
    pattern = Wildcard("*a" * 5_000 + "b")
    assert not pattern.accepts("a" * 100_000)
    assert Wildcard("*a" * 5_000).accepts("a" * 100_000)


def test_no_form_of_a_character_begins_or_ends_with_the_other() -> None:
    for code in range(sys.maxunicode + 1):
        lower, upper = chr(code).lower(), chr(code).upper()
        if lower != upper:
            one, other = sorted((lower, upper), key=len)
            assert not other.startswith(one), hex(code)
            assert not other.endswith(one), hex(code)


@given(st.text(max_size=8), st.text(max_size=3), st.data())
def test_any_mix_of_the_two_forms_is_the_same_text(
    pattern: str, beside: str, data: st.DataObject
) -> None:
    mixed = "".join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in pattern)
    folded = Folded(pattern)
    assert folded.equals(mixed)
    assert folded.begins(mixed + beside)
    assert folded.ends(beside + mixed)


@pytest.mark.parametrize(
    ("text", "bits", "number"),
    [
        ("1.2.3.4", 32, 0x01020304),
        ("001.002.003.004", 32, 0x01020304),
        ("::", 128, 0),
        ("::1", 128, 1),
        ("1::", 128, 1 << 112),
        ("0000000::0001", 128, 1),
        ("1:2:3:4:5:6:7:8", 128, 0x00010002000300040005000600070008),
        ("::ffff:102:304", 32, 0x01020304),
    ],
)
def test_an_address_is_read(text: str, bits: int, number: int) -> None:
    found = address(text)
    assert found is not None
    assert (found.bits, found.number) == (bits, number)


@pytest.mark.parametrize(
    "text",
    [
        *("", "1.2.3", "1.2.3.4.5", "1.2.3.256", "0001.002.003.004", "1.2.3.4 ", "-1.2.3.4"),
        *(":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4::5:6:7:8"),
        *("::1::", "12345::", "::1%eth0", "::1.2.3.4", "g::", "١.٢.٣.٤", "::" * 100_000),
    ],
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert address(text) is None


def test_exact_numbers_tell_38_digits_apart() -> None:
    one, other = Number("1" * 38), Number("1" * 37 + "2")
    assert not Exact(one, exact=True).accepts(other)
    assert Exact(one, exact=True).accepts(Number("1" * 38 + ".0"))
    assert Numeric(one, False, None, False, exact=True).accepts(other)
    assert not Numeric(one, False, None, False).accepts(other)


def test_numbers_of_any_size_are_compared() -> None:
    huge, beyond = Number("1e999999"), Number("1e99999999999999999999")
    assert Numeric(Number("0"), False, None, False, exact=True).accepts(huge)
    assert not Numeric(Number("0"), False, None, False, exact=True).accepts(beyond)
    assert Exact(beyond, exact=True).accepts(Number("1e99999999999999999999"))
    assert not Exact(Number("9" * 100_000)).accepts(Number("9" * 99_999))


def test_text_sorts_by_code_points() -> None:
    assert Ordered("<", "b").accepts("a")
    assert Ordered(">=", "b").accepts("b")
    assert not Ordered(">", "b").accepts("Z")
    assert not Ordered(">", "1").accepts(Number("2"))


def test_tests_are_equal_by_what_they_ask() -> None:
    assert Prefix("a") == Prefix("a") != Prefix("a", ignore_case=True)
    assert hash(Cidr("10.0.0.0/8")) == hash(Cidr("10.0.0.0/8"))
    assert AnythingBut((Exact("a"),)) == AnythingBut((Exact("a"),))
    assert Exact(True) != Exact(Number("1"))


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (-1.5, "-1.5"), (1e300, "1e+300"), (Decimal("1E+2"), "1E+2")],
)
def test_a_python_number_becomes_a_leaf(value: object, text: str) -> None:
    assert leaf(value) == Number(text)


@pytest.mark.parametrize("value", [float("nan"), Decimal("Infinity"), b"x", {1}, object()])
def test_what_json_has_not_is_no_leaf(value: object) -> None:
    with pytest.raises(EventError):
        leaf(value)


def test_an_integer_of_any_length_becomes_a_leaf() -> None:
    assert leaf(10**5_000) == Number("1" + "0" * 5_000)
