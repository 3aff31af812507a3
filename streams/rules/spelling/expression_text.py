"""Writing a form as an expression: the other way of expressions/compiler.py."""

from streams.rules.deciding.attribute_values import TYPES
from streams.rules.deciding.conditions import (
    AnyKey,
    Appeared,
    ChangedBy,
    Differs,
    Disappeared,
    Length,
    OfType,
)
from streams.rules.expressions.fields import ALONE, IMAGES, PLAIN, RECORD, meant
from streams.rules.expressions.limits import (
    DEEPEST_NESTING,
    LONGEST_EXPRESSION,
    MOST_CLAUSES,
    MOST_PARTS,
    size,
)
from streams.rules.expressions.operands import Asked, asked
from streams.rules.expressions.tokens import CONNECTIVES, is_name, is_number
from streams.rules.filter_form import Clause, Condition, Field, Form, Test
from streams.rules.operators import AnythingBut, Exists
from streams.rules.spelling.parts import Part, united, with_transitions
from streams.rules.spelling.value_text import (
    Unspelled,
    field_text,
    needs_plain_values,
    quoted,
    values_text,
)

_ANY_KEY = Asked("any", exact=True, no_absence="a key is always there")


def expression_of(form: Form) -> str | None:
    """The form as an expression that compiles to the same meaning; numbers keep their spelling.

    None if it has none: a form that holds always or never, is too long or too deep, or has tests
    that no expression compiles to.
    """
    if size(form) > MOST_PARTS:
        return None
    try:
        text = _joined(_clauses(form, 0))
    except Unspelled:
        return None
    return text if len(text) <= LONGEST_EXPRESSION else None


def _clauses(form: Form, depth: int) -> list[tuple[Part, ...]]:
    """The clauses' parts, where so many parentheses are open already."""
    if not form or len(form) > MOST_CLAUSES or depth > DEEPEST_NESTING:
        raise Unspelled
    clauses = united([_all(clause, depth + (len(form) > 1)) for clause in form])
    return [with_transitions(parts, _transition) for parts in clauses]


def _joined(clauses: list[tuple[Part, ...]]) -> str:
    if len(clauses) == 1:
        return " ".join(part.text for part in clauses[0])
    return " OR ".join(
        parts[0].text if len(parts) == 1 else f"({' '.join(part.text for part in parts)})"
        for parts in clauses
    )


def _all(clause: Clause, depth: int) -> tuple[Part, ...]:
    parts = [_field(field) for field in clause.fields]
    parts += [_condition(condition) for condition in clause.conditions]
    parts += [Part(_not(excluded, depth)) for excluded in clause.excluded]
    if not parts:
        raise Unspelled
    return tuple(parts)


def _not(form: Form, depth: int) -> str:
    # Both the minus and the parenthesis count as nesting.
    clauses = _clauses(form, depth + 2)
    text = _joined(clauses)
    single = len(clauses) == 1 and len(clauses[0]) == 1 and not text.startswith("-")
    return f"-{text}" if single else f"-({text})"


def _field(field: Field) -> Part:
    of, path = asked(field.path), path_text(field.path)
    if path.startswith(".") or needs_plain_values(field.tests, of):
        path, of = _from_top(field.path), of._replace(holds="any")
    text = field_text(path, field.tests, of)
    image, dot, attribute = field.path.partition(".")
    asks_absence = any(isinstance(test, Exists) for test in field.tests)
    if image not in IMAGES or not dot or (asks_absence and field.tests != (Exists(True),)):
        return Part(text, field=field)
    bare = field_text(attribute_text(attribute), field.tests, of)
    return Part(text, image, bare, field)


def _transition(old: Field, new: Field) -> str | None:
    """`status: pending -> paid`, for the same attribute in both images."""
    if any(isinstance(test, Exists) for test in (*old.tests, *new.tests)):
        return None
    path, of = attribute_text(new.path.removeprefix("new.")), Asked("any", exact=True)
    before, after = old.tests, new.tests
    if before == (AnythingBut(after),) and _are_values(after):
        return f"{path}: * -> {values_text(after, of)}"
    if after == (AnythingBut(before),) and _are_values(before):
        return f"{path}: {values_text(before, of)} -> *"
    return f"{path}: {values_text(before, of)} -> {values_text(after, of)}"


def _are_values(tests: tuple[Test, ...]) -> bool:
    return not any(isinstance(test, AnythingBut) for test in tests)


def _condition(condition: Condition) -> Part:
    match condition:
        case AnyKey():
            if any(isinstance(test, Exists) for test in condition.tests):
                raise Unspelled
            return Part(field_text("key", condition.tests, _ANY_KEY))
        case Length():
            sign = ":" if condition.operator == "=" else condition.operator
            return _of_one_image("length", condition.path, f"{sign}{condition.length}")
        case OfType() if condition.types and set(condition.types) <= set(TYPES):
            return _of_one_image("type", condition.path, f":{','.join(condition.types)}")
    return Part(_comparison(condition))


def _comparison(condition: Condition) -> str:
    """A condition on what old and new have at one path."""
    match condition:
        case Differs() if "." in condition.path:
            return f"changed({attribute_text(condition.path)})"
        case Appeared():
            return f"appeared({attribute_text(condition.path)})"
        case Disappeared():
            return f"disappeared({attribute_text(condition.path)})"
        case ChangedBy() if is_number(condition.amount.text):
            by = f"{condition.operator}{condition.amount.text}{'%' if condition.percent else ''}"
            return f"changed({attribute_text(condition.path)}) by {by}"
    raise Unspelled


def _of_one_image(function: str, path: str, rest: str) -> Part:
    text, (image, dot, attribute) = f"{function}({path_text(path)}){rest}", path.partition(".")
    if image not in IMAGES or not dot:
        return Part(text)
    return Part(text, image, f"{function}({attribute_text(attribute)}){rest}")


def path_text(path: str) -> str:
    """A path from the top of an event, as an expression says it."""
    root, dot, below = path.partition(".")
    if path in PLAIN:
        return "op" if path == "operation" else path
    if root in RECORD or (root in IMAGES and dot):
        return f"{root}.{_segments(below)}" if dot else root
    return _from_top(path)


def attribute_text(path: str) -> str:
    """An attribute's path without an image, as an expression says it."""
    first, dot, below = path.partition(".")
    known = first in (*ALONE, *IMAGES, *CONNECTIVES) or meant(first, bool(dot), ())
    name = quoted(first) if known else _segments(first)
    return f"{name}.{_segments(below)}" if dot else name


def _from_top(path: str) -> str:
    return f".{_segments(path)}"


def _segments(path: str) -> str:
    return ".".join(name if is_name(name) else quoted(name) for name in path.split("."))
