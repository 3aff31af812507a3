"""Forms and events for property tests: few names and values, so that they meet."""

from typing import Any

from hypothesis import strategies as st

from streams.rules.deciding.conditions import (
    AnyKey,
    Appeared,
    ChangedBy,
    Differs,
    Disappeared,
    Length,
    OfType,
)
from streams.rules.filter_form import Clause, Condition, Field, Form, Test
from streams.rules.operators import (
    AnythingBut,
    Cidr,
    EqualsIgnoreCase,
    Exact,
    Exists,
    Numeric,
    Ordered,
    Prefix,
    Suffix,
    Wildcard,
)
from streams.rules.values import Number

_ODD_TEXTS = [
    *("", "a", "ab", "A", "ORD#1", "AND", "true", "null", "42", "4.20", "1..2", "a b", "a.b", '"'),
    *("\\", "*", "a*b", "->", "-a", "a-", "x(y)", "10.0.0.1", "MODIFY", "ttl", "=", "~", "é😀"),
    *("\ud800", "\n", ">5", ",", ":", "exists()", "by", "%", "new", "2027-01-15T08:00:00Z"),
]
TEXTS = st.one_of(st.sampled_from(_ODD_TEXTS), st.text(max_size=4))
# Numbers that a double holds, as comparisons outside of images need, and others.
_DOUBLES = ["0", "1", "42", "4.20", "1e2", "1E+2", "-5", "0.1", "100"]
_LONG = ["12345678901234567890123456789012345678", "1e125", "1.000", "-0"]
DOUBLES = st.sampled_from(_DOUBLES).map(Number)
NUMBERS = st.sampled_from(_DOUBLES + _LONG).map(Number)
_NAMES = [
    *("a", "b", "status", "table", "tabel", "new", "op", "key", "AND", "x y", "", "a-", "[0]", "é"),
    *("size", "prefix", "by", "ttl", "changed", "$or"),
]
NAMES = st.sampled_from(_NAMES)
ATTRIBUTES = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
IMAGES = st.sampled_from(["new", "old", "keys"])
_PATHS = [
    *("table", "stream", "operation", "ttl", "changed", "size", "eventName", "new", "keys", "key"),
    *("dynamodb.NewImage.a.S", "userIdentity.type", "detail.state", "table.a", "", ".", "a..b"),
]
PATHS = st.one_of(st.tuples(IMAGES, ATTRIBUTES).map(".".join), st.sampled_from(_PATHS), ATTRIBUTES)


def is_exact(path: str) -> bool:
    return path.partition(".")[0] in ("new", "old", "keys")


def _numeric(low: Number, high: Number, ends: int, exact: bool) -> Numeric:
    included = bool(ends & 1), bool(ends & 2)
    if ends < 4 and low.value is not None and high.value is not None and low.value < high.value:
        return Numeric(low, included[0], high, included[1], exact)
    if ends < 6:
        return Numeric(low, included[0], None, False, exact)
    return (
        Numeric(low, True, low, True, exact)
        if ends < 8
        else Numeric(None, False, high, included[1], exact)
    )


def _wildcard(text: str) -> Wildcard:
    escaped = text.replace("\\", "\\\\")
    while "**" in escaped:
        escaped = escaped.replace("**", "*")
    return Wildcard(escaped)


def simple_tests(exact: bool) -> st.SearchStrategy[Test]:
    """Tests that may stand anywhere, also under anything-but."""
    numbers = NUMBERS if exact else DOUBLES
    return st.one_of(
        TEXTS.map(Exact),
        numbers.map(lambda number: Exact(number, exact)),
        st.sampled_from([True, False, None]).map(Exact),
        st.builds(Prefix, TEXTS, st.booleans()),
        st.builds(Suffix, TEXTS, st.booleans()),
        TEXTS.map(EqualsIgnoreCase),
        st.tuples(TEXTS, TEXTS).map(lambda two: _wildcard("*".join(two))),
        st.builds(_numeric, numbers, numbers, st.integers(0, 9), st.just(exact)),
        st.sampled_from(["10.0.0.0/8", "::1/64", "10.0.0.7/30"]).map(Cidr),
        st.builds(Ordered, st.sampled_from([">", ">=", "<", "<="]), TEXTS),
    )


def test_lists(exact: bool) -> st.SearchStrategy[tuple[Test, ...]]:
    simple = simple_tests(exact)
    excluded = st.lists(simple, min_size=1, max_size=3).map(lambda tests: AnythingBut(tuple(tests)))
    tests = st.one_of(simple, simple, excluded, st.booleans().map(Exists))
    return st.lists(tests, min_size=1, max_size=3).map(tuple)


test_lists.__test__ = False  # type: ignore[attr-defined]
FIELDS = PATHS.flatmap(lambda path: st.builds(Field, st.just(path), test_lists(is_exact(path))))
# What patterns have: no Ordered, and no anything-but of several kinds.
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.lists(simple_tests(True), min_size=1, max_size=2).map(lambda tests: AnyKey(tuple(tests))),
    ATTRIBUTES.filter(lambda path: "." in path).map(Differs),
    ATTRIBUTES.map(Appeared),
    ATTRIBUTES.map(Disappeared),
    st.builds(
        ChangedBy,
        ATTRIBUTES,
        st.sampled_from([">", ">=", "<", "<="]),
        NUMBERS.filter(lambda number: number.text[0] != "-"),
        st.booleans(),
    ),
    st.builds(Length, PATHS, st.sampled_from([">", ">=", "<", "<=", "=", "!="]), st.integers(0, 9)),
    st.builds(OfType, PATHS, st.lists(st.sampled_from(["S", "N", "SS"]), min_size=1).map(tuple)),
)


def _forms(excluded: st.SearchStrategy[tuple[Form, ...]]) -> st.SearchStrategy[Form]:
    fields = st.lists(FIELDS, max_size=2).map(tuple)
    conditions = st.lists(CONDITIONS, max_size=1).map(tuple)
    clauses = st.builds(Clause, fields, conditions, excluded).filter(lambda c: c != Clause())
    return st.lists(clauses, min_size=1, max_size=2).map(tuple)


_INNERMOST = _forms(st.just(()))
_INNER = _forms(st.lists(_INNERMOST, max_size=1).map(tuple))
FORMS = _forms(st.lists(_INNER, max_size=1).map(tuple))
# Forms without conditions and exclusions, a path at most once in a clause: what patterns can say.
PLAIN_CLAUSES = st.lists(FIELDS, min_size=1, max_size=3, unique_by=lambda field: field.path).map(
    lambda fields: Clause(tuple(fields))
)
PLAIN_FORMS: st.SearchStrategy[Form] = st.lists(PLAIN_CLAUSES, min_size=1, max_size=3).map(tuple)

LEAVES = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)
IMAGE_VALUES = st.dictionaries(NAMES, VALUES, max_size=4)
EVENTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "table": TEXTS,
        "operation": st.sampled_from(["INSERT", "MODIFY", "REMOVE"]),
        "ttl": st.booleans(),
        "size": DOUBLES,
        "changed": st.lists(NAMES, max_size=3),
        "keys": IMAGE_VALUES,
        "old": IMAGE_VALUES,
        "new": IMAGE_VALUES,
        "detail": VALUES,
        "a": VALUES,
    },
)
