"""Random patterns and events: all ways to ask agree, and agree with the slow reference."""

import json
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from streams.rules.errors import PatternError
from streams.rules.json_text import Pairs, read_event
from streams.rules.patterns.compiler import compile_pattern
from streams.tests.unit.rules import reference

KEYS = st.sampled_from(["a", "b", "c"])
DOTTED = st.sampled_from(["a", "b", "c", "a.b", "b.a", "a.b.c"])
SCALARS = st.sampled_from(["x", "y", "", "10.0.0.1", "X", 0, 1, 1.0, 2.5, True, False, None])


def objects(keys: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=3),
        max_leaves=12,
    )


def events(keys: st.SearchStrategy[str] = KEYS) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(keys, objects(keys), max_size=3)


PRESENT = st.sampled_from(
    [
        *("x", "y", 1, 2.5, None, True, "10.0.0.01"),
        *({"prefix": ""}, {"suffix": "x"}, {"equals-ignore-case": "X"}, {"wildcard": "*"}),
        *({"numeric": [">", 0, "<=", 2]}, {"exists": True}, {"cidr": "10.0.0.0/8"}),
        *({"anything-but": "x"}, {"anything-but": [1]}, {"anything-but": {"prefix": "x"}}),
    ]
)
ANY = PRESENT | st.just({"exists": False})


def patterns(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = st.lists(values, min_size=1, max_size=2)
    return st.recursive(
        st.dictionaries(KEYS, fields, min_size=1, max_size=3),
        lambda below: (
            st.dictionaries(KEYS, fields | below, min_size=1, max_size=3)
            | st.builds(
                lambda one, two, beside: {**beside, "$or": [one, two]},
                below,
                below,
                st.dictionaries(KEYS, fields, max_size=2),
            )
        ),
        max_leaves=3,
    )


@settings(max_examples=400, deadline=None)
@given(pattern=patterns(ANY), event=events())
def test_the_walk_decides_as_the_reference_does(pattern: Any, event: Any) -> None:
    compiled = compile_pattern(pattern)
    assert compiled.matches(event) is reference.holds(compiled.form, event)


@settings(max_examples=300, deadline=None)
@given(pattern=patterns(PRESENT), event=events(DOTTED))
def test_dotted_keys_count_as_nested_ones(pattern: Any, event: Any) -> None:
    compiled = compile_pattern(pattern)
    assert compiled.matches(event) is reference.holds(compiled.form, event)


def doubled(value: Any) -> Any:
    """The value with the pairs of each object once more, in which a and b have changed places."""
    if isinstance(value, list):
        return [doubled(element) for element in value]
    if not isinstance(value, dict):
        return value
    pairs = [(key, doubled(below)) for key, below in value.items()]
    others = {"a": "b", "b": "a", "c": "c"}
    return Pairs([*pairs, *((others[key], below) for key, below in pairs)])


@settings(max_examples=300, deadline=None)
@given(pattern=patterns(PRESENT), event=events())
def test_every_one_of_doubled_keys_counts(pattern: Any, event: Any) -> None:
    compiled = compile_pattern(pattern)
    pairs = doubled(event)
    assume(isinstance(pairs, Pairs))
    assert compiled.matches_json(spelled(pairs)) is reference.holds(compiled.form, pairs)


def spelled(value: Any) -> str:
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{json.dumps(k)}: {spelled(below)}" for k, below in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(spelled, value)) + "]"
    return json.dumps(value)


@settings(max_examples=300, deadline=None)
@given(pattern=patterns(ANY), event=events(DOTTED))
def test_a_dict_its_text_and_the_explanation_agree(pattern: Any, event: Any) -> None:
    compiled = compile_pattern(pattern)
    matched = compiled.matches(event)
    text = json.dumps(event)
    assert compiled.matches_json(text) is matched
    assert compiled.matches_json(text.encode()) is matched
    assert compiled.matches(dict(read_event(text))) is matched
    assert compiled.explain(event).matched is matched


@settings(max_examples=200, deadline=None)
@given(pattern=patterns(ANY))
def test_a_pattern_means_the_same_as_dict_and_as_text(pattern: Any) -> None:
    assert compile_pattern(pattern).form == compile_pattern(json.dumps(pattern)).form


@settings(max_examples=200, deadline=None)
@given(pattern=objects(DOTTED))
def test_what_json_holds_compiles_or_is_refused_with_its_place(pattern: Any) -> None:
    try:
        compile_pattern(pattern)
    except PatternError as error:
        assert 0 <= error.position <= len(error.text)
