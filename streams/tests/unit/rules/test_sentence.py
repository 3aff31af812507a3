"""Filters in words."""

import pytest

from streams.rules.expressions.compiler import compile_expression
from streams.rules.filter_form import Clause, Field
from streams.rules.spelling.sentence import sentence_of


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        (
            "table:orders op:MODIFY status: pending -> paid new.total>100",
            "in table orders, on MODIFY, status changes from pending to paid and"
            " new.total is above 100",
        ),
        ("table:orders", "in table orders"),
        ("table:a,b op:INSERT,REMOVE", "in table a or b, on INSERT or REMOVE"),
        ("table^=prod-", "table begins with prod-"),
        ("stream:main region:eu-west-1", "in stream main, in region eu-west-1"),
        ("actor:ttl", "DynamoDB's time to live deleted it"),
        ("changed:status", "status changed"),
        ("changed:status,total", "one of status, total changed"),
        ("changed(a.b)", "a.b changed"),
        ("status: a,b -> *", "status changes from a or b to another value"),
        ("status: * -> a", "status changes from another value to a"),
        # The same value may be on both sides, so it may not have changed.
        ("status: a,b -> b,c", "old.status is one of a, b and new.status is one of b, c"),
        ("new.a:x,42", 'new.a is one of x, 42, "42"'),
        ('new.a:"true",true,null', 'new.a is one of "true", true, null'),
        ('new.a:"or"', 'new.a is "or"'),
        ("new.a:5..6", "new.a is at least 5 and at most 6"),
        ("new.a:>5..<6", "new.a is above 5 and below 6"),
        ("new.a:5..5", "new.a equals 5"),
        ("new.a<=5", "new.a is at most 5"),
        ('new.a>="x"', 'new.a is "x" or sorts after it'),
        ("new.a:x,prefix(y)", "new.a either is x or begins with y"),
        ("new.a^=x,y", "new.a either begins with x or begins with y"),
        ("new.a~x new.b:~y", "new.a contains x and new.b is y in any case"),
        ("new.a:x*", 'new.a has the form "x*"'),
        ("new.a:suffix-nocase(x)", "new.a ends with x in any case"),
        ("new.a:cidr(10.0.0.0/8)", "new.a is an address in 10.0.0.0/8"),
        ("new.a!=x,y", "new.a is anything but x or y"),
        ("new.a!=prefix(x)", "new.a has a value other than one that begins with x"),
        ("exists(new.a) missing(old.a)", "new.a exists and old.a is missing"),
        ("new.a:x,missing() new.b:y", "new.a either is x or is missing; and new.b is y"),
        ('new."x y":z', 'new."x y" is z'),
        ("status:paid", "status is paid in some image"),
        ("key^=ORD#", "a value of the key begins with ORD#"),
        ("appeared(a) disappeared(b)", "a appears and b disappears"),
        ("changed(a) by >5", "a changes by more than 5"),
        ("changed(a) by <=5%", "a changes by at most 5 %"),
        ("length(new.a):5", "the length of new.a is exactly 5"),
        ("length(a)>5", "the length of a is more than 5 in some image"),
        ("type(new.a):S,N", "new.a is of type S or N"),
        ("table:t -new.a:x", "in table t, unless new.a is x"),
        ("-new.a:x", "every change, unless new.a is x"),
        ("-new.a:x -new.b:y", "every change, unless (new.a is x) or (new.b is y)"),
        ("-(-new.a:x)", "every change, unless (every change, unless new.a is x)"),
        ("-new.a:x OR new.b:y", "either (every change, unless new.a is x) or new.b is y"),
        ("table:a OR table:b new.c:d", "either in table a or (in table b, new.c is d)"),
    ],
)
def test_an_expression_in_words(expression: str, sentence: str) -> None:
    assert compile_expression(expression).sentence() == sentence


def test_what_holds_always_or_never_has_words_too() -> None:
    assert sentence_of(()) == "no change"
    assert sentence_of((Clause(),)) == "every change"
    assert sentence_of((Clause((Field("new.a", ()),)),)) == "new.a has a value that does not exist"
