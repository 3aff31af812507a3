"""Writing a form as an event pattern: the way back of patterns/compiler.py."""

from collections.abc import Container, Sequence
from typing import Any

from streams.rules.expressions.fields import IMAGES
from streams.rules.expressions.limits import MOST_CLAUSES
from streams.rules.filter_form import Clause, Form, Test
from streams.rules.operators import (
    AnythingBut,
    Cidr,
    EqualsIgnoreCase,
    Exact,
    Exists,
    Numeric,
    Prefix,
    Suffix,
    Wildcard,
)
from streams.rules.patterns.complexity import Complexity
from streams.rules.patterns.match_expressions import UNSAID_IN_OR
from streams.rules.spelling.value_text import Unspelled
from streams.rules.values import Number

Json = Any
_NAMES: dict[type, str] = {
    Prefix: "prefix",
    Suffix: "suffix",
    EqualsIgnoreCase: "equals-ignore-case",
    Wildcard: "wildcard",
    Cidr: "cidr",
}


def pattern_of(form: Form) -> dict[str, Any] | None:
    """The form as an event pattern that compiles to the same meaning; several clauses become $or.

    A number is an int or a float where that spells it the same way, else a Number, so that
    `compile_pattern` and json_text keep it. None if no pattern says it: exclusions, conditions on
    the whole change, two fields at one path, wildcards that are too complex for a pattern, and
    tests that only expressions have.
    """
    complexity = Complexity()
    try:
        clauses = [_clause(clause, len(form) > 1, complexity) for clause in form]
    except Unspelled:
        return None
    if not clauses or len(clauses) > MOST_CLAUSES:
        return None
    return clauses[0] if len(clauses) == 1 else {"$or": clauses}


def _clause(clause: Clause, in_or: bool, complexity: Complexity) -> dict[str, Json]:
    paths = {field.path for field in clause.fields}
    if clause.conditions or clause.excluded or not paths or len(paths) < len(clause.fields):
        raise Unspelled
    pattern: dict[str, Json] = {}
    for field in clause.fields:
        names = field.path.split(".")
        if "$or" in names or (in_or and not UNSAID_IN_OR.isdisjoint(names)):
            raise Unspelled
        exact = names[0] in IMAGES
        groups = [group for group in map(_wildcards, field.tests) if group]
        if not field.tests or (groups and complexity.first_too_complex(groups)):
            raise Unspelled
        _put(pattern, field.path, [_test(test, exact) for test in field.tests], paths)
    return pattern


def _wildcards(test: Test) -> list[str]:
    """The wildcards that a test is spelled with."""
    tests = test.tests if isinstance(test, AnythingBut) else (test,)
    return [each.text for each in tests if isinstance(each, Wildcard)]


def _put(pattern: dict[str, Json], path: str, tests: list[Json], paths: Container[str]) -> None:
    """Nested; from a name on that has tests of its own, under a joined key."""
    holder, names = pattern, path.split(".")
    for place, name in enumerate(names[:-1]):
        if ".".join(names[: place + 1]) in paths:
            holder[".".join(names[place:])] = tests
            return
        holder = holder.setdefault(name, {})
    holder[names[-1]] = tests


def _test(test: Test, exact: bool) -> Json:
    match test:
        case Exact(value):
            return _number(value) if isinstance(value, Number) else value
        case Prefix() | Suffix():
            text = {"equals-ignore-case": test.text} if test.ignore_case else test.text
            return {_NAMES[type(test)]: text}
        case EqualsIgnoreCase() | Wildcard() | Cidr():
            return {_NAMES[type(test)]: test.text}
        case Exists(present):
            return {"exists": present}
        case Numeric():
            return {"numeric": _numeric(test, exact)}
        case AnythingBut(tests):
            return {"anything-but": _anything_but(tests, exact)}
    raise Unspelled


def _numeric(test: Numeric, exact: bool) -> list[Json]:
    low, high = test.low, test.high
    if low and high and low == high and test.low_included and test.high_included:
        return ["=", _bound(low, exact)]
    written: list[Json] = []
    if low:
        written += [">=" if test.low_included else ">", _bound(low, exact)]
    if high:
        written += ["<=" if test.high_included else "<", _bound(high, exact)]
    if low and high and not _compared(low, exact) < _compared(high, exact):
        raise Unspelled
    return written


def _anything_but(tests: Sequence[Test], exact: bool) -> Json:
    """Values of one type, or operands of one operator."""
    kinds = {type(test) for test in tests}
    if len(kinds) != 1:
        raise Unspelled
    values = [test.value for test in tests if isinstance(test, Exact)]
    if values:
        if all(isinstance(value, str) for value in values):
            return _one_or_list(values)
        return _one_or_list([_bound(value, exact) for value in values])
    texts = [_excluded_text(test) for test in tests]
    return {_NAMES[kinds.pop()]: _one_or_list(texts)}


def _excluded_text(test: Test) -> str:
    match test:
        case Prefix() | Suffix() if test.text and not test.ignore_case:
            return test.text
        case EqualsIgnoreCase() | Wildcard():
            return test.text
    raise Unspelled


def _one_or_list(values: list[Json]) -> Json:
    return values[0] if len(values) == 1 else values


def _bound(value: Any, exact: bool) -> Json:
    _compared(value, exact)
    return _number(value)


def _compared(number: Any, exact: bool) -> Any:
    """What a number is compared by. Only what has it can be an operand of `numeric`."""
    found = None
    if isinstance(number, Number):
        found = number.value if exact else number.double
    if found is None:
        raise Unspelled
    return found


def _number(number: Number) -> Json:
    """An int or a float if JSON writes that as the number is spelled, else the Number."""
    text = number.text
    if len(text) < 20 and text.removeprefix("-").isdecimal() and str(int(text)) == text:
        return int(text)
    return float(text) if len(text) < 25 and repr(float(text)) == text else number
