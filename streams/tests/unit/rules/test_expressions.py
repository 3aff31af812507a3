"""What expressions compile to. EXPRESSIONS.md has more examples, tested beside this."""

from typing import Any

import pytest

from streams.rules.deciding.conditions import AnyKey, Differs
from streams.rules.expressions.compiler import compile_expression
from streams.rules.expressions.suggest import FilterWarning
from streams.rules.filter_form import Clause, Field, Form
from streams.rules.operators import AnythingBut, Exact, Exists, Numeric
from streams.rules.values import Number

# The example of the search page, in full.
WHOLE = (
    "table:orders op:MODIFY,REMOVE changed:status old.status:pending new.status:paid new.total>100"
    ' -new.country:DE (new.note:"refund" OR new.tags:vip)'
)


def form(text: str) -> Form:
    return compile_expression(text).form


def fields(text: str) -> list[list[str]]:
    """The paths of each clause's fields."""
    return [[field.path for field in clause.fields] for clause in form(text)]


def operators_of(text: str) -> tuple[Any, ...]:
    """The tests of the only field."""
    ((clause,), (field,)) = (form(text), form(text)[0].fields)
    assert clause == Clause((field,))
    return field.tests


def test_conditions_side_by_side_are_one_clause() -> None:
    compiled = compile_expression(WHOLE)
    common = ["table", "operation", "changed", "old.status", "new.status", "new.total"]
    assert fields(WHOLE) == [[*common, "new.note"], [*common, "new.tags"]]
    country = (Clause((Field("new.country", (Exact("DE"),)),)),)
    assert [clause.excluded for clause in compiled.form] == [(country,), (country,)]
    assert compiled.kind == "expression"
    assert compiled.text == WHOLE


def test_and_is_every_combination_in_the_order_of_the_text() -> None:
    text = "(new.a:x OR new.b:x) new.c:x (new.d:x OR new.e:x)"
    assert fields(text) == [
        ["new.a", "new.c", "new.d"],
        ["new.a", "new.c", "new.e"],
        ["new.b", "new.c", "new.d"],
        ["new.b", "new.c", "new.e"],
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("new.a:x new.b:y", "new.a:x AND new.b:y"),
        ("new.a:x new.b:y", "  (new.a : x)\n(new.b:\ty) "),
        ("-new.a:x", "NOT new.a:x"),
        ("-new.a:x", "- new.a:x"),
        ("new.a:x,y", "new.a:x , y"),
        ("new.a>5", "new.a > 5"),
        ("new.a>5", "new.a:>5"),
        ("new.a!=x", "new.a:not(x)"),
        ("new.a:1..1", "new.a : 1..1"),
        ("new.a^=x", "new.a:prefix(x)"),
        ("new.a~x", "new.a:*x*"),
        (r"new.a:\*\\", r'new.a:"*\\"'),
        ('new.a:"\\u00e9\\n"', 'new.a:"é\n"'),
        ("op:insert", "operation:INSERT"),
        ("actor:ttl", "ttl:true"),
        ("status:a->b", "old.status:a new.status:b"),
        ("status: a -> *", "old.status:a new.status!=a"),
        ("status: * -> a,b", "old.status!=a,b new.status:a,b"),
        ("changed(status)", "changed:status"),
        ('"status":x', "status:x"),
        ('new."status":x', "new.status:x"),
        ('new."a.b":x', "new.a.b:x"),
        (".new.a:x", "new.a:x"),
        (".operation:x", 'operation:"x"'),
        ("exists(new.a)", "new.a:exists()"),
        ("size:5", "size:number(5)"),
        ("table:42", 'table:"42"'),
        ("changed:true", 'changed:"true"'),
        ("status:x", "new.status:x OR old.status:x OR keys.status:x"),
        ("missing(a)", "missing(new.a) missing(old.a) missing(keys.a)"),
        ("exists(a)", "exists(new.a) OR exists(old.a) OR exists(keys.a)"),
        ("length(a)>5", "length(new.a)>5 OR length(old.a)>5 OR length(keys.a)>5"),
        ("changed(a) by:5", "changed(a) new.by:5 OR changed(a) old.by:5 OR changed(a) keys.by:5"),
    ],
)
def test_two_spellings_of_the_same(one: str, other: str) -> None:
    assert form(one) == form(other)


def test_numbers_are_exact_below_images_only() -> None:
    assert operators_of("new.total>0.10") == (Numeric(Number("0.10"), False, None, False, True),)
    assert operators_of("size>0.10") == (Numeric(Number("0.10"), False, None, False, False),)
    assert operators_of(".detail.n:7") == (Exact(Number("7")), Exact("7"))
    assert operators_of("old.n:7") == (Exact(Number("7"), exact=True), Exact("7"))


def test_a_bare_word_that_is_nearly_a_number_is_text() -> None:
    words = "007,+5,1_000,.5,5.,0x10,1e,--5,١"
    assert operators_of(f"new.a:{words}") == tuple(map(Exact, words.split(",")))


@pytest.mark.parametrize(
    "word", ["arn:aws:s3:::b", "2027-01-15T08:00:00Z", "a=b", "x/y", "-", "$1"]
)
def test_signs_within_a_word_need_no_quotes(word: str) -> None:
    assert operators_of(f"new.a:{word}") == (Exact(word),)


def test_each_operator_has_a_value_of_its_own() -> None:
    text = "new.a:missing(),not(x,5..6),exists()"
    inner = (Exact("x"), Numeric(Number("5"), True, Number("6"), True, True))
    assert operators_of(text) == (Exists(False), AnythingBut(inner), Exists(True))


def test_any_value_of_the_key() -> None:
    (clause,) = form('key:"ORD#1",7')
    tests = (Exact("ORD#1"), Exact(Number("7"), exact=True), Exact("7"))
    assert clause == Clause(conditions=(AnyKey(tests),))


def test_a_nested_path_that_changed_is_a_condition() -> None:
    assert form("changed(address.city)") == (Clause(conditions=(Differs("address.city"),)),)


def test_not_excludes_all_it_holds() -> None:
    (clause,) = form("-(new.a:x OR new.b:y)")
    assert clause == Clause(excluded=(form("new.a:x OR new.b:y"),))
    assert form("NOT -new.a:x") == (Clause(excluded=(form("-new.a:x"),)),)


def test_the_most_cases_are_1000() -> None:
    ors = " OR ".join(["new.a:x"] * 1_000)
    assert len(form(ors)) == 1_000
    assert len(form("a:x " * 6)) == 3**6


def test_an_attribute_never_seen_is_a_warning() -> None:
    known = {"status", "address.city", "lines"}
    text = "new.statsu:x status:y new.address:z lines.qty>1 adress.city:Brno table:orders"
    assert compile_expression(text, known).warnings == (
        FilterWarning(0, "No attribute `statsu` was seen so far. Did you mean `status`?", "status"),
        FilterWarning(
            48,
            "No attribute `adress.city` was seen so far. Did you mean `address.city`?",
            "address.city",
        ),
    )
    assert compile_expression(text).warnings == ()


def test_a_transition_warns_once() -> None:
    (warning,) = compile_expression("statsu: a -> b", {"status"}).warnings
    assert warning.position == 0


def test_an_attribute_that_was_seen_may_be_near_a_known_word() -> None:
    assert compile_expression("tabel:x", {"tabel"}).warnings == ()
    assert fields("new.tabel:x") == [["new.tabel"]]
    assert fields('"tabel":x') == [["new.tabel"], ["old.tabel"], ["keys.tabel"]]
