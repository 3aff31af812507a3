"""Refusals that EXPRESSIONS.md does not show."""

import pytest

from streams.rules.errors import PatternError
from streams.rules.expressions.compiler import compile_expression


def refused(text: str) -> PatternError:
    with pytest.raises(PatternError) as error:
        compile_expression(text)
    assert error.value.text == text
    return error.value


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("AND new.a:x", 0, "Expected a condition such as new.status:paid, found `AND`"),
        ("new.a:x AND", 11, "found the end"),
        ("new.a:x OR OR new.b:y", 11, "found `OR`"),
        ("()", 1, "found `)`"),
        ("NOT", 3, "found the end"),
        ("new.a:x,,y", 8, "Expected a value, found `,`"),
        ("new.a:x new.b", 13, "behind `new.b`"),
        ("new.:x", 4, "Expected a name behind the dot"),
        ("new..a:x", 4, "Expected a name behind the dot"),
        (":x", 0, "found `:x`"),
        ("new.a::~x", 6, "found the operator `:~`"),
        ("new.a: :~x", 7, "found the operator `:~`"),
        ('new.a:"x" "y"', 13, "Expected an operator"),
        ("and new.a:x", 0, "Write AND in capitals"),
        ("New.a:x", 0, "did you mean `new`"),
        ("Table:x", 0, "did you mean `table`"),
        ("OPERATON:x", 0, "did you mean `operation`"),
        ("dynamobd.NewImage.a.S:x", 0, "did you mean `dynamodb`"),
        ("keys:x", 0, "`keys` is a whole image"),
        ("exists(key)", 7, "Name a field"),
        ("missing(actor)", 8, "Name a field"),
        ("key:missing()", 4, "Every item has its key"),
        ("actor>5", 5, "time to live"),
        ("actor!=ttl", 5, "time to live"),
        ("new.a!=exists()", 7, "only values"),
        ("new.a:number(x)", 13, "Expected a number"),
        ("new.a:number(5,6)", 14, "Expected `)`"),
        ("new.a:exists(x)", 13, "Expected `)`"),
        ("new.a:cidr(10.0.0.1)", 11, "This range"),
        ("new.a:wildcard(a**)", 15, "two stars"),
        ("new.a>1e999999999999999999999", 6, "cannot be compared"),
        ("size>0.1234567890123456789", 5, "cannot be compared"),
        ("new.a:5..x", 9, "Expected a number"),
        ("new.a:1..2..3", 9, "Expected a number"),
        ("new.a:1..<", 10, "Expected a number"),
        ("status: a -> missing()", 13, "A side of `->`"),
        ("status: * -> not(a)", 13, "must be values"),
        ("status: a ->", 12, "Expected a value"),
        ("appeared(.new.a)", 9, "compares old with new"),
        ("changed(a) by 5", 14, "Expected `>`, `>=`, `<` or `<=`"),
        ("changed(a) by >x%", 15, "Expected an amount"),
        ("changed(a", 9, "Expected `)`"),
        ("type(new.a)=S", 11, "Expected `:`"),
        ("type(new.a):S,", 14, "Expected a type"),
        ("length(new.a)", 13, "Expected `:`"),
        ("length(new.a)>-1", 14, "Expected a length"),
        ("foo(new.a)", 0, "No function `foo`"),
        ("exists (new.a)", 7, "Expected an operator"),
        (f"new{'.a' * 100}:x", 0, "at most 100 names"),
        ("-" * 52 + "new.a:x", 51, "at most 50 deep"),
        ("(" * 60, 51, "at most 50 deep"),
        (" OR ".join(["new.a:x"] * 1001), 11_000, "1,000 cases"),
        ("(new.a:x OR new.b:x) " * 10, 0, "1,000 cases"),
        (f"({' OR '.join(['new.a:x'] * 500)}) " + "new.b:x " * 50, 0, "20,000 conditions"),
        ("new.a:" + "x" * 70_000, 65_536, "65,536 characters"),
    ],
)
def test_a_mistake_has_its_place_and_reason(text: str, position: int, reason: str) -> None:
    error = refused(text)
    assert (error.position, reason in error.reason) == (position, True), error.reason
