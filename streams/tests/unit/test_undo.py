"""Undo plans: what they would write, under which condition, and when there is none."""

import ast
import json
from typing import Any

import pytest

from streams.undo import ABSENT, ALL, CHANGED, Target, UndoPlan, UndoRefused, plan

KEY = {"pk": {"S": "ORD#1"}}
TABLE = Target("orders", "eu-central-1", "http://127.0.0.1:8000")


def image(**attributes: Any) -> dict[str, Any]:
    return {**KEY, **attributes}


def made(current: Any, wanted: Any, *warnings: str) -> UndoPlan:
    return plan(TABLE, KEY, current, wanted, list(warnings))


def test_an_item_is_put_back_if_every_attribute_is_as_it_was() -> None:
    undo = made(image(s={"S": "paid"}, n={"N": "1"}), image(s={"S": "new"}, gone={"NULL": True}))
    assert (undo.operation, undo.guard) == ("PutItem", ALL)
    assert undo.request == {
        "TableName": "orders",
        "Item": image(s={"S": "new"}, gone={"NULL": True}),
        "ConditionExpression": "#n0 = :v0 AND #n1 = :v1 AND attribute_not_exists(#n2)",
        "ExpressionAttributeNames": {"#n0": "s", "#n1": "n", "#n2": "gone"},
        "ExpressionAttributeValues": {":v0": {"S": "paid"}, ":v1": {"N": "1"}},
    }
    assert [difference.path for difference in undo.differences] == ["s", "gone", "n"]


def test_a_deleted_item_is_put_back_if_there_is_none() -> None:
    undo = made(None, image(s={"S": "new"}))
    assert (undo.operation, undo.guard) == ("PutItem", ABSENT)
    assert undo.request["ConditionExpression"] == "attribute_not_exists(#n0)"
    assert undo.request["ExpressionAttributeNames"] == {"#n0": "pk"}
    assert "ExpressionAttributeValues" not in undo.request


def test_a_made_item_is_deleted() -> None:
    undo = made(image(s={"S": "x"}), None)
    assert (undo.operation, undo.request["Key"]) == ("DeleteItem", KEY)
    assert undo.request["ConditionExpression"] == "#n0 = :v0"
    assert made(image(), None).request["ConditionExpression"] == "attribute_exists(#n0)"


@pytest.mark.parametrize("state", [None, image(), image(a={"N": "1"})])
def test_the_present_state_needs_no_plan(state: Any) -> None:
    with pytest.raises(UndoRefused, match="nothing to undo"):
        made(state, state)


def many(number: int, value: str) -> dict[str, Any]:
    return {f"attribute-{n}": {"S": value} for n in range(number)}


@pytest.mark.parametrize(("number", "guard"), [(149, ALL), (150, CHANGED)])
def test_with_too_many_attributes_only_the_changed_ones_are_compared(
    number: int, guard: str
) -> None:
    undo = made(image(**many(number, "x"), s={"S": "2"}), image(**many(number, "x"), s={"S": "1"}))
    assert undo.guard == guard
    if guard == CHANGED:
        assert undo.request["ConditionExpression"] == "#n0 = :v0"
        assert undo.request["ExpressionAttributeNames"] == {"#n0": "s"}
        assert "would be overwritten" in undo.guard_said


def test_what_no_condition_can_compare_is_refused() -> None:
    with pytest.raises(UndoRefused, match="200 would change: more than one condition"):
        made(image(**many(200, "new")), image(**many(200, "old")))


def test_a_deletion_is_never_guarded_in_part() -> None:
    with pytest.raises(UndoRefused, match="more than one condition"):
        made(image(**many(200, "new")), None)


def test_the_script_holds_the_request_whatever_is_in_the_data() -> None:
    evil = "''' \\ \" {x} \n# é \u2028 {{}}"
    undo = made(image(s={"S": evil}), image(s={"S": "x" + evil}, b={"B": "AAE="}), "Beware.")
    script = undo.python_script()
    tree = ast.parse(script)
    (request,) = [
        node.value.args[0].value  # type: ignore[attr-defined]
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "REQUEST"  # type: ignore[attr-defined]
    ]
    assert json.loads(request) == undo.request == json.loads(undo.cli_json())
    assert "# Beware." in script and script.isascii()


def test_the_command_names_where() -> None:
    assert made(None, image(a={"N": "1"})).cli_command() == (
        "aws dynamodb put-item --cli-binary-format base64 --cli-input-json file://undo.json "
        "--region eu-central-1 --endpoint-url http://127.0.0.1:8000"
    )
