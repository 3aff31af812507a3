"""Whatever is typed is compiled or refused with its place: no crash, no hang."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rules.errors import PatternError
from streams.rules.expressions.compiler import compile_expression
from streams.rules.spelling.sentence import sentence_of
from streams.rules.spelling.spellings import expression_of, pattern_of
from streams.tests.unit.rules.test_expressions_specification import EXAMPLES

EXPRESSIONS = sorted({expression for _, expression, _ in EXAMPLES})
PIECES = [
    *'()"\\*:,.-<>=!^$~%[] \n\x00é😀\ud800',
    *(" AND ", " OR ", " NOT ", "->", "..", "new", "old.", "key", "op", "changed(", "not(", "by >"),
    *("exists()", "1e999", "-5", "true", "status", "cidr(", "type(", "length(", "prefix(", "\\u"),
]
KNOWN = frozenset({"status", "a.b"})


def check(text: str) -> None:
    try:
        compiled = compile_expression(text, KNOWN)
    except PatternError as error:
        assert error.reason
        assert error.text == text
        assert 0 <= error.position <= len(text)
    else:
        compiled.matches({"operation": "INSERT", "new": {"a": [1, {"b": None}], "status": "x"}})
        written = expression_of(compiled.form)
        assert written is None or compile_expression(written).form == compiled.form
        pattern_of(compiled.form)
        sentence_of(compiled.form)


@settings(max_examples=200, deadline=None)
@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_any_text(text: str) -> None:
    check(text)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(EXPRESSIONS), st.sampled_from(EXPRESSIONS), st.integers(0, 2**32))
def test_any_expressions_with_a_few_changes(one: str, other: str, seed: int) -> None:
    check(mutated(f"{one} {other}", seed))


def mutated(text: str, seed: int) -> str:
    """The text with pieces taken out, doubled or put in."""
    choose = random.Random(seed)
    for _ in range(choose.randint(0, 4)):
        start = choose.randint(0, len(text))
        end = min(len(text), start + choose.choice((0, 1, 1, 2, 8)))
        put_in = choose.choice(["", text[start:end] * 2, choose.choice(PIECES)])
        text = text[:start] + put_in + text[end:]
    return text


@pytest.mark.parametrize(
    "text",
    [
        "(" * 65_000,
        "-" * 65_000,
        "NOT " * 16_000,
        "new.a:not(" * 6_000,
        "new.a:" + "not(" * 16_000,
        "new.a:x OR " * 5_900,
        "new.a:x " * 8_000,
        "(new.a:x OR new.b:y) " * 3_000,
        "a:x " * 16_000,
        "tabel" * 10_000 + ":x",
        " ".join(f"new.statsu{n}:x" for n in range(3_000)),
        "new.a:" + "*a" * 32_000,
        'new.a:"' + "\\" * 65_000,
        'new.a:"' + "\\u" * 30_000 + '"',
        "new.a:" + "x," * 32_000,
        "new" + ".a" * 32_000 + ":x",
        "new.a>" + "9" * 65_000,
        "new.a>1e" + "9" * 65_000,
        "new.a:1.." + "9" * 65_000,
        "changed(a) by >1e999999999999999999",
        "-(new.a:x OR " * 16 + "new.b:y" + ")" * 16,
    ],
    ids=lambda text: text[:20],
)
def test_long_and_nested_texts_end_soon(text: str) -> None:
    check(text)
