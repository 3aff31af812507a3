"""Reading the values behind an operator: `paid,"open"`, `100..200`, `not(prefix(a))`."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, NoReturn

from streams.rules.expressions.fields import OPERATIONS, TEXT
from streams.rules.expressions.suggest import nearest
from streams.rules.expressions.tokens import Piece, Scanner, is_number
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
from streams.rules.values import Leaf, Number

LITERALS: Mapping[str, Leaf] = {"true": True, "false": False, "null": None}
COMPARISONS = (">=", "<=", ">", "<")
_range = re.compile(r"(-?\d[^.]*(?:\.\d[^.]*)?)\.\.(.*)").fullmatch
_looks_like_operator = re.compile(r"[=~:]|[!^$]=").match


class Asked(NamedTuple):
    """What a field holds, so that a bare word is read rightly."""

    holds: str  # "any", "text", "number", "truth", "operation" or "names"
    exact: bool = False
    # Why absence cannot be asked here with the value missing(), "" if it can.
    no_absence: str = ""
    within_not: bool = False


def asked(path: str) -> Asked:
    """What the field at a path from the top of the event holds."""
    root = path.partition(".")[0]
    if path in ("operation", "eventName"):
        return Asked("operation")
    if path == "changed":
        return Asked("names")
    if path in TEXT:
        return Asked("text")
    kinds = {"size": "number", "ttl": "truth"}
    return Asked(kinds.get(path, "any"), exact=root in ("new", "old", "keys"))


def contains(text: str) -> Wildcard:
    escaped = text.replace("\\", "\\\\").replace("*", "\\*")
    return Wildcard(f"*{escaped}*")


# The functions of one text, by the names they have among values.
TEXT_TESTS: Mapping[str, Callable[[str], Test]] = {
    "prefix": Prefix,
    "suffix": Suffix,
    "contains": contains,
    "wildcard": Wildcard,
    "nocase": EqualsIgnoreCase,
    "prefix-nocase": lambda text: Prefix(text, ignore_case=True),
    "suffix-nocase": lambda text: Suffix(text, ignore_case=True),
    "cidr": Cidr,
}
# The operators of one text, and the function each stands for.
TEXT_OPERATORS = {"^=": "prefix", "$=": "suffix", "~": "contains", ":~": "nocase"}
_FUNCTIONS = (*TEXT_TESTS, "number", "not", "exists", "missing")


class Operands:
    """Reads values for one field."""

    def __init__(self, scanner: Scanner, of: Asked) -> None:
        self._scanner = scanner
        self._of = of

    def values(self) -> tuple[Test, ...]:
        """A list, any of which may hold."""
        tests = list(self._value())
        while self._comma():
            tests += self._value()
        return tuple(tests)

    def texts(self, function: str) -> tuple[Test, ...]:
        """A list of texts, each an operand of the function."""
        tests = [self._text_test(function)]
        while self._comma():
            tests.append(self._text_test(function))
        return tuple(tests)

    def anything_but(self) -> AnythingBut:
        """A list, none of which may hold."""
        within = self._of._replace(no_absence="Here only values can be excluded", within_not=True)
        return AnythingBut(Operands(self._scanner, within).values())

    def comparison(self, sign: str) -> Test:
        """What stands behind `>`, `>=`, `<` or `<=`."""
        self._scanner.skip()
        piece = self._piece("a number, or text in quotes")
        if piece.quoted:
            return Ordered(sign, piece.text)
        if found := _range(piece.text):
            if sign != ">":
                self._scanner.fail("A range begins with `>` or nothing", piece.position)
            return self._range(piece, found, low_included=False)
        number = self._number(piece.text, piece.position)
        included = sign.endswith("=")
        if sign.startswith(">"):
            return Numeric(number, included, None, False, self._of.exact)
        return Numeric(None, False, number, included, self._of.exact)

    def _comma(self) -> bool:
        place = self._scanner.place
        self._scanner.skip()
        if self._scanner.take(","):
            self._scanner.skip()
            return True
        self._scanner.place = place
        return False

    def _value(self) -> tuple[Test, ...]:
        for sign in COMPARISONS:
            if self._scanner.take(sign):
                return (self.comparison(sign),)
        piece = self._piece("a value")
        if piece.quoted:
            return (Exact(piece.text),)
        if self._scanner.take("("):
            return (self._function(piece),)
        if _looks_like_operator(piece.text):
            self._scanner.fail(
                f"Expected a value, found the operator `{piece.text[:2]}`; a text that begins so"
                " goes in quotes",
                piece.position,
            )
        return self._bare(piece)

    def _piece(self, what: str) -> Piece:
        piece = self._scanner.word()
        if piece is None:
            self._scanner.expected(what)
        return piece

    def _function(self, name: Piece) -> Test:
        """What follows `name(`."""
        self._scanner.skip()
        if name.text in TEXT_TESTS:
            test = self._text_test(name.text)
        elif name.text == "number":
            test = self._exact_number()
        elif name.text == "not":
            test = self._not(name.position)
        elif name.text in ("exists", "missing"):
            test = self._exists(name)
        else:
            self._unknown(name)
        self._scanner.skip()
        if not self._scanner.take(")"):
            self._scanner.expected("`)`")
        return test

    def _exact_number(self) -> Test:
        piece = self._piece("a number")
        if piece.quoted or not is_number(piece.text):
            self._scanner.fail("Expected a number", piece.position)
        return Exact(Number(piece.text), self._of.exact)

    def _not(self, position: int) -> Test:
        if self._of.within_not:
            reason = "`not` within `not` or `!=` says nothing: write the values alone"
            self._scanner.fail(reason, position)
        return self.anything_but()

    def _exists(self, name: Piece) -> Test:
        if self._of.no_absence:
            self._scanner.fail(self._of.no_absence, name.position)
        return Exists(name.text == "exists")

    def _unknown(self, name: Piece) -> NoReturn:
        near = nearest(name.text, _FUNCTIONS)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(_FUNCTIONS)}"
        self._scanner.fail(f"No function `{name.text[:40]}` for values; {hint}", name.position)

    def _text_test(self, function: str) -> Test:
        piece = self._piece("text")
        try:
            if piece.quoted or function in ("cidr", "wildcard"):
                return self._make(function, piece.text)
            pieces = wildcard_pieces(piece.text)
        except ValueError as error:
            what = "range" if function == "cidr" else "text"
            self._scanner.fail(f"This {what} {error}", piece.position)
        if len(pieces) > 1:
            self._scanner.fail(
                r"Here `*` is a star like any other: write `\*`, or put the text in quotes",
                piece.position,
            )
        return self._make(function, pieces[0])

    def _make(self, function: str, text: str) -> Test:
        if function == "contains" and not text:
            raise ValueError("is empty, and every text contains that")
        return TEXT_TESTS[function](text)

    def _bare(self, piece: Piece) -> tuple[Test, ...]:
        word, holds = piece.text, self._of.holds
        if holds in ("any", "number", "truth") and word in LITERALS and holds != "number":
            return (Exact(LITERALS[word]),)
        if holds in ("any", "number"):
            if found := _range(word):
                return (self._range(piece, found, low_included=True),)
            if is_number(word):
                number = Exact(Number(word), self._of.exact)
                return (number,) if holds == "number" else (number, Exact(word))
        if holds == "number":
            self._scanner.fail("Expected a number", piece.position)
        if holds == "truth":
            self._scanner.fail("Expected `true` or `false`", piece.position)
        return (self._text(piece),)

    def _text(self, piece: Piece) -> Test:
        try:
            pieces = wildcard_pieces(piece.text)
        except ValueError as error:
            self._scanner.fail(
                f"`{piece.text[:40]}` {error}; or put the text in quotes", piece.position
            )
        if len(pieces) > 1:
            return Wildcard(piece.text)
        text = pieces[0]
        if self._of.holds == "operation":
            return Exact(self._operation(text, piece.position))
        if self._of.holds == "names" and "." in text:
            self._scanner.fail(
                f"`changed:` has only whole attributes: write changed({text[:40]}) for what lies"
                " inside one, or quote a name with a dot",
                piece.position,
            )
        return Exact(text)

    def _operation(self, word: str, position: int) -> str:
        if word.upper() in OPERATIONS:
            return word.upper()
        near = nearest(word, OPERATIONS, most=3)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(OPERATIONS)}"
        self._scanner.fail(f"No operation `{word[:40]}`; {hint}", position)

    def _range(self, piece: Piece, found: re.Match[str], low_included: bool) -> Numeric:
        low = self._number(found[1], piece.position)
        high_text, position = found[2], piece.position + found.start(2)
        high_included = True
        if not high_text and self._scanner.take("<"):
            high_included, position = False, self._scanner.place
            high_text = self._piece("a number").text
        high = self._number(high_text, position)
        if low.text == high.text and low_included and high_included:
            return Numeric(low, True, low, True, self._of.exact)
        if low.value is not None and high.value is not None and low.value >= high.value:
            self._scanner.fail("The range ends where it begins, or before", position)
        return Numeric(low, low_included, high, high_included, self._of.exact)

    def _number(self, text: str, position: int) -> Number:
        """A bound of a comparison."""
        if self._of.holds in ("text", "operation", "names"):
            self._scanner.fail("This field holds text: compare it with text in quotes", position)
        if not is_number(text):
            self._scanner.fail(
                "Expected a number such as 42, -0.5 or 1e6, or text in quotes", position
            )
        number = Number(text)
        if (number.value if self._of.exact else number.double) is None:
            self._scanner.fail(
                "This number cannot be compared exactly: it has too many digits, or too large an"
                " exponent",
                position,
            )
        return number
