"""Writing a field's tests as the values of an expression: expressions/operands.py backwards."""

import json
import re
from collections.abc import Callable, Mapping, Sequence

from streams.rules.expressions.fields import OPERATIONS
from streams.rules.expressions.operands import LITERALS, Asked, contains
from streams.rules.expressions.tokens import CONNECTIVES, is_number
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
from streams.rules.values import Number

# What is surely read as one plain word; anything else goes in quotes.
_plain_word = re.compile(r"[\w#@](?:[\w#@/:+-]|\.(?!\.))*").fullmatch
_plain_wildcard = re.compile(r"(?=.*\*)(?!\*$)[\w#@*](?:[\w#@/:+*-]|\.(?!\.))*").fullmatch
_plain_range = re.compile(r"[0-9a-fA-F.:/]+").fullmatch


class Unspelled(Exception):
    """A form has no such spelling. Raised and caught within the writers."""


def field_text(path: str, tests: Sequence[Test], of: Asked) -> str:
    """A field with its tests, in the shortest spelling. `path` is written already."""
    if len(tests) == 1:
        match tests[0]:
            case Exists(present):
                return f"exists({path})" if present else f"missing({path})"
            case AnythingBut(inner):
                return f"{path}!={_excluded(inner, of)}"
            case Numeric(low, _, high, _) if low is None or high is None:
                return path + test_text(tests[0], of)
            case Ordered():
                return path + test_text(tests[0], of)
    for sign, text_of in _SIGNS.items():
        texts = [text_of(test) for test in tests]
        if tests and None not in texts:
            return f"{path}{sign}{','.join(_text(text or '') for text in texts)}"
    return f"{path}:{values_text(tests, of)}"


def values_text(tests: Sequence[Test], of: Asked) -> str:
    """A list of tests, any of which may hold."""
    if not tests:
        raise Unspelled
    written, waiting = [], list(tests)
    while waiting:
        test = waiting.pop(0)
        if of.holds == "any" and waiting and _is_number_or_text(test, waiting[0], of):
            written.append(waiting.pop(0).value)  # type: ignore[attr-defined]
        else:
            written.append(test_text(test, of))
    return ",".join(written)


def test_text(test: Test, of: Asked) -> str:
    """One test as a value in a list."""
    match test:
        case Exact():
            return _exact(test, of)
        case Numeric():
            return _numeric(test, of)
        case Ordered(operator, text):
            return operator + quoted(text)
        case AnythingBut(inner):
            return f"not({_excluded(inner, of)})"
        case Exists(present) if not of.no_absence:
            return "exists()" if present else "missing()"
    return _function(test, of)


def _function(test: Test, of: Asked) -> str:
    """A test of one text."""
    match test:
        case Prefix() | Suffix():
            name = "prefix" if isinstance(test, Prefix) else "suffix"
            return f"{name}{'-nocase' if test.ignore_case else ''}({_text(test.text)})"
        case EqualsIgnoreCase(text):
            return f"nocase({_text(text)})"
        case Wildcard(text):
            plain = _plain_wildcard(text) and of.holds not in ("number", "truth")
            return text if plain else f"wildcard({quoted(text)})"
        case Cidr(text):
            return f"cidr({text if _plain_range(text) else quoted(text)})"
    raise Unspelled


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def needs_plain_values(tests: Sequence[Test], of: Asked) -> bool:
    """True if a field that holds text or the like is tested for what only a path from the top
    (`.table:true`) can say."""
    if of.holds == "any":
        return False
    return any(
        (isinstance(test, Numeric) and of.holds != "number")
        or (isinstance(test, Exact) and of.holds != "truth" and _is_literal(test))
        or (isinstance(test, AnythingBut) and needs_plain_values(test.tests, of))
        for test in tests
    )


def _is_literal(test: Exact) -> bool:
    return test.value is None or isinstance(test.value, bool)


def _exact(test: Exact, of: Asked) -> str:
    value = test.value
    if isinstance(value, str):
        return value if _is_plain(value, of) else quoted(value)
    if isinstance(value, Number):
        if test.exact != of.exact or not is_number(value.text):
            raise Unspelled
        return value.text if of.holds == "number" else f"number({value.text})"
    if of.holds not in ("any", "truth"):
        raise Unspelled
    return next(word for word, literal in LITERALS.items() if literal is value)


def _is_plain(text: str, of: Asked) -> bool:
    if not _plain_word(text) or text in CONNECTIVES or of.holds in ("number", "truth"):
        return False
    if of.holds == "operation":
        return text in OPERATIONS
    if of.holds == "names" and "." in text:
        return False
    return of.holds != "any" or (text not in LITERALS and not is_number(text))


def _text(text: str) -> str:
    """The operand of prefix and the like, where every word is text."""
    return text if _plain_word(text) else quoted(text)


def _is_number_or_text(test: Test, following: Test, of: Asked) -> bool:
    """True for what a bare 42 is: the number 42, or the text."""
    return (
        isinstance(test, Exact)
        and isinstance(test.value, Number)
        and test.exact == of.exact
        and is_number(test.value.text)
        and isinstance(following, Exact)
        and following.value == test.value.text
    )


def _excluded(tests: Sequence[Test], of: Asked) -> str:
    if any(isinstance(test, (AnythingBut, Exists)) for test in tests):
        raise Unspelled
    return values_text(tests, of)


def _numeric(test: Numeric, of: Asked) -> str:
    low, high = test.low, test.high
    if test.exact != of.exact or of.holds not in ("any", "number"):
        raise Unspelled
    if not all(is_number(bound.text) for bound in (low, high) if bound):
        raise Unspelled
    if low and high:
        single = low == high and test.low_included and test.high_included
        if not single and not _below(low, high):
            raise Unspelled
        opening, closing = "" if test.low_included else ">", "" if test.high_included else "<"
        return f"{opening}{low.text}..{closing}{high.text}"
    if low:
        return f"{'>=' if test.low_included else '>'}{low.text}"
    if high:
        return f"{'<=' if test.high_included else '<'}{high.text}"
    raise Unspelled


def _below(low: Number, high: Number) -> bool:
    return low.value is not None and high.value is not None and low.value < high.value


def _contained(test: Test) -> str | None:
    """The text that `~` asks for, None if the test is no such."""
    if not isinstance(test, Wildcard):
        return None
    pieces = wildcard_pieces(test.text)
    is_contains = len(pieces) == 3 and not pieces[0] and not pieces[2] and bool(pieces[1])
    return pieces[1] if is_contains and test == contains(pieces[1]) else None


def _prefix(test: Test) -> str | None:
    return test.text if isinstance(test, Prefix) and not test.ignore_case else None


def _suffix(test: Test) -> str | None:
    return test.text if isinstance(test, Suffix) and not test.ignore_case else None


def _same_letters(test: Test) -> str | None:
    return test.text if isinstance(test, EqualsIgnoreCase) else None


# The operators that take only texts, and the text of a test that one can say.
_SIGNS: Mapping[str, Callable[[Test], str | None]] = {
    "^=": _prefix,
    "$=": _suffix,
    "~": _contained,
    ":~": _same_letters,
}
