"""Events that are large, deep or no events: answers stay right, linear and free of surprises."""

import json
from typing import Any

import pytest

from streams.rules.errors import EventError
from streams.rules.patterns.compiler import compile_pattern

MANY = 100_000


class Element(dict[str, Any]):
    """An object that counts how often its keys are asked for."""

    looks = 0

    def get(self, key: str, default: Any = None) -> Any:
        Element.looks += 1
        return super().get(key, default)


def test_an_array_is_looked_through_once() -> None:
    compiled = compile_pattern({"lines": {"a": [1], "b": [1], "c": [1]}})
    event = {"lines": [Element(a=1, b=n % 2, c=1 - n % 2) for n in range(MANY)]}
    Element.looks = 0
    assert not compiled.matches(event)
    assert Element.looks <= 3 * MANY
    event["lines"].append(Element(a=1, b=1, c=1))
    assert compiled.matches(event)


def test_large_arrays_stay_linear_in_every_kind_of_walk() -> None:
    lines: list[Any] = [{"a": "1", "b": str(n)} for n in range(MANY)]
    absent = compile_pattern({"lines": {"a": ["1"], "b": [{"exists": False}], "c": ["1"]}})
    assert not absent.matches({"lines": lines})
    doubled = compile_pattern({"lines": {"a": ["1"], "b": ["x"], "c": ["1"]}})
    text = json.dumps(lines)
    assert not doubled.matches_json(f'{{"lines": {text}, "lines": {text}}}')
    assert compile_pattern({"lines": {"b": [str(MANY - 1)]}}).matches({"lines": lines})
    nested = compile_pattern({"a": ["x"]})
    assert not nested.matches({"a": [[str(n)] for n in range(MANY)]})


def test_only_what_the_paths_name_is_looked_at() -> None:
    compiled = compile_pattern({"new": {"status": ["paid"]}})
    assert compiled.matches({"old": object(), "new": {"status": "paid", "other": {1, 2}}})


def nested(levels: int) -> list[Any]:
    array: list[Any] = ["x"]
    for _ in range(levels):
        array = [array]
    return array


def test_arrays_may_be_nested_as_deep_as_memory_allows() -> None:
    assert compile_pattern({"a": ["x"]}).matches({"a": nested(50_000)})
    assert not compile_pattern({"a": ["y"]}).matches({"a": nested(50_000)})


@pytest.mark.parametrize("pattern", [{"a": [{"exists": False}]}, {"a": {"b": ["x"]}}])
def test_too_deep_an_event_is_an_event_error_at_worst(pattern: Any) -> None:
    compiled = compile_pattern(pattern)
    for ask in (compiled.matches, compiled.explain):
        try:
            ask({"a": nested(50_000)})
        except EventError as error:
            assert "nested too deep" in str(error)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("[1]", 0),
        ('"a"', 0),
        ('{"a": NaN}', 6),
        ('{"a": -Infinity}', 6),
        ('{"a": 1,}', 8),
        ('{"a": 1} {}', 9),
        ('{"a": 01}', 6),
        ('{"a": "\n"}', 6),
        (b'{"a": "\xff"}', 7),
        ('{"a": ' + "[" * 100_000, 111),
    ],
)
def test_a_text_that_is_no_event_is_refused_with_the_place(
    text: str | bytes, position: int
) -> None:
    with pytest.raises(EventError) as refused:
        compile_pattern({"a": [1]}).matches_json(text)
    assert refused.value.position == position


@pytest.mark.parametrize("event", [[], "a", None, 5])
def test_what_is_no_dict_is_no_event(event: Any) -> None:
    compiled = compile_pattern({"a": [1]})
    for ask in (compiled.matches, compiled.explain):
        with pytest.raises(EventError):
            ask(event)


def test_a_value_that_json_has_not_is_an_event_error() -> None:
    with pytest.raises(EventError):
        compile_pattern({"a": [1]}).matches({"a": float("inf")})


def test_texts_of_events_keep_what_matters() -> None:
    compiled = compile_pattern('{"a": [27.8078079216940921], "b": ["\\ud800"]}')
    assert compiled.matches_json('{"a": 27.8078079216940921, "b": "\\ud800"}')
    assert compiled.matches_json('\n{"a": 1, "a": 27.8078079216940921, "b": "\\ud800"} ')
