"""Text expressions to the common form. EXPRESSIONS.md has the grammar, each rule with examples.

Conditions side by side merge into one clause, OR makes clauses, and NOT an excluded form. AND of
two ORs is every combination, so the size is reckoned before anything is built.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import product

from streams.rules.expressions.limits import DEEPEST_NESTING, MOST_CLAUSES, MOST_PARTS, size
from streams.rules.expressions.paths import Paths
from streams.rules.expressions.terms import Terms
from streams.rules.expressions.tokens import CONNECTIVES, Scanner
from streams.rules.filter import Filter
from streams.rules.filter_form import Clause, Form


def compile_expression(text: str, known: Collection[str] | None = None) -> Filter:
    """An expression, compiled.

    `known` are the paths of attributes that were seen, such as "status" or "address.city"; others
    give a warning in `Filter.warnings`, no error: the attribute may come later.

    PatternError says what is wrong and at which character, counted from 0.
    """
    scanner = Scanner(text)
    paths = Paths(scanner, known)
    form = _Expression(scanner, Terms(scanner, paths)).read()
    return Filter(form, text, "expression", tuple(paths.warnings))


def conditions_of(text: str) -> list[str]:
    """The texts of an expression's conditions that all have to hold, a NOT or parentheses with
    what they belong to. One text, the whole, if OR stands between them. PatternError as above."""
    scanner = Scanner(text)
    return _Expression(scanner, Terms(scanner, Paths(scanner, None))).conditions()


class _Expression:
    """Recursive descent over AND, OR, NOT and parentheses."""

    def __init__(self, scanner: Scanner, terms: Terms) -> None:
        self._scanner = scanner
        self._terms = terms

    def read(self) -> Form:
        form = self._any(0)
        if not self._scanner.at_end():
            self._scanner.expected("a condition, AND, OR or the end")
        return form

    def conditions(self) -> list[str]:
        scanner, found = self._scanner, []
        scanner.skip()
        while True:
            start = scanner.place
            self._one(0)
            found.append(scanner.text[start : scanner.place].strip())
            if not self._goes_on():
                break
        return found if scanner.at_end() else [scanner.text.strip()]

    def _any(self, depth: int) -> Form:
        forms, places = [], []
        while True:
            self._scanner.skip()
            places.append(self._scanner.place)
            forms.append(self._all(depth))
            if not self._scanner.take_word("OR"):
                break
        self._bound(places[-1], sum(map(len, forms)), lambda: sum(map(size, forms)))
        return forms[0] if len(forms) == 1 else tuple(c for form in forms for c in form)

    def _all(self, depth: int) -> Form:
        start, forms = self._scanner.place, [self._one(depth)]
        while self._goes_on():
            forms.append(self._one(depth))
        if len(forms) == 1:
            return forms[0]
        count = 1
        for form in forms:
            count *= len(form)
            self._bound(start, count)
        # Each form's parts are in as many combinations as the others have together.
        self._bound(start, count, lambda: sum(size(f) * (count // len(f)) for f in forms))
        return tuple(_merged(clauses) for clauses in product(*forms))

    def _goes_on(self) -> bool:
        """Passes an AND; False where the conditions that hold together end."""
        self._scanner.skip()
        if self._scanner.take_word("AND"):
            self._scanner.skip()
            return True
        place = self._scanner.place
        if self._scanner.at_end() or self._scanner.at(")") or self._scanner.take_word("OR"):
            self._scanner.place = place
            return False
        return True

    def _one(self, depth: int) -> Form:
        """A condition, something in parentheses, or NOT with one of these."""
        scanner = self._scanner
        if depth > DEEPEST_NESTING:
            scanner.fail(f"Parentheses and NOT nest at most {DEEPEST_NESTING} deep")
        if scanner.take_word("NOT") or scanner.take("-"):
            scanner.skip()
            return (Clause(excluded=(self._one(depth + 1),)),)
        if scanner.take("("):
            form = self._any(depth + 1)
            if not scanner.take(")"):
                scanner.expected("`)`")
            return form
        place = scanner.place
        if scanner.take_word(*CONNECTIVES):
            scanner.place = place
            scanner.expected("a condition such as new.status:paid")
        return self._terms.term()

    def _bound(self, place: int, clauses: int, parts: Callable[[], int] = int) -> None:
        if clauses > MOST_CLAUSES:
            self._scanner.fail(
                f"This combines to more than {MOST_CLAUSES:,} cases: use fewer OR, and write"
                " new.name where a bare name means any image",
                place,
            )
        if parts() > MOST_PARTS:
            self._scanner.fail(f"This combines to more than {MOST_PARTS:,} conditions", place)


def _merged(clauses: Sequence[Clause]) -> Clause:
    return Clause(
        tuple(field for clause in clauses for field in clause.fields),
        tuple(condition for clause in clauses for condition in clause.conditions),
        tuple(form for clause in clauses for form in clause.excluded),
    )
