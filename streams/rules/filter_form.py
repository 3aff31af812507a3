"""The form both spellings compile to: plain data.

A filter is an *any of* clauses; a clause is an *all of* fields, of conditions on the whole change,
and of exclusions. Everything that works on filters (matching, explaining, the matcher for many,
search, the other spelling) reads this form, so a spelling is written once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

# A leaf of an event, as the operators see it: text, a number, true, false or null.
# values.py has Number and turns what an event holds into leaves.
from streams.rules.values import Leaf


class Test(Protocol):
    """An operator with its operand, asked about one leaf (operators.py)."""

    def accepts(self, leaf: Leaf) -> bool: ...


class Condition(Protocol):
    """Something asked of a whole change that no single field answers (conditions.py)."""

    def holds(self, event: object) -> bool: ...

    def paths(self) -> Iterable[str]: ...


@dataclass(frozen=True, slots=True)
class Field:
    """One leaf at the path must pass one of the tests. Segments are joined by "."."""

    path: str
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """All fields, by leaves that lie in the same elements of shared arrays; all conditions; and
    none of the excluded filters."""

    fields: tuple[Field, ...] = ()
    conditions: tuple[Condition, ...] = ()
    excluded: tuple["Form", ...] = ()


# Any of the clauses. No clause at all never matches; an empty clause always does.
Form = tuple[Clause, ...]


def paths_of(form: Form) -> frozenset[str]:
    """All paths a form asks for, in conditions and exclusions too."""
    paths: set[str] = set()
    for clause in form:
        paths.update(field.path for field in clause.fields)
        for condition in clause.conditions:
            paths.update(condition.paths())
        for excluded in clause.excluded:
            paths |= paths_of(excluded)
    return frozenset(paths)


def has_conditions(form: Form) -> bool:
    """True if a condition is asked anywhere in it, in exclusions too."""
    return any(clause.conditions or any(map(has_conditions, clause.excluded)) for clause in form)
