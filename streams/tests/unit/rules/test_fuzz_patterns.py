"""Whatever is given as a pattern is compiled or refused with its place: no crash, no hang."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rules.errors import EventError, PatternError
from streams.rules.patterns.compiler import compile_pattern
from streams.tests.unit.rules.test_patterns_specification import EXAMPLES

PATTERNS = sorted({pattern for _, pattern, _ in EXAMPLES})
EVENTS = sorted({event for _, _, event in EXAMPLES if event})
PIECES = [
    *'{}[]:,"\\*0.-+eE \n\x00é\ud800😀',
    *('"a"', '"$or"', '"prefix"', '"numeric"', "[", "{", "null", "true", "1e999", "NaN", "\\u"),
]


def check(pattern: Any) -> None:
    try:
        compiled = compile_pattern(pattern)
    except PatternError as error:
        assert error.reason
        assert 0 <= error.position <= len(error.text)
        str(error)
    else:
        compiled.matches({"a": "x", "new": {"a": [1, {"b": None}]}})


@settings(max_examples=300, deadline=None)
@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text(text: str) -> None:
    check(text)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PATTERNS), st.integers(0, 2**32))
def test_any_pattern_with_a_few_changes(pattern: str, seed: int) -> None:
    check(mutated(pattern, seed))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(EVENTS), st.integers(0, 2**32))
def test_any_event_with_a_few_changes(event: str, seed: int) -> None:
    compiled = compile_pattern({"a": ["x", {"anything-but": ["x"]}], "b": [{"exists": False}]})
    text = mutated(event, seed)
    try:
        compiled.matches_json(text)
    except EventError as error:
        assert error.position is None or 0 <= error.position <= len(text)


def mutated(text: str, seed: int) -> str:
    """The text with pieces taken out, doubled or put in."""
    choose = random.Random(seed)
    for _ in range(choose.randint(1, 4)):
        start = choose.randint(0, len(text))
        end = min(len(text), start + choose.randint(0, 5))
        middle = choose.choice(["", choose.choice(PIECES), text[start:end] * 2])
        text = text[:start] + middle + text[end:]
    return text


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda below: (
        st.lists(below)
        | st.tuples(below)
        | st.dictionaries(st.text() | st.integers() | st.sampled_from(["$or", "prefix"]), below)
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.text(), ANYTHING))
def test_any_dict(pattern: Any) -> None:
    check(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "[" * 1_000_000,
        '{"a":' * 1_000_000,
        '{"$or": [' * 1_000_000,
        '{"a": ["' + "\\" * 1_000_000,
        '{"a": [' + "1" * 1_000_000 + "]}",
        '{"a": [{"numeric": ["=", 1e' + "9" * 100_000 + "]}]}",
        '{"a": [{"wildcard": "' + "a*" * 200_000 + '"}]}',
        '{"a": [{"equals-ignore-case": "' + "ß" * 200_000 + '"}]}',
        '{"' + "." * 1_000_000 + '": [1]}',
        " " * 1_000_000,
        '{"a": [' + "1," * 200_000 + "1]}",
    ],
    ids=lambda pattern: pattern[:20],
)
def test_a_huge_text_is_dealt_with(pattern: str) -> None:
    check(pattern)
