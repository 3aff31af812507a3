"""Errors of patterns with their places, the limits, and patterns that come as dicts."""

import json
from decimal import Decimal
from typing import Any

import pytest

from streams.rules.errors import PatternError
from streams.rules.expressions.compiler import compile_expression
from streams.rules.json_text import DEEPEST
from streams.rules.patterns.compiler import MOST_COMBINATIONS, compile_pattern
from streams.rules.values import Number


def refusal(pattern: Any) -> PatternError:
    with pytest.raises(PatternError) as refused:
        compile_pattern(pattern)
    return refused.value


@pytest.mark.parametrize(
    ("pattern", "place", "reason"),
    [
        ("", "", "Expected a JSON value"),
        ('{"a": [1] ', "", 'Expected "," or "}"'),
        ('{"a": ["b]}', '"b]}', "This string does not end"),
        ('{"a": ["b"]} x', "x", "The JSON ends here"),
        ('{"a": [nil]}', "nil", "nil is no JSON value"),
        (r'{"a": ["\q"]}', r"\q", "an escape that JSON does not know"),
        ('{"a": {"b": "c"}}', '"c"', '"a.b" must be an array'),
        ('{"a": {"b": {}}}', "{}", '"a.b" is an empty object'),
        ('{"a": {"b": []}}', "[]", '"a.b" is an empty array'),
        ('{"a": [{"perfix": "b"}]}', '"perfix"', '"perfix" at "a" is no operator; expected'),
        ('{"a": [{"prefix": "b", "x": 1}]}', '"x"', "exactly one key"),
        ('{"a": [{"numeric": [">", 5, "<", 1]}]}', "1]", "must be below its top"),
        ('{"a": [{"numeric": [">", "5"]}]}', '"5"', '"numeric" at "a" takes numbers'),
        ('{"a": [{"anything-but": ["b", 1]}]}', "1]", "strings only or numbers only"),
        ('{"a": [{"wildcard": "b**"}]}', '"b**"', "two stars in a row"),
        ('{"a": [{"cidr": "1.2.3.4/32"}]}', '"1.2.3.4/32"', "must fix 0 to 31 bits"),
        ('{"$or": [{"a": [1]}, {"prefix": [1]}]}', '"prefix"', "inside $or no field"),
        ('{"$or": [{"a": [1]}, 5]}', "5", "$or holds nothing else"),
    ],
)
def test_an_error_says_what_is_wrong_and_where(pattern: str, place: str, reason: str) -> None:
    error = refusal(pattern)
    assert reason in error.reason
    assert error.text == pattern
    assert error.text[error.position :].startswith(place)
    assert place or error.position == len(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ({"a": [float("nan")]}, "holds no float such as nan"),
        ({"a": [{1, 2}]}, "holds no set"),
        ({"a": [b"x"]}, "holds no bytes"),
        ({1: ["x"]}, "The key 1 is no string"),
        ({"a": "x"}, '"a" must be an array'),
        ({}, "empty object"),
    ],
)
def test_a_dict_is_refused_with_a_place_in_its_text(pattern: Any, reason: str) -> None:
    error = refusal(pattern)
    assert reason in error.reason
    assert 0 <= error.position <= len(error.text)


def test_a_dict_may_hold_all_kinds_of_numbers() -> None:
    pattern = {"new": {"a": [1, 1.5, Decimal("1E+2"), Number("9" * 38), True, None]}}
    compiled = compile_pattern(pattern)
    assert compiled.matches({"new": {"a": 100}})
    assert compiled.matches({"new": {"a": Decimal("9" * 38)}})
    assert not compiled.matches({"new": {"a": 2}})


def test_a_dict_that_holds_itself_is_refused() -> None:
    pattern: dict[str, Any] = {}
    pattern["a"] = pattern
    assert "nested more than" in refusal(pattern).reason


def test_nesting_has_a_limit() -> None:
    deep = '{"a": ' * DEEPEST + "[1]" + "}" * DEEPEST
    assert compile_pattern(deep).matches(json.loads(deep.replace("[1]", "1")))
    assert "nested" in refusal('{"a": ' * 100_000).reason
    assert "nested" in refusal('{"a": [' + "[" * 100_000).reason
    assert "A path has at most" in refusal('{"' + "a." * DEEPEST + 'a": [1]}').reason


def either(names: str) -> str:
    return f'"$or": [{{"{names}1": [1]}}, {{"{names}2": [1]}}]'


def test_the_combinations_of_or_have_the_limit_of_aws() -> None:
    nine = "{" + ", ".join(map(either, "abcdefghi")) + "}"
    assert len(compile_pattern(nine).form) == 512
    assert f"{MOST_COMBINATIONS:,}" in refusal(nine[:-1] + ", " + either("j") + "}").reason
    assert "combine" in refusal("{" + ", ".join([either("a")] * 5_000) + "}").reason


def test_a_long_pattern_with_or_cannot_fill_memory() -> None:
    branches = ", ".join(f'{{"a{n}": [1]}}' for n in range(1_000))
    fields = ", ".join(f'"b{n}": [1]' for n in range(20_000))
    assert "conditions" in refusal(f'{{"$or": [{branches}], {fields}}}').reason
    assert "conditions" in refusal(f'{{{fields}, "$or": [{branches}]}}').reason


def test_a_long_list_of_values_is_one_look() -> None:
    compiled = compile_pattern({"a": [f"v{n}" for n in range(50_000)]})
    assert compiled.matches({"a": "v49999"})
    assert not compiled.matches({"a": [f"w{n}" for n in range(50_000)]})


def test_a_filter_knows_what_it_asks_for() -> None:
    compiled = compile_pattern({"a": {"b": [1]}, "$or": [{"c": [1]}, {"d.e": [1]}]})
    assert compiled.paths() == {"a.b", "c", "d.e"}
    assert compiled.kind == "pattern"


def wildcards(*texts: str) -> list[dict[str, str]]:
    return [{"wildcard": text} for text in texts]


ENDINGS = wildcards("*.bif", "*.tiff", "*.tif", "*.svs")
STACKS = wildcards(*(f"*:stack/{name}/*" for name in ("Shared", "Backend", "Monitoring", "Web")))


@pytest.mark.parametrize(
    "tests",
    [
        ENDINGS,
        STACKS[:3],
        wildcards("/Users/*/dir/dir/dir/dir/dir/doc.txt"),
        wildcards("*:*:*:*:event-bus/*"),
        wildcards(*["*:*:*:*:event-bus/*"] * 50),  # said again, it is the same wildcard
        [{"anything-but": {"wildcard": ["*/in/*", "*/out/*", "*/tmp/*", "*/log/*"]}}],
        wildcards("*" + "".join(f"{n:03}" for n in range(1_000))),
    ],
)
def test_wildcards_that_eventbridge_takes(tests: list[Any]) -> None:
    assert compile_pattern({"a": tests}).pattern() == {"a": tests}


@pytest.mark.parametrize(
    ("tests", "place"),
    [
        (wildcards("x", "*:*:*:*:*:event-bus/*", "y"), '"*:*:*:*:*:'),
        (STACKS, '"*:stack/Web'),
        (wildcards("a*a*a*a*a*a*"), '"a*a'),
        (wildcards(*(f"{n}*" for n in "abcdefghijk")), '"k*'),
        ([{"anything-but": {"wildcard": ["b", "*:*:*:*:*:x*"]}}], '"*:*'),
        ([{"anything-but": {"wildcard": f"*{n}*"}} for n in "abcd"], '"*d*'),
        (wildcards("*é*é*é*é*é*"), '"*é'),  # two bytes each, but the last one alone is matched
        ([{"anything-but": {"wildcard": [f"{n}*b" for n in range(8_000)]}}], '"'),
        (wildcards("*ab" * 20_000), '"*ab'),
    ],
)
def test_wildcards_that_are_too_complex_are_refused_at_the_first_that_is(
    tests: list[Any], place: str
) -> None:
    error = refusal({"a": {"b": tests}})
    assert 'wildcards at "a.b" are too complex' in error.reason
    assert error.text[error.position :].startswith(place)


def test_each_field_has_its_own_wildcards_and_other_tests_are_none() -> None:
    fields: dict[str, Any] = {name: STACKS[:3] for name in "abcdef"}
    assert compile_pattern({"$or": [fields, {"a": STACKS[3:], "b": ENDINGS}]})
    addresses = [{"exactly": f"10.0.0.{n}"} for n in range(20)]
    assert compile_pattern({"a": [*addresses, {"prefix": "*****"}, *ENDINGS]})


def test_a_long_pattern_of_complex_wildcards_is_given_up() -> None:
    parts = [
        "x*kgnpz",
        "*fkttzkvldyrrsxiskyohntzz*gm*",
        "*lmtesgecgdxysuwpwjkl*vczds",
        "*bkjd*iyduq*sb",
    ]
    fields = {
        f"f{n}": [{"anything-but": {"wildcard": [f"{part}{n}" for part in parts]}}]
        for n in range(1_000)
    }
    assert "too complex" in refusal(fields).reason


def test_an_expression_may_be_as_complex_as_it_likes_but_then_no_pattern_says_it() -> None:
    compiled = compile_expression("new.a:*:*:*:*:*:event-bus/*")
    assert compiled.matches({"new": {"a": "arn:aws:events:eu-west-1:1:event-bus/x"}})
    assert compiled.pattern() is None
    assert compile_expression("new.a:*:*:*:*:event-bus/*").pattern() == {
        "new": {"a": wildcards("*:*:*:*:event-bus/*")}
    }
