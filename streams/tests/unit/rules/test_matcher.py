"""The matcher for many says what asking every filter says; and only what can match costs."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rules.deciding.conditions import Appeared, Length, OfType
from streams.rules.errors import EventError
from streams.rules.events.change_parts import StreamFacts
from streams.rules.filter import Filter
from streams.rules.filter_form import Clause, Condition, Field, Form
from streams.rules.matching.matcher import Matcher
from streams.rules.operators import (
    AnythingBut,
    Cidr,
    EqualsIgnoreCase,
    Exact,
    Exists,
    Numeric,
    Ordered,
    Prefix,
    Suffix,
    Wildcard,
)
from streams.rules.patterns.compiler import compile_pattern
from streams.rules.values import Number

PATHS = ("a", "b", "a.b", "a.b.c", "c", "b.a", "a.c", "", "new.n", "a" + ".b" * 20)
NAMES = ("a", "b", "c", "a.b", "b.c", "", "new", "n")
TEXTS = (
    *(
        "",
        "a",
        "A",
        "ab",
        "aB",
        "abc",
        "ABC",
        "xabcx",
        "abcabc",
        "ß",
        "SS",
        "ss",
        "ſ",
        "ǆ",
        "İ",
        "i̇",
    ),
    *(
        "::1",
        "0:0:0:0:0:0:0:1",
        "10.0.0.1",
        "010.0.0.1",
        "10.0.0.200",
        "*",
        "\\",
        "a*b",
        "null",
        "1",
    ),
)
NUMBERS = ("0", "-0", "1", "1.0", "1e0", "2", "2.5", "-1", "300", "3e2", "0.1", "1e400", "-1e400")
LONG = ("27.8078079216940921", "123456789012345678901234567890", "0.30000000000000000001")

texts = st.sampled_from(TEXTS)
numbers = st.sampled_from(NUMBERS + LONG).map(Number)
leaves = st.one_of(texts, numbers, st.sampled_from((True, False, None)))
wildcards = st.sampled_from(
    ("*", "a*", "*c", "a*c", "*b*", "*abc*", "ab", r"\**", r"*\\*", "a*b*c")
)


def numeric(
    low: Number | None, high: Number | None, ends: tuple[bool, bool], exact: bool
) -> Numeric:
    return Numeric(low, ends[0], high, ends[1], exact)


simple: tuple[st.SearchStrategy[Any], ...] = (
    st.builds(Exact, leaves),
    st.builds(Exact, numbers, st.booleans()),
    st.builds(Prefix, texts, st.booleans()),
    st.builds(Suffix, texts, st.booleans()),
    st.builds(EqualsIgnoreCase, texts),
    st.builds(Wildcard, wildcards),
)
kinds = (
    *simple,
    st.lists(st.one_of(simple), min_size=1, max_size=2).map(
        lambda found: AnythingBut(tuple(found))
    ),
    st.lists(st.sampled_from("ab"), min_size=1).map(
        lambda t: AnythingBut(tuple(Exact(text) for text in t))
    ),
    st.builds(
        numeric,
        st.none() | numbers,
        st.none() | numbers,
        st.tuples(st.booleans(), st.booleans()),
        st.booleans(),
    ),
    st.builds(Exists, st.booleans()),
    st.builds(Ordered, st.sampled_from(("<", "<=", ">", ">=")), texts),
    st.sampled_from(("10.0.0.0/24", "10.0.0.0/25", "::/64", "0.0.0.0/0")).map(Cidr),
)
tests = st.one_of(kinds)
# Mixed kinds, and several of one kind, which share a lookup.
several = st.one_of([st.lists(kind, min_size=1, max_size=3) for kind in (tests, *kinds)])
fields = st.builds(Field, st.sampled_from(PATHS), several.map(tuple))
conditions: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Length, st.sampled_from(("a", "a.b")), st.just(">"), st.integers(0, 3)),
    st.builds(OfType, st.just("a"), st.sampled_from((("S",), ("N", "M")))),
    st.just(Appeared("n")),
)


def forms(excluded: st.SearchStrategy[Form]) -> st.SearchStrategy[Form]:
    clause = st.builds(
        Clause,
        st.lists(fields, max_size=3).map(tuple),
        st.lists(conditions, max_size=1).map(tuple),
        st.lists(excluded, max_size=1).map(tuple),
    )
    return st.lists(clause, max_size=2).map(tuple)


plain = st.lists(
    st.builds(Clause, st.lists(fields, min_size=1, max_size=3).map(tuple)), max_size=2
).map(tuple)
many = st.lists(plain | forms(plain), max_size=12).map(
    lambda found: {number: Filter(form, "", "expression") for number, form in enumerate(found)}
)
few_plain = st.lists(plain, max_size=4).map(
    lambda found: {number: Filter(form, "", "pattern") for number, form in enumerate(found)}
)
values = st.recursive(
    leaves | st.integers(-2, 3) | st.just(2.5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
        | st.lists(st.dictionaries(st.sampled_from(NAMES), inner, max_size=2), max_size=3)
    ),
    max_leaves=12,
)
events = st.dictionaries(st.sampled_from(NAMES), values, max_size=4)


def spelled(value: Any, doubled: bool) -> str:
    """The value as JSON text; with `doubled`, each object has its first key twice."""
    if isinstance(value, Number):
        return value.text
    if isinstance(value, dict):
        pairs = list(value.items())
        pairs += [(name, "a") for name, _ in pairs[:1]] if doubled else []
        return "{" + ",".join(f"{json.dumps(n)}:{spelled(v, doubled)}" for n, v in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(spelled(each, doubled) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


@settings(max_examples=150, deadline=None)
@given(many, events)
def test_it_says_what_every_filter_says(filters: dict[int, Filter], event: dict[str, Any]) -> None:
    assert Matcher(filters).match(event) == {n for n, f in filters.items() if f.matches(event)}


@settings(max_examples=150, deadline=None)
@given(many | few_plain, events, st.booleans())
def test_it_says_so_for_texts_with_doubled_keys_and_any_number(
    filters: dict[int, Filter], event: dict[str, Any], doubled: bool
) -> None:
    text = spelled(event, doubled)
    expected = {n for n, f in filters.items() if f.matches_json(text)}
    assert Matcher(filters).match_json(text) == expected
    assert Matcher(filters).match_json(text.encode()) == expected


STREAM = StreamFacts("a", "ab", "", "abc", "10.0.0.1", "NEW_IMAGE")
of_stream = st.builds(
    Field,
    st.sampled_from(("table", "stream", "eventSourceARN", "account", "region.x", "a")),
    several.map(tuple),
)


@settings(max_examples=80, deadline=None)
@given(st.data(), events)
def test_what_a_stream_can_never_match_is_left_out(data: st.DataObject, event: Any) -> None:
    about = st.lists(st.builds(Clause, st.lists(of_stream, max_size=2).map(tuple)), max_size=2)
    clause = st.builds(
        Clause,
        st.lists(of_stream | fields, max_size=3).map(tuple),
        st.just(()),
        st.lists(about.map(tuple), max_size=1).map(tuple),
    )
    found = data.draw(st.lists(st.lists(clause, max_size=2).map(tuple), max_size=6))
    matcher = Matcher({n: Filter(form, "", "expression") for n, form in enumerate(found)})
    of_it = matcher.for_stream(STREAM)
    event = STREAM.event() | {n: v for n, v in event.items() if n in ("a", "b", "c")}
    assert of_it.match(event) == matcher.match(event)


def test_a_stream_that_no_filter_is_for_wants_nothing() -> None:
    matcher = Matcher({1: compile_pattern({"table": ["users"], "new": {"status": ["paid"]}})})
    orders = matcher.for_stream(StreamFacts("orders", "orders", "", "", "", ""))
    users = matcher.for_stream(StreamFacts("users", "users", "", "", "", ""))
    assert (len(orders), dict(orders.wanted.parts)) == (0, {})
    assert (len(users), set(users.wanted.parts)) == (1, {"new"})


def test_several_anything_but_are_refused_only_by_what_all_refuse() -> None:
    both = [{"anything-but": "a"}, {"anything-but": ["b", "c"]}]
    matcher = Matcher({1: compile_pattern({"x": both}), 2: compile_pattern({"x": both[:1]})})
    assert [matcher.match({"x": text}) for text in ("a", "b", "d")] == [{1}, {1, 2}, {1, 2}]


def test_filters_that_say_the_same_all_match() -> None:
    same = {name: compile_pattern({"a": ["x"]}) for name in ("one", "two")}
    assert Matcher(same).match({"a": "x"}) == {"one", "two"}


@pytest.mark.parametrize(
    "text", ["[1]", "{", '{"a":1}x', b'{"b":"\xff"}', '{"a":NaN}', "", "\ud800"]
)
def test_a_text_that_is_no_event_is_refused(text: str | bytes) -> None:
    with pytest.raises(EventError):
        Matcher({1: compile_pattern({"a": ["x"]})}).match_json(text)


BROKEN = compile_pattern({"a": ["x"], "b": {"c": [1, {"exists": False}]}})
pieces = st.lists(
    st.sampled_from((*'{}[]",:\\1.e-\x01é\ud800 ', "\\u", "true", '"a":')), max_size=4
)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3), pieces), max_size=3))
def test_a_broken_text_is_refused_as_one_filter_refuses_it(edits: list[Any]) -> None:
    text = r'{"a":"x","b":{"c":[1,2.5,"\n\"q\u00e4"],"d":null},"e":[{"a":"x"}]}'
    for place, gone, added in edits:
        text = text[:place] + "".join(added) + text[place + gone :]
    try:
        expected: Any = {1} if BROKEN.matches_json(text) else set()
    except EventError as error:
        expected = error.position
    try:
        assert Matcher({1: BROKEN}).match_json(text) == expected
    except EventError as error:
        assert error.position == expected


def test_an_event_that_is_no_dict_is_refused() -> None:
    with pytest.raises(EventError):
        Matcher({1: compile_pattern({"a": ["x"]})}).match([])  # type: ignore[arg-type]


def test_keys_that_are_spelled_with_escapes_are_found() -> None:
    matcher = Matcher({1: compile_pattern({"a": ["x"]}), 2: compile_pattern({"a": ["y"]})})
    assert matcher.match_json(r'{"\u0061":"x"}') == {1}
    assert matcher.match_json(r'{"\u0061":"x","a":"y"}') == {1, 2}


def test_large_events_stay_linear() -> None:
    """Each would take minutes if its cost were the square of its size."""
    filters = {
        1: compile_pattern({"a": [{"wildcard": "*abc*abd*"}]}),
        2: compile_pattern({"a": [{"prefix": "ab"}], "b": {"c": ["x99999"], "d": ["y99999"]}}),
        3: compile_pattern({"a": [{"anything-but": ["ab"]}]}),
        4: compile_pattern({"a": [{"numeric": [">", 99_999]}, {"cidr": "10.0.0.0/8"}]}),
        5: compile_pattern({"b": {"c": ["x1"], "d": ["y2"]}}),
    }
    matcher = Matcher(filters)
    objects = [{"c": f"x{n}", "d": f"y{n}"} for n in range(100_000)]
    assert matcher.match({"a": "abc" * 133_333 + "abd", "b": objects}) == {1, 2, 3}
    assert matcher.match({"a": [f"{n}" for n in range(100_000)] + [100_000]}) == {3, 4}


def test_of_many_rules_only_those_that_can_match_are_asked() -> None:
    filters = {
        n: compile_pattern({"op": ["M"], "id": [f"c{n}"], "sum": [{"numeric": [">", n]}]})
        for n in range(1_000)
    }
    matcher = Matcher(filters)
    found = matcher._tree.find({"op": "M", "id": "c77", "sum": 1_000_000})
    assert len(found) == 1
    assert matcher.match({"op": "M", "id": "c77", "sum": 1_000_000}) == {77}
