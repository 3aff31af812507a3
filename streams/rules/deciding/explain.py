"""Why a filter matches an event or does not: each of its conditions, with what was found."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from streams.rules.deciding.evaluate import prepare
from streams.rules.deciding.untidy import leaves_at
from streams.rules.filter_form import Clause, Form, paths_of
from streams.rules.spelling.sentence import sentence_of
from streams.rules.values import Leaf, leaf

NO_ELEMENT = "no single element of the arrays satisfies all of these together"
# People compare a few values at a glance; an array may have 100,000.
MOST_FOUND = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """One condition, as a phrase, and what became of it.

    Clauses are or-ed and count from 0. `found` are the first leaves at the condition's paths, in
    the event's order; `more` is True if there are others. A leaf is text, Number, bool or None.
    """

    clause: int
    sentence: str
    holds: bool
    found: tuple[Leaf, ...]
    more: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """`matched` is what Filter.matches says. It is true if all conditions of a clause hold."""

    matched: bool
    conditions: tuple[Asked, ...]


def explain(form: Form, event: dict[str, Any]) -> Explanation:
    """Asks every condition of every clause. EventError as for Filter.matches."""
    asked = [one for index, clause in enumerate(form) for one in _clause(index, clause, event)]
    return Explanation(prepare(form)(event), tuple(asked))


def _clause(index: int, clause: Clause, event: dict[str, Any]) -> Iterator[Asked]:
    fields = [_asked(index, Clause(fields=(field,)), event) for field in clause.fields]
    if prepare((Clause(fields=clause.fields),))(event):
        # Absence from the element that the other fields found is not absence from the whole array.
        yield from (replace(one, holds=True) for one in fields)
    else:
        yield from fields
        if all(one.holds for one in fields):
            yield Asked(index, NO_ELEMENT, False, ())
    for condition in clause.conditions:
        yield _asked(index, Clause(conditions=(condition,)), event)
    for excluded in clause.excluded:
        yield _asked(index, Clause(excluded=(excluded,)), event)


def _asked(index: int, clause: Clause, event: dict[str, Any]) -> Asked:
    form = (clause,)
    found = tuple(islice(_leaves(form, event), MOST_FOUND + 1))
    return Asked(
        index,
        sentence_of(form),
        prepare(form)(event),
        found[:MOST_FOUND],
        len(found) > MOST_FOUND,
    )


def _leaves(form: Form, event: dict[str, Any]) -> Iterator[Leaf]:
    # A field has the leaf at its path. A condition may look into what lies there.
    below = not form[0].fields
    for path in sorted(paths_of(form)):
        yield from (leaf(value) for value in leaves_at(event, tuple(path.split(".")), below))
