"""A form, written in either spelling and compiled again, is the same form."""

from collections import Counter
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.rules.deciding.evaluate import prepare
from streams.rules.expressions.compiler import compile_expression
from streams.rules.filter_form import Clause, Field, Form
from streams.rules.operators import Exact, Exists
from streams.rules.patterns.compiler import compile_pattern
from streams.rules.spelling.sentence import sentence_of
from streams.rules.spelling.spellings import expression_of, pattern_of
from streams.tests.unit.rules.random_forms import ATTRIBUTES, EVENTS, FORMS, IMAGES, PLAIN_FORMS
from streams.tests.unit.rules.random_forms import test_lists as lists_of_tests

CHECKED = settings(max_examples=60, deadline=None)


def unordered(form: Form) -> Counter[Any]:
    """The clauses, whose order means nothing, with their parts likewise."""
    return Counter(
        (
            frozenset(Counter(clause.fields).items()),
            frozenset(Counter(clause.conditions).items()),
            frozenset(Counter(frozenset(unordered(e).items()) for e in clause.excluded).items()),
        )
        for clause in form
    )


@CHECKED
@given(FORMS)
def test_an_expression_compiles_to_the_form_it_was_written_from(form: Form) -> None:
    written = expression_of(form)
    assert written is not None
    assert unordered(compile_expression(written).form) == unordered(form)


@CHECKED
@given(st.lists(st.tuples(ATTRIBUTES, lists_of_tests(True)), min_size=1, max_size=3))
def test_bare_names_are_put_together_again(
    attributes: list[tuple[str, tuple[Any, ...]]],
) -> None:
    form: Form = (Clause(),)
    for name, tests in attributes:
        fields = [Field(f"{image}.{name}", tests) for image in ("new", "old", "keys")]
        form = tuple(Clause((*clause.fields, field)) for clause in form for field in fields)
    written = expression_of(form)
    assert written is not None
    assert compile_expression(written).form == form
    if not any(isinstance(test, Exists) for _, tests in attributes for test in tests):
        assert " OR " not in written


@CHECKED
@given(IMAGES, ATTRIBUTES, lists_of_tests(True))
@example("new", "a.prefix", (Exact("x"),))
def test_every_field_of_a_pattern_has_an_expression(
    image: str, attribute: str, tests: tuple[Any, ...]
) -> None:
    form = (Clause((Field(f"{image}.{attribute}", tests),)),)
    pattern = pattern_of(form)
    if pattern is not None:
        compiled = compile_pattern(pattern).form
        assert compiled == form
        assert expression_of(compiled) is not None


@CHECKED
@given(PLAIN_FORMS)
def test_a_pattern_compiles_to_the_form_it_was_written_from(form: Form) -> None:
    pattern = pattern_of(form)
    if pattern is not None:
        assert unordered(compile_pattern(pattern).form) == unordered(form)


@CHECKED
@given(FORMS, st.lists(EVENTS, min_size=1, max_size=5))
def test_both_spellings_hold_for_the_same_events(form: Form, events: list[dict[str, Any]]) -> None:
    holds = prepare(form)
    written, pattern = expression_of(form), pattern_of(form)
    for event in events:
        assert written is not None
        assert compile_expression(written).matches(event) == holds(event)
        if pattern is not None:
            assert compile_pattern(pattern).matches(event) == holds(event)


@CHECKED
@given(FORMS)
def test_every_form_has_a_sentence(form: Form) -> None:
    assert sentence_of(form)
