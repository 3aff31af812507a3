"""Matching changes by their bytes says what asking every filter about the whole event says."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.change import Change
from streams.errors import UnreadableRecord
from streams.rules import Filter, compile_text
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import Wanted
from streams.rules.filter_form import Form
from streams.rules.matching.change_matcher import ChangeMatcher
from streams.rules.matching.finders import joined_ends
from streams.sources.dynamodb import records
from streams.tests.unit.any_image import values
from streams.tests.unit.rules.random_forms import FORMS, NAMES, NUMBERS, TEXTS
from streams.tests.unit.rules.test_change_event import NO_TERMS, STREAM, raw_record

# What the forms ask for often enough, and any other value.
_VALUES = st.one_of(
    TEXTS.map(lambda text: {"S": text}),
    NUMBERS.map(lambda number: {"N": number.text}),
    st.booleans().map(lambda value: {"BOOL": value}),
    TEXTS.map(lambda text: {"M": {"a": {"S": text}, "b": {"N": "42"}}}),
    NUMBERS.map(lambda number: {"L": [{"N": number.text}]}),
    values,
)
_IMAGES = st.dictionaries(NAMES, _VALUES, max_size=4)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    operation = draw(st.sampled_from(["INSERT", "MODIFY", "MODIFY", "REMOVE"]))
    images: dict[str, Any] = {}
    if operation != "INSERT" and draw(st.integers(0, 4)):
        images["OldImage"] = draw(_IMAGES)
    if operation != "REMOVE" and draw(st.integers(0, 4)):
        images["NewImage"] = {**images.get("OldImage", {}), **draw(_IMAGES)}
    record = raw_record(eventName=operation)
    keys = {draw(NAMES.filter(bool)): {"S": draw(TEXTS.filter(bool))}}
    record["dynamodb"] = {
        **{n: v for n, v in record["dynamodb"].items() if not n.endswith("Image")},
        **{"Keys": keys, **images},
    }
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
    text = json.dumps(record, separators=separators, ensure_ascii=draw(st.booleans()))
    try:
        return records.parse(text.encode("utf-8", "surrogatepass"), 1, NO_TERMS)
    except UnreadableRecord:
        assume(False)
        raise


def filter_of(form: Form) -> Filter:
    return Filter(form, "", "expression")


def expected(filters: dict[int, Filter], change: Change) -> set[int]:
    event = ChangeEvents(STREAM, Wanted.everything()).of(change)
    return {number for number, one in filters.items() if one.matches(event)}


@given(st.lists(FORMS, min_size=1, max_size=6), st.lists(changes(), min_size=1, max_size=4))
def test_it_says_what_every_filter_says(forms: list[Form], some: list[Change]) -> None:
    filters = dict(enumerate(map(filter_of, forms)))
    wanted = {n: ids for n, change in enumerate(some) if (ids := expected(filters, change))}
    assert ChangeMatcher(filters, STREAM).match_all(some) == wanted
    assert ChangeMatcher(filters, STREAM, sample=some).match_all(some) == wanted
    assert ChangeMatcher(filters, STREAM).match(some[0]) == wanted.get(0, set())


_QUERIES = [
    *("new.status:paid", "new.status^=pai", "new.status$=aid", "new.status~ai", "status:paid"),
    *("new.total:5", "new.total>4", "new.total:4..6", "new.status:paid,new", "status: new -> paid"),
    *("changed:status", "changed(status)", "changed(total) by > 1", "exists(new.total)", "key:o1"),
    *("new.ok:true", "new.status:nocase(PAID)", "-new.status:paid", "length(new.status):4"),
    *("type(new.total):N", "new.list:5", 'new.status:wildcard("p*i*d")', "op:MODIFY new.pk:o1"),
]  # fmt: skip


@pytest.mark.parametrize(
    "new",
    [
        b'{"pk":{"S":"o1"},"status":{"S":"paid"},"total":{"N":"5"},"ok":{"BOOL":true}}',
        b'{"pk": {"S": "o1"}, "status" : { "S" : "paid"}, "total" : { "N" : "5.0" } }',
        b'{"pk":{"S":"o1"},"status":{"S":"\\u0070aid"},"t\\u006ftal":{"N":"5"}}',
        b'{"pk":{"S":"o1"},"status":{"S":"paid"},"total":{"L":[{"N":"1"},{"N":"5"}]}}',
        b'{"pk":{"S":"o1"},"total":{"NS":["5","9"]},"list":{"L":[{"N":"5"}]}}',
        b'{"pk":{"S":"o1"},"total":5,"status":"paid"}',
        b'{"total":{"S":5},"status":{"M":{"total":{"N":"5"}}}}',
        b'{"total":{"N":"x"},"status":{"S":"total"}}',
        b'{"status":{"S":"\\"paid\\""},"note":{"S":"total"},"total":{"NULL":true}}',
        b"[]",
    ],
)
@pytest.mark.parametrize("query", _QUERIES)
def test_it_finds_values_however_they_are_spelled(query: str, new: bytes) -> None:
    change = records.parse(json.dumps(raw_record()).encode(), 1, NO_TERMS)
    change = replace(change, new=new, changed=("list", "ok", "status", "total"))
    filters = {1: compile_text(query)}
    assert ChangeMatcher(filters, STREAM).match(change) == expected(filters, change)


def test_ranges_that_meet_are_one() -> None:
    assert joined_ends([(5, 6), (1, 2), (2, 3), (5, 5.5)]) == [1, 3, 5, 6]
