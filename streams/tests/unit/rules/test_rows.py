"""Rows over an expression: nothing is lost between them, and what they cannot say is refused."""

import re
from pathlib import Path

import pytest

import streams.rules
from streams.rules import PatternError, compile_expression
from streams.rules.expressions.rows import NoRows, Row, rows_of, text_of

SPECIFICATION = (Path(streams.rules.__file__).parent / "EXPRESSIONS.md").read_text()
EXAMPLES = re.findall(r"```expression\n(.*?)\n```", SPECIFICATION, re.DOTALL)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        ("op:MODIFY", [Row("op", ":", "MODIFY")]),
        ("table:a,b AND new.total > 100", [Row("table", ":", "a,b"), Row("new.total", ">", "100")]),
        ("status: pending -> paid", [Row("status", "->", "pending -> paid")]),
        ("status: * -> paid", [Row("status", "->", "* -> paid")]),
        ("-actor:ttl", [Row("actor", ":", "ttl", negated=True)]),
        ("NOT exists(new.a)", [Row("new.a", "exists", "", negated=True)]),
        ("changed( a.b )", [Row("a.b", "changed")]),
        ("changed(a) by >10%", [Row("a", "changed by", ">10%")]),
        ("length(new.a)>=5", [Row("new.a", "length", ">=5")]),
        ("type(new.a):S,N", [Row("new.a", "type", "S,N")]),
        ('new."unit price":"a b"', [Row('new."unit price"', ":", '"a b"')]),
        (".detail.state:running", [Row(".detail.state", ":", "running")]),
        ("op:MODIFY\nnew.a:1", [Row("op", ":", "MODIFY"), Row("new.a", ":", "1")]),
        ("new.note~x new.v!=1..5", [Row("new.note", "~", "x"), Row("new.v", "!=", "1..5")]),
    ],
)
def test_a_conjunction_has_rows(text: str, rows: list[Row]) -> None:
    assert rows_of(text) == rows
    if text:
        assert compile_expression(text_of(rows)).form == compile_expression(text).form


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_keeps_its_meaning_or_has_no_rows(text: str) -> None:
    try:
        rows = rows_of(text)
    except NoRows:
        return
    written = text_of(rows)
    assert compile_expression(written).form == compile_expression(text).form
    assert rows_of(written) == rows


def test_most_examples_have_rows() -> None:
    with_rows = 0
    for text in EXAMPLES:
        try:
            with_rows += bool(rows_of(text))
        except NoRows:
            continue
    assert with_rows > len(EXAMPLES) / 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("new.a:1 OR new.b:2", "OR"),
        ("new.a:1 OR new.b:2 new.c:3", "OR"),
        ("(new.a:1 OR new.b:2) new.c:3", "parentheses"),
        ("-(new.a:1 new.b:2)", "parentheses"),
        ("NOT -new.a:1", "NOT of a NOT"),
        ('{"eventName": ["REMOVE"]}', "event pattern"),
        ('new.note:"a\nb"', "line break"),
    ],
)
def test_what_rows_cannot_say_is_told(text: str, why: str) -> None:
    with pytest.raises(NoRows, match=why):
        rows_of(text)


def test_what_is_no_expression_stays_an_error() -> None:
    with pytest.raises(PatternError, match="did you mean"):
        rows_of("tabel:orders")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("to be paid", 'new.note:"to be paid"'),
        ("paid OR new.x:1", 'new.note:"paid OR new.x:1"'),
        ("a)", 'new.note:"a)"'),
        ("paid,open", "new.note:paid,open"),
        ('"to be"', 'new.note:"to be"'),
    ],
)
def test_a_value_that_is_more_than_one_goes_in_quotes(value: str, text: str) -> None:
    assert text_of([Row("new.note", ":", value)]) == text
    compile_expression(text)


def test_what_is_wrong_in_a_row_is_told_by_the_compiler() -> None:
    with pytest.raises(PatternError):
        compile_expression(text_of([Row("new.total", ">", "much")]))
