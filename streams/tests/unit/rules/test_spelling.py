"""Forms written as expressions and as patterns."""

import json
from typing import Any

import pytest

from streams.rules.deciding.conditions import AnyKey, Differs, OfType
from streams.rules.expressions.compiler import compile_expression
from streams.rules.filter_form import Clause, Field, Form
from streams.rules.operators import AnythingBut, Exact, Exists, Numeric, Prefix
from streams.rules.patterns.compiler import compile_pattern
from streams.rules.spelling.spellings import expression_of, pattern_of
from streams.rules.values import Number


@pytest.mark.parametrize(
    ("pattern", "expression"),
    [
        ({"table": ["orders"], "operation": ["MODIFY"]}, "table:orders op:MODIFY"),
        ({"operation": ["modify"]}, 'op:"modify"'),
        ({"account": ["123456789012"]}, "account:123456789012"),
        ({"account": [123456789012]}, "account:number(123456789012)"),
        ({"table": [True]}, ".table:true"),
        ({"table": [{"numeric": [">", 5]}]}, ".table>5"),
        ({"ttl": [True, "x"]}, 'ttl:true,"x"'),
        ({"ttl": [{"numeric": [">", 5]}]}, ".ttl>5"),
        ({"size": [5, {"numeric": [">", 7]}]}, "size:5,>7"),
        ({"size": [None]}, ".size:null"),
        ({"changed": ["status", "a.b"]}, 'changed:status,"a.b"'),
        ({"new": {"a": [42, "42"]}}, "new.a:42"),
        ({"new": {"a": ["42", 42]}}, 'new.a:"42",number(42)'),
        ({"new": {"a": [42.5]}}, "new.a:number(42.5)"),
        ({"new": {"a": ["x", None, False, "null"]}}, 'new.a:x,null,false,"null"'),
        ({"new": {"a": [""]}}, 'new.a:""'),
        ({"new": {"a": [{"prefix": "x"}, {"prefix": "y z"}]}}, 'new.a^=x,"y z"'),
        ({"new": {"a": [{"suffix": "42"}]}}, "new.a$=42"),
        ({"new": {"a": [{"prefix": {"equals-ignore-case": "x"}}]}}, "new.a:prefix-nocase(x)"),
        ({"new": {"a": [{"equals-ignore-case": "x"}]}}, "new.a:~x"),
        ({"new": {"a": [{"wildcard": "*x*"}]}}, "new.a~x"),
        ({"new": {"a": [{"wildcard": "a*b"}]}}, "new.a:a*b"),
        ({"new": {"a": [{"wildcard": "a *"}]}}, 'new.a:wildcard("a *")'),
        ({"new": {"a": [{"wildcard": "*"}]}}, 'new.a:wildcard("*")'),
        ({"new": {"a": [{"wildcard": "a"}]}}, 'new.a:wildcard("a")'),
        ({"new": {"a": [{"wildcard": r"\*\\*"}]}}, r'new.a:wildcard("\\*\\\\*")'),
        ({"new": {"a": [{"exists": True}]}}, "exists(new.a)"),
        ({"new": {"a": [{"exists": False}]}}, "missing(new.a)"),
        ({"new": {"a": ["x", {"exists": False}]}}, "new.a:x,missing()"),
        ({"new": {"a": [{"anything-but": ["x", "y"]}]}}, "new.a!=x,y"),
        ({"new": {"a": [{"anything-but": 5}]}}, "new.a!=number(5)"),
        ({"new": {"a": ["z", {"anything-but": {"suffix": "x"}}]}}, "new.a:z,not(suffix(x))"),
        ({"new": {"a": [{"anything-but": {"wildcard": "x*"}}]}}, "new.a!=x*"),
        ({"new": {"a": [{"numeric": ["=", 5]}]}}, "new.a:5..5"),
        ({"new": {"a": [{"numeric": [">", 0, "<=", 5]}]}}, "new.a:>0..5"),
        ({"new": {"a": [{"numeric": [">=", 0, "<", 5]}]}}, "new.a:0..<5"),
        (
            {"new": {"a": [{"cidr": "10.0.0.0/8"}, {"cidr": "::/0"}]}},
            "new.a:cidr(10.0.0.0/8),cidr(::/0)",
        ),
        ({"new": {"x y": {"": ["a"]}}}, 'new."x y"."":a'),
        ({"new": {"a-": {"[0]": ["a"]}}}, 'new."a-"."[0]":a'),
        ({"old": {"a": ["x"]}, "new": {"a": ["y"]}}, "a: x -> y"),
        ({"old": {"table": ["x"]}, "new": {"table": [{"anything-but": "x"}]}}, '"table": x -> *'),
        ({"new": {"a": ["y"]}, "old": {"a": ["x"]}}, "new.a:y old.a:x"),
        ({"eventName": ["MODIFY"]}, "eventName:MODIFY"),
        ({"dynamodb": {"NewImage": {"n": {"N": ["5"]}}}}, 'dynamodb.NewImage.n.N:"5"'),
        ({"detail": {"state": ["on"]}}, ".detail.state:on"),
        ({"op": ["a"], "key": ["b"], "": ["c"]}, '.op:a .key:b ."":c'),
        ({"new": ["a"]}, ".new:a"),
        ({"table": {"a": ["b"]}}, ".table.a:b"),
        ({"$or": [{"table": ["a"]}, {"size": [1], "ttl": [True]}]}, "table:a OR (size:1 ttl:true)"),
        (
            {"$or": [{"new": {"a": ["x"]}}, {"old": {"a": ["x"]}}, {"keys": {"a": ["x"]}}]},
            "a:x",
        ),
    ],
)
def test_a_pattern_and_the_expression_that_means_it(
    pattern: dict[str, Any], expression: str
) -> None:
    form = compile_pattern(pattern).form
    assert expression_of(form) == expression
    assert compile_expression(expression).form == form
    assert pattern_of(form) == pattern


@pytest.mark.parametrize(
    "expression",
    [
        "key:ORD#1",
        "key!=a",
        "-new.a:x",
        "-(new.a:x new.b:y)",
        "-(-new.a:x)",
        "-(new.a:x OR old.b:y) OR new.c:z",
        "-status:paid",
        "status:paid total>100",
        '"tabel":x "op":y "new".a:z "AND":1',
        "appeared(a.b) disappeared(a) changed(a.b)",
        'appeared("new".a)',
        "changed(total) by >=12.50% changed(a.b) by <1e3",
        "length(new.a):5 length(a)>=2",
        "type(old.a.b):S,NS type(a):N",
        'new.at>="2027-01-15" new.at<"2028"',
        'new.a:5..6,>"x"',
        "new.a!=x,42,true,not-this",
        "status: a,b -> *",
    ],
)
def test_an_expression_that_is_written_as_it_was(expression: str) -> None:
    written = expression_of(compile_expression(expression).form)
    assert written is not None
    assert compile_expression(written).form == compile_expression(expression).form
    assert written == expression


def clause(*tests: Any, path: str = "new.a") -> Form:
    return (Clause((Field(path, tests),)),)


@pytest.mark.parametrize(
    "form",
    [
        (),
        (Clause(),),
        clause(),
        clause(Exists(True), AnythingBut((Exists(True),))),
        clause(AnythingBut((AnythingBut((Exact("x"),)),))),
        clause(Exact(Number("5"))),  # inexact, below an image
        clause(Exact(Number("5"), exact=True), path="a"),
        clause(Exact(Number("NaN"), exact=True)),
        clause(Numeric(Number("5"), True, Number("1"), True, exact=True)),
        clause(Numeric(None, False, None, False, exact=True)),
        (Clause(conditions=(AnyKey((Exists(True),)),)),),
        (Clause(conditions=(Differs("a"),)),),
        (Clause(conditions=(OfType("new.a", ("X",)),)),),
    ],
)
def test_a_form_that_no_expression_compiles_to_has_none(form: Form) -> None:
    assert expression_of(form) is None


def test_a_form_that_is_too_large_for_an_expression_has_none() -> None:
    assert expression_of(clause(Exact("x" * 70_000))) is None
    assert expression_of(clause(Exact("x")) * 1_001) is None
    many = tuple(Field(f"new.a{n}", (Exact("x"),)) for n in range(201))
    assert expression_of((Clause(many),) * 100) is None
    nested: Form = clause(Exact("x"))
    for _ in range(60):
        nested = (Clause(excluded=(nested,)),)
    assert expression_of(nested) is None


@pytest.mark.parametrize(
    "expression",
    [
        "-new.a:x",
        "key:x",
        "appeared(a)",
        "changed(a.b)",
        "new.tags:a new.tags:b",
        'new.a>"x"',
        "new.a!=x,5",
        "new.a!=42",
        "new.a!=true",
        "new.a!=prefix(a),suffix(b)",
        "new.a!=prefix-nocase(a)",
        'new.a!=prefix("")',
        "new.a!=5..6",
        "new.a!=cidr(10.0.0.0/8)",
        "new.prefix:x OR new.b:y",
        'new."$or":x',
        "status: * -> 5",
    ],
)
def test_what_no_pattern_says_has_none(expression: str) -> None:
    assert compile_expression(expression).pattern() is None


def test_operators_are_names_in_a_pattern_without_or() -> None:
    assert compile_expression("new.prefix:x").pattern() == {"new": {"prefix": ["x"]}}


def test_a_path_below_another_is_written_with_joined_names() -> None:
    for text in ("new.a:x new.a.b:y", "new.a.b:y new.a:x", ".new:x new.a.b:y", "new.a.b:y .new:x"):
        form = compile_expression(text).form
        pattern = pattern_of(form)
        assert pattern is not None
        compiled = compile_pattern(pattern).form
        assert set(compiled[0].fields) == set(form[0].fields)


@pytest.mark.parametrize("number", ["42", "42.0", "4.20e1", "0.1", "1E+2", "-0", "1" * 38, "-7"])
def test_numbers_keep_their_spelling(number: str) -> None:
    form = compile_expression(f"new.a:number({number})").form
    pattern = pattern_of(form)
    assert pattern is not None
    assert compile_pattern(pattern).form == form
    (value,) = pattern["new"]["a"]
    if number in ("42", "42.0", "0.1", "-7"):
        assert json.dumps(value) == number
    assert expression_of(form) == f"new.a:number({number})"


def test_clauses_are_an_or() -> None:
    compiled = compile_expression("(table:a OR table:b) new.x^=y")
    assert compiled.pattern() == {
        "$or": [
            {"table": ["a"], "new": {"x": [{"prefix": "y"}]}},
            {"table": ["b"], "new": {"x": [{"prefix": "y"}]}},
        ]
    }
    assert compiled.expression() == "(table:a new.x^=y) OR (table:b new.x^=y)"


def test_a_prefix_test_stays_itself() -> None:
    assert expression_of(clause(Prefix("a*b"))) == 'new.a^="a*b"'
