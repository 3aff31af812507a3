"""An event that holds only what an expression asks for decides as the whole event does."""

import pytest

from streams.rules.events.change_parts import Wanted
from streams.rules.expressions.compiler import compile_expression
from streams.tests.unit.rules.test_change_event import event_of, raw_record

MODIFY = raw_record()
INSERT = {**raw_record(), "eventName": "INSERT"}
INSERT["dynamodb"] = {name: v for name, v in INSERT["dynamodb"].items() if name != "OldImage"}
KEYS_ONLY = {**raw_record(), "eventName": "MODIFY"}
KEYS_ONLY["dynamodb"] = {
    name: v for name, v in MODIFY["dynamodb"].items() if name not in ("OldImage", "NewImage")
}


@pytest.mark.parametrize(
    ("expression", "modified", "inserted"),
    [
        ("status: new -> paid", True, False),
        ("appeared(total)", True, True),
        ("appeared(status)", False, True),
        ("appeared(pk)", False, True),
        ("disappeared(status)", False, False),
        ("changed(a.b)", True, True),
        ("changed(pk)", False, True),
        ("changed(total) by >0", False, False),
        ("length(new.words):2", True, True),
        ("length(new.raw):2", True, True),
        ("type(new.words):SS type(new.list):L type(new.raw):B", True, True),
        ("type(old.status):S", True, False),
        ("new.total:12345678901234567890123456789012345678", True, True),
        ("new.total:12345678901234567890123456789012345677", False, False),
        ("key:o1 pk:o1", True, True),
        ("size>0 -actor:ttl", True, True),
    ],
)
def test_an_event_with_what_is_asked_is_enough(
    expression: str, modified: bool, inserted: bool
) -> None:
    compiled = compile_expression(expression)
    for record, expected in ((MODIFY, modified), (INSERT, inserted)):
        for wanted in (Wanted.everything(), Wanted.of([compiled.form])):
            assert compiled.matches(event_of(record, wanted)) is expected


@pytest.mark.parametrize(
    "expression", ["changed(a.b)", "appeared(a)", "length(new.words)>0", "type(new.pk):S"]
)
def test_without_images_nothing_holds(expression: str) -> None:
    compiled = compile_expression(expression)
    assert not compiled.matches(event_of(KEYS_ONLY, Wanted.of([compiled.form])))


def test_the_explanation_names_each_condition() -> None:
    compiled = compile_expression("status: new -> paid changed(a.b) -new.total>0")
    explained = compiled.explain(event_of(MODIFY, Wanted.everything()))
    assert not explained.matched
    assert [(one.sentence, one.holds) for one in explained.conditions] == [
        ("old.status is new", True),
        ("new.status is paid", True),
        ("a.b changed", True),
        ("every change, unless new.total is above 0", False),
    ]
