"""The arrays of a pattern: values and match expressions such as {"prefix": "a"}, as operators."""

from collections.abc import Callable
from typing import NoReturn

from streams.rules.addresses import address
from streams.rules.errors import PatternError
from streams.rules.filter_form import Test
from streams.rules.json_text import Key, Node
from streams.rules.operators import (
    AnythingBut,
    Cidr,
    EqualsIgnoreCase,
    Exact,
    Exists,
    Numeric,
    Prefix,
    Suffix,
    Wildcard,
)
from streams.rules.patterns.complexity import MOST_PREFIXES, Complexity
from streams.rules.values import Number

OPERATORS = (
    "anything-but, cidr, equals-ignore-case, exactly, exists, numeric, prefix, suffix, wildcard"
)
# event-ruler keeps these for itself, and for operators that it may have one day.
UNSAID_IN_OR = frozenset(
    [
        *OPERATORS.split(", "),
        *("=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case"),
        *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
        *("ip-address-in-range", "ip-address-not-in-range"),
    ]
)


class MatchExpressions:
    """Reads arrays of one pattern text. Errors name the path and say what was expected."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._complexity = Complexity()
        self._readers: dict[str, Callable[[Node, str, bool], Test]] = {
            "anything-but": self._anything_but,
            "cidr": self._cidr,
            "equals-ignore-case": self._equals_ignore_case,
            "exactly": self._exactly,
            "exists": self._exists,
            "numeric": self._numeric,
            "prefix": self._prefix,
            "suffix": self._suffix,
            "wildcard": self._wildcard,
        }

    def tests(
        self, elements: list[Node], position: int, place: str, exact: bool
    ) -> tuple[Test, ...]:
        """The tests of the array at a place; `exact` if the numbers below it are."""
        if not elements:
            self._fail(f"{place} is an empty array; expected at least one value", position)
        tests = tuple(self._test(element, place, exact) for element in elements)
        self._refuse_complex([found for found in map(_wildcards, elements) if found], place)
        return tests

    def _refuse_complex(self, groups: list[list[Node]], place: str) -> None:
        """The groups are the wildcards of each match expression at the place that has some."""
        texts = [[str(node.value) for node in group] for group in groups]
        found = self._complexity.first_too_complex(texts) if texts else None
        if found is not None:
            self._fail(
                f"From here on the wildcards at {place} are too complex: a value can match more "
                f"than {MOST_PREFIXES} prefixes of them at a time. Use fewer stars, or repeat "
                "fewer characters behind a star",
                groups[found[0]][found[1]].position,
            )

    def _fail(self, reason: str, position: int) -> NoReturn:
        raise PatternError(reason, position, self.text)

    def _test(self, node: Node, place: str, exact: bool) -> Test:
        value = node.value
        if isinstance(value, list):
            self._fail(f"{place} has an array in its array; expected a value", node.position)
        if not isinstance(value, tuple):
            return Exact(value, exact and isinstance(value, Number))
        key, operand = self._only(value, node.position, f"a match expression of {place}")
        reader = self._readers.get(key.name)
        if reader is None:
            self._fail(
                f'"{key.name}" at {place} is no operator; expected one of {OPERATORS}', key.position
            )
        return reader(operand, f'"{key.name}" at {place}', exact)

    def _only(
        self, pairs: tuple[tuple[Key, Node], ...], position: int, what: str
    ) -> tuple[Key, Node]:
        """The one pair of an object."""
        if not pairs:
            self._fail(f"Expected an operator in {what}", position)
        if len(pairs) > 1:
            self._fail(f"Expected exactly one key in {what}", pairs[1][0].position)
        return pairs[0]

    def _string(self, node: Node, what: str) -> str:
        if not isinstance(node.value, str):
            self._fail(f"{what} takes a string", node.position)
        return node.value

    def _exactly(self, node: Node, what: str, exact: bool) -> Test:
        """As written, letter by letter: an IP address in another spelling does not match."""
        text = self._string(node, what)
        if address(text) is None:
            return Exact(text)
        return Wildcard(text)

    def _equals_ignore_case(self, node: Node, what: str, exact: bool) -> Test:
        return EqualsIgnoreCase(self._string(node, what))

    def _prefix(self, node: Node, what: str, exact: bool) -> Test:
        text, ignore_case = self._end(node, what)
        return Prefix(text, ignore_case)

    def _suffix(self, node: Node, what: str, exact: bool) -> Test:
        text, ignore_case = self._end(node, what)
        return Suffix(text, ignore_case)

    def _end(self, node: Node, what: str) -> tuple[str, bool]:
        """A string, or {"equals-ignore-case": string}."""
        if not isinstance(node.value, tuple):
            return self._string(node, what), False
        key, operand = self._only(node.value, node.position, what)
        if key.name != "equals-ignore-case":
            self._fail(f"{what} takes a string or equals-ignore-case", key.position)
        return self._string(operand, f"equals-ignore-case under {what}"), True

    def _wildcard(self, node: Node, what: str, exact: bool) -> Test:
        text = self._string(node, what)
        try:
            return Wildcard(text)
        except ValueError as error:
            self._fail(f"{what} {error}", node.position)

    def _cidr(self, node: Node, what: str, exact: bool) -> Test:
        text = self._string(node, what)
        try:
            return Cidr(text)
        except ValueError as error:
            self._fail(f"{what} {error}", node.position)

    def _exists(self, node: Node, what: str, exact: bool) -> Test:
        if not isinstance(node.value, bool):
            self._fail(f"{what} takes true or false", node.position)
        return Exists(node.value)

    def _numeric(self, node: Node, what: str, exact: bool) -> Test:
        parts = node.value
        if not isinstance(parts, list) or len(parts) not in (2, 4):
            self._fail(f'{what} takes an array such as [">", 0, "<=", 5]', node.position)
        operator = self._operator(parts[0], ("=", "<", "<=", ">", ">="), what)
        bound = self._bound(parts[1], what, exact)
        if len(parts) == 2:
            low = bound if operator in ("=", ">", ">=") else None
            high = bound if operator in ("=", "<", "<=") else None
            return Numeric(low, operator in ("=", ">="), high, operator in ("=", "<="), exact)
        if operator not in (">", ">="):
            self._fail(f"Only > or >= begins a range of {what}", parts[0].position)
        other = self._operator(parts[2], ("<", "<="), what)
        top = self._bound(parts[3], what, exact)
        if not _below(bound, top, exact):
            self._fail(f"The bottom of {what} must be below its top", parts[3].position)
        return Numeric(bound, operator == ">=", top, other == "<=", exact)

    def _operator(self, node: Node, known: tuple[str, ...], what: str) -> str:
        if not isinstance(node.value, str) or node.value not in known:
            self._fail(f"{what}: expected one of {' '.join(known)}", node.position)
        return node.value

    def _bound(self, node: Node, what: str, exact: bool) -> Number:
        number = node.value
        if not isinstance(number, Number):
            self._fail(f"{what} takes numbers", node.position)
        if (number.value if exact else number.double) is None:
            self._fail(
                f"{what} cannot compare {number.text[:40]}: no double holds it", node.position
            )
        return number

    def _anything_but(self, node: Node, what: str, exact: bool) -> Test:
        if isinstance(node.value, tuple):
            key, operand = self._only(node.value, node.position, what)
            return self._anything_but_operator(key, operand, what)
        operands = node.value if isinstance(node.value, list) else [node]
        kind = Number if operands and isinstance(operands[0].value, Number) else str
        tests: list[Test] = []
        for operand in operands:
            if not isinstance(operand.value, kind):
                self._fail(f"{what} takes strings only or numbers only", operand.position)
            if kind is Number:
                tests.append(Exact(self._bound(operand, what, exact), exact))
            else:
                tests.append(Exact(operand.value))
        if not tests:
            self._fail(f"{what} has an empty array; expected a value", node.position)
        return AnythingBut(tuple(tests))

    def _anything_but_operator(self, key: Key, operand: Node, what: str) -> Test:
        if key.name not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            self._fail(
                f"{what} takes values, prefix, suffix, equals-ignore-case or wildcard", key.position
            )
        under = f"{key.name} under {what}"
        operands = operand.value if isinstance(operand.value, list) else [operand]
        if not operands:
            self._fail(f"{under} has an empty array; expected a string", operand.position)
        tests = []
        for each in operands:
            text = self._string(each, under)
            if not text and key.name in ("prefix", "suffix"):
                self._fail(f'{under} cannot be "", which every string has', each.position)
            tests.append(self._readers[key.name](each, under, False))
        return AnythingBut(tuple(tests))


def _wildcards(element: Node) -> list[Node]:
    """The wildcards in an element of an array, which has been read without an error."""
    value = element.value
    if isinstance(value, tuple) and value[0][0].name == "anything-but":
        value = value[0][1].value
    if not isinstance(value, tuple) or value[0][0].name != "wildcard":
        return []
    operand = value[0][1]
    return operand.value if isinstance(operand.value, list) else [operand]


def _below(bottom: Number, top: Number, exact: bool) -> bool:
    if exact:
        return bottom.value is not None and top.value is not None and bottom.value < top.value
    return bottom.double is not None and top.double is not None and bottom.double < top.double
