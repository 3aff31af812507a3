"""How large an expression may be, and the form it compiles to."""

from streams.rules.filter_form import Form

# Clauses of a form: what OR, and AND of several OR, combine to. AWS caps patterns at the same.
MOST_CLAUSES = 1_000
# Fields, conditions and exclusions over all clauses of an expression: so many compile in a second.
MOST_PARTS = 20_000
# How deep the parentheses and NOT of an expression nest: each costs frames of Python's stack.
DEEPEST_NESTING = 50
# Characters of an expression.
LONGEST_EXPRESSION = 65_536


def size(form: Form) -> int:
    """The fields, conditions and exclusions in all clauses, also in those of exclusions."""
    return sum(
        len(clause.fields) + len(clause.conditions) + sum(1 + size(f) for f in clause.excluded)
        for clause in form
    )
