"""Stretches of time as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.span import parse_span, spell_span


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("15 min", 900),
        ("15m", 900),
        ("2 minutes", 120),
        ("1 h 30 min", 5_400),
        ("1h30m", 5_400),
        ("2 d", 172_800),
        ("1 day", 86_400),
        ("0", 0),
    ],
)
def test_it_is_read_as_people_write_it(text: str, seconds: int) -> None:
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 weeks", "1 h 30", "30 1 h", "-5", "1.5 h", "٣"])
def test_what_is_no_span_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="15 min"):
        parse_span(text)


@given(st.integers(0, 40 * 86_400))
def test_what_is_spelled_is_read_as_the_same(seconds: int) -> None:
    assert parse_span(spell_span(seconds)) == seconds
