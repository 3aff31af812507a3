"""What an explanation says of each condition."""

import json

from streams.rules.expressions.compiler import compile_expression
from streams.rules.patterns.compiler import compile_pattern
from streams.rules.values import Number

EVENT = {
    "table": "orders",
    "operation": "MODIFY",
    "changed": ["status"],
    "old": {"status": "pending"},
    "new": {"status": "paid", "total": Number("99.50"), "lines": [{"sku": "a"}, {"count": 2}]},
}


def test_each_condition_has_its_answer_and_the_values_found() -> None:
    explanation = compile_pattern(
        {
            "table": ["orders"],
            "new": {"total": [{"numeric": [">", 100]}], "note": [{"exists": True}]},
        }
    ).explain(EVENT)
    assert not explanation.matched
    table, total, note = explanation.conditions
    assert (table.holds, table.found) == (True, ("orders",))
    assert (total.holds, total.found) == (False, (Number("99.50"),))
    assert (note.holds, note.found) == (False, ())
    assert "orders" in table.sentence
    assert "100" in total.sentence


def test_the_conditions_of_every_clause_are_asked() -> None:
    pattern = {"$or": [{"table": ["items"]}, {"operation": ["MODIFY"], "changed": ["status"]}]}
    explanation = compile_pattern(pattern).explain(EVENT)
    assert explanation.matched
    assert [(one.clause, one.holds) for one in explanation.conditions] == [
        (0, False),
        (1, True),
        (1, True),
    ]


def test_it_says_when_no_single_element_satisfies_all() -> None:
    pattern = {"new": {"lines": {"sku": ["a"], "count": [2]}}}
    explanation = compile_pattern(pattern).explain(EVENT)
    assert not explanation.matched
    sku, count, together = explanation.conditions
    assert sku.holds
    assert count.holds
    assert not together.holds
    assert "no single element" in together.sentence


def test_absence_from_the_element_that_was_found_holds() -> None:
    pattern = {"lines": {"a": ["1"], "b": [{"exists": False}]}}
    explanation = compile_pattern(pattern).explain({"lines": [{"a": "1"}, {"b": "2"}]})
    assert explanation.matched
    assert all(one.holds for one in explanation.conditions)


def test_only_a_few_of_many_values_are_shown() -> None:
    event = {"tags": [f"t{n}" for n in range(1_000)]}
    explanation = compile_pattern({"tags": ["x"]}).explain(event)
    (tags,) = explanation.conditions
    assert tags.found == ("t0", "t1", "t2", "t3", "t4")
    assert tags.more


def test_dotted_keys_are_found_too() -> None:
    explanation = compile_pattern({"a": {"b": ["x"]}}).explain({"a.b": "y", "a": {"b": None}})
    assert explanation.conditions[0].found == (None, "y")


def test_conditions_and_exclusions_of_expressions_are_asked() -> None:
    explanation = compile_expression("status: pending -> paid NOT table:orders").explain(EVENT)
    assert not explanation.matched
    assert [one.holds for one in explanation.conditions].count(False) == 1
    excluded = explanation.conditions[-1]
    assert (excluded.holds, excluded.found) == (False, ("orders",))


def test_what_a_condition_looks_into_is_shown() -> None:
    event = {"operation": "MODIFY", "old": {}, "new": {"address": {"city": "Graz"}}}
    explanation = compile_expression("appeared(address)").explain(event)
    assert explanation.matched
    assert "Graz" in explanation.conditions[-1].found


def test_an_explanation_can_be_shown_as_json() -> None:
    explanation = compile_pattern({"new": {"total": [5]}}).explain(EVENT)
    found = explanation.conditions[0].found[0]
    assert isinstance(found, Number)
    assert json.loads(found.text) == 99.5
