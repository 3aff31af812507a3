"""A second, slow opinion on fields: an event flattened to leaves, and every choice of them tried.

It follows what event-ruler does step by step and shares no code with streams.rules but its tests'
`accepts`. Only for small events.
"""

from collections.abc import Iterator
from typing import Any

from streams.rules.filter_form import Clause, Field, Form
from streams.rules.json_text import Pairs
from streams.rules.operators import Exists
from streams.rules.values import leaf

# Which element of which array, known by the order in which arrays are met.
Membership = dict[int, int]
Flat = list[tuple[str, Any, Membership]]


def flatten(event: Any) -> Flat:
    counter = iter(range(1_000_000))
    return list(_leaves(event, "", {}, counter))


def _leaves(
    value: Any, path: str, inside: Membership, counter: Iterator[int]
) -> Iterator[tuple[str, Any, Membership]]:
    if isinstance(value, (dict, Pairs)):
        for key, below in value.items() if isinstance(value, dict) else value:
            yield from _leaves(below, f"{path}.{key}" if path else key, inside, counter)
    elif isinstance(value, list):
        array = next(counter)
        for index, element in enumerate(value):
            # A scalar does not bind the array it lies in.
            is_scalar = not isinstance(element, (dict, list, Pairs))
            where = inside if is_scalar else {**inside, array: index}
            yield from _leaves(element, path, where, counter)
    else:
        yield path, value, inside


def holds(form: Form, event: Any) -> bool:
    flat = flatten(event)
    return any(_clause_holds(clause, flat, event) for clause in form)


def _clause_holds(clause: Clause, flat: Flat, event: Any) -> bool:
    fields = sorted(clause.fields, key=lambda field: field.path.encode("utf-16-be"))
    return (
        _fields_hold(fields, flat, {})
        and all(condition.holds(event) for condition in clause.conditions)
        and not any(holds(form, event) for form in clause.excluded)
    )


def _fields_hold(fields: list[Field], flat: Flat, so_far: Membership) -> bool:
    if not fields:
        return True
    field, *others = fields
    there = [
        (value, inside)
        for path, value, inside in flat
        if path == field.path and _agree(inside, so_far)
    ]
    for value, inside in there:
        accepted = any(test.accepts(leaf(value)) for test in field.tests)
        if accepted and _fields_hold(others, flat, {**so_far, **inside}):
            return True
    may_be_absent = any(isinstance(test, Exists) and not test.present for test in field.tests)
    return not there and may_be_absent and _fields_hold(others, flat, so_far)


def _agree(one: Membership, other: Membership) -> bool:
    return all(other.get(array, index) == index for array, index in one.items())
