"""Every example of EXPRESSIONS.md."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from streams import rules
from streams.rules.errors import PatternError
from streams.rules.expressions.compiler import compile_expression
from streams.rules.filter_form import Form
from streams.rules.patterns.compiler import compile_pattern
from streams.rules.spelling.sentence import sentence_of
from streams.rules.spelling.spellings import expression_of, pattern_of

SPECIFICATION = Path(rules.__file__).with_name("EXPRESSIONS.md").read_text()
_blocks = re.compile(
    r"^```(expression|matches|differs|pattern|sentence|error)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)


def examples() -> Iterator[tuple[str, str, str]]:
    """What is expected of an expression, the expression, and a line of what is expected."""
    expression = ""
    for kind, block in _blocks.findall(SPECIFICATION):
        lines = block.splitlines()
        if kind == "expression":
            expression = block.strip()
        elif kind == "error":
            refused = [line if line != "(nothing)" else "" for line in lines[::2]]
            yield from ((kind, *pair) for pair in zip(refused, lines[1::2], strict=True))
        else:
            yield from ((kind, expression, line) for line in lines)


EXAMPLES = list(examples())


def same_fields(one: Form, other: Form) -> bool:
    """True if both have the same clauses, but for the order of fields."""
    return [Counter(clause.fields) for clause in one] == [Counter(c.fields) for c in other]


def test_no_example_is_overlooked() -> None:
    blocks = len(_blocks.findall(SPECIFICATION))
    assert len(re.findall(r"^```$", SPECIFICATION, re.MULTILINE)) == blocks + 1  # and the grammar


@pytest.mark.parametrize(
    ("expected", "expression", "event"), [e for e in EXAMPLES if e[0] in ("matches", "differs")]
)
def test_an_event_matches_or_differs(expected: str, expression: str, event: str) -> None:
    compiled = compile_expression(expression)
    assert compiled.matches_json(event) is (expected == "matches")
    assert compiled.matches(json.loads(event, parse_float=Decimal)) is (expected == "matches")


@pytest.mark.parametrize(("expression", "pattern"), [e[1:] for e in EXAMPLES if e[0] == "pattern"])
def test_a_pattern_means_the_same(expression: str, pattern: str) -> None:
    form = compile_expression(expression).form
    assert same_fields(form, compile_pattern(pattern).form)
    assert pattern_of(form) == json.loads(pattern)


@pytest.mark.parametrize(
    ("expression", "sentence"), [e[1:] for e in EXAMPLES if e[0] == "sentence"]
)
def test_a_sentence_says_it(expression: str, sentence: str) -> None:
    assert sentence_of(compile_expression(expression).form) == sentence


@pytest.mark.parametrize(("expression", "error"), [e[1:] for e in EXAMPLES if e[0] == "error"])
def test_a_mistake_is_refused_with_its_place_and_reason(expression: str, error: str) -> None:
    with pytest.raises(PatternError) as refused:
        compile_expression(expression)
    assert f"{' ' * refused.value.position}^ {refused.value.reason}" == error


@pytest.mark.parametrize("expression", sorted({e[1] for e in EXAMPLES if e[0] != "error"}))
def test_what_is_written_from_the_form_compiles_to_it_again(expression: str) -> None:
    form = compile_expression(expression).form
    written = expression_of(form)
    assert written is not None
    assert compile_expression(written).form == form
