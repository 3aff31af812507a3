"""A rule's filter as a form has it: as text, or as rows over that text."""

from typing import NamedTuple

from django.http import QueryDict

from streams.rules import PatternError, compile_text
from streams.rules.expressions.rows import NoRows, Row, rows_of, text_of

# A longer text, one with line breaks, or a pattern has a field of several lines: in one of one line
# a browser drops the breaks.
_ONE_LINE = 400
# So many rows a form takes.
_MOST_ROWS = 60
_PARTS = ("row_field", "row_operator", "row_value", "row_not")


class GivenFilter(NamedTuple):
    """`rows` is None where the text is shown; `why_not` says why it has no rows."""

    text: str
    rows: list[Row] | None = None
    why_not: str = ""

    @property
    def needs_room(self) -> bool:
        return needs_room(self.text)

    @property
    def as_expression(self) -> str:
        """An event pattern as an expression; "" if it has none, or is none."""
        if not self.text.lstrip().startswith("{"):
            return ""
        try:
            return compile_text(self.text).expression() or ""
        except PatternError:
            return ""


def one_kind_of_break(text: str) -> str:
    """A browser sends line breaks otherwise than it got them: an untouched text stays as it was."""
    return text.replace("\r\n", "\n")


def needs_room(text: str) -> bool:
    return len(text) > _ONE_LINE or "\n" in text or text.lstrip().startswith("{")


def shown_filter(text: str, *, as_rows: bool) -> GivenFilter:
    """A filter as rows if that is wanted and can be."""
    if not as_rows:
        return GivenFilter(text)
    try:
        return GivenFilter(text, rows_of(text) or [Row("")])
    except NoRows as reason:
        return GivenFilter(text, why_not=str(reason))
    except PatternError as error:
        return GivenFilter(text, why_not=f"The text is not understood: {error.reason}.")


def given_filter(data: QueryDict) -> GivenFilter:
    """What a form was sent with, after the button that was pressed (`action`): `rows`, `text`,
    `expression`, `add-row`, or `remove-row:` and its number."""
    action = data.get("action", "")
    if data.get("filter_as") != "rows":
        given = GivenFilter(one_kind_of_break(data.get("query", "")))
        if action == "expression":
            return GivenFilter(given.as_expression or given.text)
        return shown_filter(given.text, as_rows=action == "rows")
    rows = _rows(data)
    verb, _, number = action.partition(":")
    if verb == "remove-row" and number.isdecimal() and int(number) < len(rows):
        del rows[int(number)]
    text = text_of([row for row in rows if row.field or row.value])
    if action == "text":
        return GivenFilter(text)
    if verb == "add-row" or not rows:
        rows.append(Row(""))
    return GivenFilter(text, rows)


def _rows(data: QueryDict) -> list[Row]:
    lists = [data.getlist(name)[:_MOST_ROWS] for name in _PARTS]
    return [
        Row(field.strip(), operator, value.strip(), bool(negated))
        for field, operator, value, negated in zip(*lists, strict=False)
    ]
