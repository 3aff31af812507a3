"""A form for events of which some leaves are known: what is left to ask of the others."""

from collections.abc import Mapping

from streams.rules.filter_form import Clause, Field, Form
from streams.rules.values import Leaf


def narrow(form: Form, known: Mapping[str, Leaf]) -> Form:
    """The form without fields that the known leaves pass; clauses that cannot match go.

    `known` are leaves at the top of the event, in no array.
    """
    return tuple(left for clause in form if (left := _narrow(clause, known)) is not None)


def _narrow(clause: Clause, known: Mapping[str, Leaf]) -> Clause | None:
    fields = []
    for field in clause.fields:
        if field.path not in known:
            fields.append(field)
        elif not _passes(field, known[field.path]):
            return None
    excluded = [left for form in clause.excluded if (left := narrow(form, known))]
    if any(_asks_nothing(inner) for form in excluded for inner in form):
        return None
    return Clause(tuple(fields), clause.conditions, tuple(excluded))


def _passes(field: Field, leaf: Leaf) -> bool:
    return any(test.accepts(leaf) for test in field.tests)


def _asks_nothing(clause: Clause) -> bool:
    return not (clause.fields or clause.conditions or clause.excluded)
