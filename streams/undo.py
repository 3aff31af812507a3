"""The plan that would bring an item back to an earlier version: one write with a condition.

It is a text for a person to run, or not; nothing here writes. Works on DynamoDB JSON. Plain Python.
"""

import json
import shlex
from dataclasses import dataclass, field
from typing import Any

from streams.diff import Difference, Image, diff, same
from streams.item_key import Key
from streams.undo_script import SCRIPT

PUT, DELETE = "PutItem", "DeleteItem"
# What the condition compares: every attribute, only those that the plan changes, or that there is
# no item.
ALL, CHANGED, ABSENT = "all", "changed", "absent"
# DynamoDB's limits for an expression: bytes of its text, and operators and functions in it.
_MOST_BYTES, _MOST_OPERATORS = 4_096, 300


class UndoRefused(Exception):
    """There is no plan: `reason` says why, `fix` what to do instead."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(f"{reason} {fix}".strip())
        self.reason, self.fix = reason, fix


@dataclass(frozen=True)
class Target:
    """Where a plan would write."""

    table: str
    region: str = ""
    endpoint_url: str = ""


@dataclass(frozen=True)
class UndoPlan:
    """`request` is what DynamoDB's API takes for `operation`, with binaries in base64. `warnings`
    must be read before it is run."""

    target: Target
    operation: str
    request: dict[str, Any]
    guard: str
    differences: list[Difference]
    warnings: list[str] = field(default_factory=list)

    @property
    def guard_said(self) -> str:
        if self.guard == ABSENT:
            return "The write happens only if there is still no such item."
        if self.guard == CHANGED:
            return (
                "The write happens only if the attributes that it changes are still as they are "
                "now. Comparing all of them would exceed DynamoDB's limits for an expression "
                f"({_MOST_BYTES:,} bytes, {_MOST_OPERATORS} operators), so a change of another "
                "attribute in the meantime would be overwritten."
            )
        return (
            "The write happens only if every attribute is still as it is now. An attribute that "
            "somebody adds in the meantime, and that no version shown here has, would be lost: "
            "DynamoDB has no condition for that."
        )

    def cli_json(self) -> str:
        """For `aws dynamodb put-item --cli-input-json file://…`."""
        return json.dumps(self.request, indent=2)

    def cli_command(self, file: str = "undo.json") -> str:
        words = ["aws", "dynamodb", "put-item" if self.operation == PUT else "delete-item"]
        words += ["--cli-binary-format", "base64", "--cli-input-json", f"file://{file}"]
        if self.target.region:
            words += ["--region", self.target.region]
        if self.target.endpoint_url:
            words += ["--endpoint-url", self.target.endpoint_url]
        return shlex.join(words)

    def python_script(self) -> str:
        """A script that needs boto3 alone; without `--run` it only says what it would do."""
        facts = {
            "OPERATION": self.operation,
            "REGION": self.target.region or None,
            "ENDPOINT_URL": self.target.endpoint_url or None,
        }
        named = "\n".join(f"{name} = {value!r}" for name, value in facts.items())
        said = "\n".join(f"# {line}" for line in [self.guard_said, *self.warnings])
        # JSON in ASCII inside a raw string: nothing in the data can end it or be read otherwise.
        request = json.dumps(self.request, indent=1).replace("'", "\\u0027")
        return SCRIPT.format(said=said, facts=named, request=request)


def plan(
    target: Target, key: Key, current: Image | None, wanted: Image | None, warnings: list[str]
) -> UndoPlan:
    """From the newest known image to the wanted one; None stands for "no item".

    UndoRefused if nothing would change, or no condition fits into an expression.
    """
    differences = diff(current, wanted)
    if not differences and (current is None) == (wanted is None):
        raise UndoRefused(
            "There is nothing to undo: the item is already as it was after this version."
        )
    guard, condition = _condition(key, current, wanted)
    request: dict[str, Any] = {"TableName": target.table}
    request |= {"Key": key} if wanted is None else {"Item": wanted}
    return UndoPlan(
        target=target,
        operation=DELETE if wanted is None else PUT,
        request=request | condition,
        guard=guard,
        differences=differences,
        warnings=warnings,
    )


def _condition(key: Key, current: Image | None, wanted: Image | None) -> tuple[str, dict[str, Any]]:
    partition_key = next(iter(key))
    if current is None:
        return ABSENT, _Expression().absent(partition_key).parts()
    names = [name for name in current if name not in key]
    new = [name for name in wanted or {} if name not in current]
    every = _expression(partition_key, current, names, new)
    if every.fits:
        return ALL, every.parts()
    other = wanted or {}
    changed = [n for n in names if n not in other or not same(current[n], other[n])]
    some = _expression(partition_key, current, changed, new)
    if wanted is not None and some.fits:
        return CHANGED, some.parts()
    raise UndoRefused(
        f"The item has {len(names):,} attributes and {len(changed) + len(new):,} would change: "
        "more than one condition of DynamoDB can compare, so nothing could guard the write.",
        "Copy the old image from the version's page, and write it while nobody else writes.",
    )


class _Expression:
    """A condition, its names and values; attribute names are never written into its text."""

    def __init__(self) -> None:
        self._clauses: list[str] = []
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def absent(self, name: str) -> "_Expression":
        self._clauses.append(f"attribute_not_exists({self._name(name)})")
        return self

    def exists(self, name: str) -> "_Expression":
        self._clauses.append(f"attribute_exists({self._name(name)})")
        return self

    def equal(self, name: str, value: Any) -> "_Expression":
        mark = f":v{len(self._values)}"
        self._values[mark] = value
        self._clauses.append(f"{self._name(name)} = {mark}")
        return self

    @property
    def fits(self) -> bool:
        operators = 2 * len(self._clauses) - 1  # each clause has one, and an AND between them
        return operators <= _MOST_OPERATORS and len(self._text()) <= _MOST_BYTES

    def parts(self) -> dict[str, Any]:
        parts: dict[str, Any] = {
            "ConditionExpression": self._text(),
            "ExpressionAttributeNames": self._names,
        }
        if self._values:
            parts["ExpressionAttributeValues"] = self._values
        return parts

    def _text(self) -> str:
        return " AND ".join(self._clauses)

    def _name(self, name: str) -> str:
        mark = f"#n{len(self._names)}"
        self._names[mark] = name
        return mark


def _expression(
    partition_key: str, current: Image, names: list[str], new: list[str]
) -> _Expression:
    """The item is there, these attributes are as they are now, and those are not there."""
    expression = _Expression()
    if not names:
        expression.exists(partition_key)
    for name in names:
        expression.equal(name, current[name])
    for name in new:
        expression.absent(name)
    return expression
