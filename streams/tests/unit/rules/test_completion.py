"""What an expression expects at the caret, wherever somebody is typing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.errors import PatternError
from streams.rules.expressions.compiler import compile_expression, conditions_of
from streams.rules.expressions.completion import expected_at


@pytest.mark.parametrize(
    ("typed", "kind", "replaced"),
    [
        ("", "condition", ""),
        ("new.sta", "condition", "new.sta"),
        ("op:REMOVE ", "condition", ""),
        ("op:REMOVE AN", "condition", "AN"),
        ("(a:b OR new.x", "condition", "new.x"),
        ("-new.", "condition", "new."),
        ("new.status ", "operator", ""),
        ("new.status:pa", "value", "pa"),
        ("new.status:paid,op", "value", "op"),
        ('new.status:"in tr', "value", '"in tr'),
        ("status: pending -> p", "value", "p"),
        ("new.a:prefix(OR", "value", "OR"),
        ("new.a:prefix(x) ", "condition", ""),
        ("new.total:>100 k", "condition", "k"),
        ("changed(sta", "attribute", "sta"),
        ("exists(new.", "path", "new."),
        ("type(new.a):B", "type", "B"),
        ("length(new.a)>5 o", "condition", "o"),
        ("new.status=", "nothing", ""),
        ('new."open', "nothing", ""),
    ],
)
def test_what_is_expected(typed: str, kind: str, replaced: str) -> None:
    found = expected_at(typed, len(typed))
    assert (found.kind, typed[found.start : found.end]) == (kind, replaced)


def test_a_value_is_one_of_the_field_before_it() -> None:
    assert expected_at("new.status:pa", 13)[4:] == ("new.status", "new")
    assert expected_at("status: a -> p", 14)[4:] == ("status", "new")
    assert expected_at("op:", 3).path == "op"


def test_the_word_goes_on_behind_the_caret() -> None:
    found = expected_at("new.status:paid op:MODIFY", 13)
    assert (found.start, found.end, found.typed) == (11, 15, "pa")


@given(st.text(alphabet='ab.:,->"( )ORNOT new.x!~^$=<*\\', max_size=40), st.integers(0, 40))
def test_any_text_at_any_caret_is_answered(text: str, caret: int) -> None:
    found = expected_at(text, caret)
    assert 0 <= found.start <= found.end <= len(text)
    assert text[found.start : min(caret, len(text))] == found.typed


@given(st.text(alphabet='ab.:,->"( )ORNOT new.x!~^$=<*\\', max_size=40))
def test_conditions_are_those_that_the_compiler_joins(text: str) -> None:
    try:
        whole = compile_expression(text)
    except PatternError:
        return
    parts = conditions_of(text)
    again = compile_expression(" ".join(parts))
    assert again.sentence() == whole.sentence()


def test_what_or_joins_is_one_condition() -> None:
    assert conditions_of("op:MODIFY -(a:1 OR b:2) status: x -> y") == [
        "op:MODIFY",
        "-(a:1 OR b:2)",
        "status: x -> y",
    ]
    assert conditions_of("a:1 OR b:2 c:3") == ["a:1 OR b:2 c:3"]
