"""A filter from whatever a person wrote: an expression, an event pattern, or nothing."""

from collections.abc import Collection

from streams.rules.expressions.compiler import compile_expression
from streams.rules.filter import Filter
from streams.rules.filter_form import Clause
from streams.rules.patterns.compiler import compile_pattern


def compile_text(text: str, known: Collection[str] | None = None) -> Filter:
    """A text that begins with `{` is an event pattern, any other an expression; an empty one is
    the filter that every change passes. PatternError says what is wrong and where.

    `known` are the attributes that were seen, as for `compile_expression`.
    """
    if not text.strip():
        return Filter((Clause(),), text, "expression")
    if text.lstrip().startswith("{"):
        return compile_pattern(text)
    return compile_expression(text, known)
