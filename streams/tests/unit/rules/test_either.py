"""A filter from what a person wrote, whichever spelling it is."""

import pytest

from streams.rules import PatternError, compile_text


@pytest.mark.parametrize("text", ["", "  \n"])
def test_nothing_is_the_filter_that_everything_passes(text: str) -> None:
    assert compile_text(text).matches({})
    assert compile_text(text).pattern() is None


@pytest.mark.parametrize("text", ['{"operation": ["REMOVE"]}', '\n {"operation":["REMOVE"]}'])
def test_a_brace_begins_a_pattern(text: str) -> None:
    assert compile_text(text).kind == "pattern"
    assert compile_text(text).matches({"operation": "REMOVE"})


def test_all_else_is_an_expression() -> None:
    assert compile_text("op:REMOVE").kind == "expression"
    assert compile_text("stauts:paid", known=["status"]).warnings


@pytest.mark.parametrize("text", ["{", "op:", "[1]"])
def test_what_is_wrong_is_said_with_its_place(text: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_text(text)
    assert 0 <= caught.value.position <= len(text)
