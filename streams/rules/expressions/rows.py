"""An expression as rows "field, operator, value", for people who would rather choose than type.

Rows are an editor over the text: they show its own pieces, letter by letter, so nothing is lost
between the two. Only a text whose conditions all have to hold has rows; others say why not.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from streams.rules.errors import PatternError
from streams.rules.expressions.compiler import compile_expression, conditions_of
from streams.rules.expressions.operands import Operands
from streams.rules.expressions.paths import Path, Paths
from streams.rules.expressions.terms import Terms
from streams.rules.expressions.tokens import Scanner
from streams.rules.spelling.value_text import quoted

# What a row can ask, as the form names it and as people read it.
SIGNS: Mapping[str, str] = {
    ":": "is",
    "!=": "is there, and is not",
    ">": "is above",
    ">=": "is at least",
    "<": "is below",
    "<=": "is at most",
    "~": "contains",
    "^=": "begins with",
    "$=": "ends with",
    ":~": "is, in any case of letters",
}
FUNCTIONS: Mapping[str, str] = {
    "->": "changes (from -> to)",
    "changed": "changed",
    "changed by": "changed by (such as >10 or >5%)",
    "appeared": "appeared",
    "disappeared": "disappeared",
    "exists": "exists",
    "missing": "is missing",
    "length": "has a length (such as >5)",
    "type": "is of type (S, N, …)",
}
OPERATORS = {**SIGNS, **FUNCTIONS}
# These take no value.
ALONE = ("changed", "appeared", "disappeared", "exists", "missing")
_TEXTUAL = (":", "!=", "~", "^=", "$=", ":~")
_arrow_from_any = re.compile(r"\*\s*->").match


class Row(NamedTuple):
    """`field` and `value` as the expression spells them. A negated row does not hold."""

    field: str
    operator: str = ":"
    value: str = ""
    negated: bool = False


class NoRows(ValueError):
    """The text says what rows cannot; the error's text says what."""


def rows_of(text: str) -> list[Row]:
    """The rows of an expression; none for an empty one, which is every change.

    NoRows where it is more than conditions that all hold. PatternError where it is no expression.
    """
    if not text.strip():
        return []
    if text.lstrip().startswith("{"):
        raise NoRows("It is an event pattern, which only text can say.")
    form = compile_expression(text).form
    rows = [_row(condition) for condition in conditions_of(text)]
    if any("\n" in part or "\r" in part for row in rows for part in row[:3]):
        raise NoRows("A text in it has a line break.")
    if compile_expression(text_of(rows)).form != form:
        raise NoRows("Rows would not say the same as this text.")
    return rows


def text_of(rows: Sequence[Row]) -> str:
    """The expression of rows. A value with spaces is put in quotes. What is wrong in a row is told
    when the text is compiled."""
    return " ".join(_text(row) for row in rows)


def _row(condition: str) -> Row:
    text = condition.strip()
    positive = _positive(text)
    negated = positive != text
    if positive.startswith("("):
        raise NoRows("It has parentheses, and rows all hold together.")
    if _positive(positive) != positive:
        raise NoRows("It has a NOT of a NOT.")
    if not _is_one_term(positive):
        raise NoRows("It has an OR, and rows all hold together.")
    return _split(positive)._replace(negated=negated)


def _positive(text: str) -> str:
    """Without a minus or a NOT in front."""
    scanner = Scanner(text)
    if scanner.take("-") or scanner.take_word("NOT"):
        scanner.skip()
        return text[scanner.place :]
    return text


def _is_one_term(text: str) -> bool:
    scanner = Scanner(text)
    try:
        Terms(scanner, Paths(scanner, None)).term()
    except PatternError:
        return False
    scanner.skip()
    return scanner.at_end()


def _split(term: str) -> Row:
    """The pieces of a term that is known to compile."""
    scanner = Scanner(term)
    paths = Paths(scanner, None)
    name = None if scanner.at(".") else scanner.name()
    if name and not name.quoted and scanner.take("("):
        scanner.skip()
        start = scanner.place
        paths.read("a path")
        field = term[start : scanner.place]
        scanner.skip()
        scanner.take(")")
        return _called(name.text, field, term[scanner.place :].strip())
    scanner.place = 0
    path = paths.read("a path")
    field = term[: scanner.place]
    scanner.skip()
    sign = scanner.operator() or ":"
    scanner.skip()
    value = term[scanner.place :].strip()
    if sign == ":" and not path.begins_with("actor") and _is_arrow(scanner, paths, path):
        sign = "->"
    return Row(field, sign, value)


def _called(name: str, field: str, rest: str) -> Row:
    if name == "changed" and rest:
        return Row(field, "changed by", rest.removeprefix("by").strip())
    if name == "type":
        return Row(field, name, rest.removeprefix(":").strip())
    return Row(field, name, rest)


def _is_arrow(scanner: Scanner, paths: Paths, path: Path) -> bool:
    if _arrow_from_any(scanner.text, scanner.place):
        return True
    Operands(scanner, paths.target(path).asked).values()
    scanner.skip()
    return scanner.at("->")


def _text(row: Row) -> str:
    text = _spelled(row)
    if row.operator in _TEXTUAL and row.value and not _is_one_term(text):
        in_quotes = _spelled(row._replace(value=quoted(row.value)))
        text = in_quotes if _is_one_term(in_quotes) else text
    return f"-{text}" if row.negated else text


def _spelled(row: Row) -> str:
    field, operator, value = row.field.strip(), row.operator, row.value.strip()
    if operator == "->":
        return f"{field}: {value}"
    if operator in SIGNS:
        return f"{field}{operator}{value}"
    if operator == "changed by":
        return f"changed({field}) by {value}"
    if operator == "type":
        return f"type({field}):{value}"
    if operator == "length" and value[:1].isdigit():
        value = f":{value}"
    return f"{operator}({field}){value if operator == 'length' else ''}"
