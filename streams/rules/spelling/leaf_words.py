"""A field's tests in words: "is one of a, b", "begins with ORD#", "is above 100"."""

import re
from collections.abc import Sequence

from streams.rules.expressions.operands import LITERALS, contains
from streams.rules.expressions.tokens import is_number
from streams.rules.filter_form import Test
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
    wildcard_pieces,
)
from streams.rules.spelling.value_text import quoted
from streams.rules.values import Leaf, Number

_clear = re.compile(r"[\w#@][\w#@/.:+-]*").fullmatch
# Words of the sentences themselves.
_UNCLEAR = {*LITERALS, "or", "and", "either", "unless", "one", "anything", "another"}
_ORDERED = {
    ">": "sorts after {}",
    ">=": "is {0} or sorts after it",
    "<": "sorts before {}",
    "<=": "is {0} or sorts before it",
}


def exact_texts(tests: Sequence[Test]) -> list[str] | None:
    """The texts, if the tests are nothing but exact texts."""
    texts = [t.value for t in tests if isinstance(t, Exact) and isinstance(t.value, str)]
    return texts if texts and len(texts) == len(tests) else None


def words(leaf: Leaf) -> str:
    """A value as it is read: a text that could be taken for something else is in quotes."""
    if isinstance(leaf, Number):
        return leaf.text
    if not isinstance(leaf, str):
        return next(word for word, literal in LITERALS.items() if literal is leaf)
    clear = _clear(leaf) and leaf not in _UNCLEAR and not is_number(leaf)
    return leaf if clear else quoted(leaf)


def tests_words(tests: Sequence[Test]) -> str:
    """A verb and what follows it, true of a leaf that passes one of the tests."""
    if not tests:
        return "has a value that does not exist"
    values = [words(test.value) for test in tests if isinstance(test, Exact)]
    said = [_test_words(test) for test in tests if not isinstance(test, Exact)]
    if values:
        said.insert(0, f"is one of {', '.join(values)}" if values[1:] else f"is {values[0]}")
    return said[0] if len(said) == 1 else f"either {' or '.join(said)}"


def _test_words(test: Test) -> str:
    match test:
        case Numeric():
            return _numeric(test)
        case Ordered(operator, text):
            return _ORDERED[operator].format(quoted(text))
        case AnythingBut(tests):
            return _anything_but(tests)
        case Exists(present):
            return "exists" if present else "is missing"
        case Cidr(text):
            return f"is an address in {text}"
    return _text_words(test)


def _text_words(test: Test) -> str:
    match test:
        case Prefix() | Suffix():
            verb = "begins" if isinstance(test, Prefix) else "ends"
            return f"{verb} with {words(test.text)}{' in any case' * test.ignore_case}"
        case EqualsIgnoreCase(text):
            return f"is {words(text)} in any case"
        case Wildcard(text):
            pieces = wildcard_pieces(text)
            if len(pieces) == 3 and contains(pieces[1]) == test:
                return f"contains {words(pieces[1])}"
            return f"has the form {quoted(text)}"
    raise TypeError(f"no words for {type(test).__name__}")


def _anything_but(tests: Sequence[Test]) -> str:
    values = [words(test.value) for test in tests if isinstance(test, Exact)]
    if len(values) == len(tests):
        return f"is anything but {' or '.join(values)}"
    return f"has a value other than one that {tests_words(tests)}"


def _numeric(test: Numeric) -> str:
    low, high = test.low, test.high
    if low and low == high:
        return f"equals {low.text}"
    bounds = []
    if low:
        bounds.append(f"{'at least' if test.low_included else 'above'} {low.text}")
    if high:
        bounds.append(f"{'at most' if test.high_included else 'below'} {high.text}")
    return f"is {' and '.join(bounds)}" if bounds else "is a number"
