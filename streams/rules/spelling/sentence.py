"""A form in words, for people. Rather long than wrong."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from streams.rules.deciding.conditions import (
    AnyKey,
    Appeared,
    ChangedBy,
    Differs,
    Disappeared,
    Length,
    OfType,
)
from streams.rules.expressions.fields import IMAGES
from streams.rules.expressions.tokens import is_name
from streams.rules.filter_form import Clause, Condition, Field, Form
from streams.rules.operators import AnythingBut, Exact
from streams.rules.spelling.leaf_words import exact_texts, tests_words, words
from streams.rules.spelling.parts import Part, united, with_transitions
from streams.rules.spelling.value_text import quoted

_BY = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}
_LENGTHS = {**_BY, "=": "exactly", "!=": "anything but"}


def sentence_of(form: Form) -> str:
    """The form as a phrase without capital or full stop: "in table orders, on MODIFY, status
    changes from pending to paid and new.total is above 100"."""
    if not form:
        return "no change"
    clauses = united([_parts(clause) for clause in form])
    clauses = [with_transitions(parts, _transition) for parts in clauses]
    if len(clauses) == 1:
        return _joined(clauses[0])
    said = [_joined(parts) for parts in clauses]
    return f"either {' or '.join(map(_apart, said))}"


def _parts(clause: Clause) -> tuple[Part, ...]:
    leads, rest = [], []
    for field in clause.fields:
        if lead := _lead(field):
            leads.append(Part(lead, _LEAD))
        else:
            rest.append(_field(field)._replace(field=field))
    rest += [_condition(condition) for condition in clause.conditions]
    if clause.excluded:
        rest.append(Part(_unless(clause.excluded), _UNLESS))
    return (*leads, *rest)


# What a part is, in the place of an image.
_LEAD, _UNLESS = "lead", "unless"


def _joined(parts: Sequence[Part]) -> str:
    leads = [part.text for part in parts if part.image == _LEAD]
    unless = [part.text for part in parts if part.image == _UNLESS]
    rest = [part.text for part in parts if part.image not in (_LEAD, _UNLESS)]
    between = "; and " if any(" or " in text for text in rest) else " and "
    said = ", ".join([*leads, between.join(rest)] if rest else leads)
    return ", ".join([said or "every change", *unless])


def _lead(field: Field) -> str | None:
    texts = exact_texts(field.tests)
    if texts is None:
        return None
    if field.path == "operation":
        return f"on {' or '.join(map(words, texts))}"
    if field.path in ("table", "stream", "account", "region"):
        return f"in {field.path} {' or '.join(map(words, texts))}"
    return None


def _field(field: Field) -> Part:
    names = exact_texts(field.tests)
    if field.path == "changed" and names:
        several = "one of " if len(names) > 1 else ""
        return Part(f"{several}{', '.join(map(words, names))} changed")
    if field.path == "ttl" and field.tests == (Exact(True),):
        return Part("DynamoDB's time to live deleted it")
    return _of_image(field.path, lambda name: f"{name} {tests_words(field.tests)}")


def _of_image(path: str, say: Callable[[str], str]) -> Part:
    image, dot, attribute = path.partition(".")
    if image not in IMAGES or not dot:
        return Part(say(path_words(path)))
    return Part(say(path_words(path)), image, f"{say(path_words(attribute))} in some image")


def _transition(old: Field, new: Field) -> str | None:
    """Only where no value can be on both sides, so that it surely is a change."""
    name = new.path.removeprefix("new.")
    before, after = exact_texts(old.tests), exact_texts(new.tests)
    if after and old.tests == (AnythingBut(new.tests),):
        sides = f"another value to {_choice(after)}"
    elif before and new.tests == (AnythingBut(old.tests),):
        sides = f"{_choice(before)} to another value"
    elif before and after and not set(before) & set(after):
        sides = f"{_choice(before)} to {_choice(after)}"
    else:
        return None
    return f"{path_words(name)} changes from {sides}"


def _choice(texts: Iterable[str]) -> str:
    return " or ".join(map(words, texts))


def _condition(condition: Condition) -> Part:
    match condition:
        case AnyKey():
            return Part(f"a value of the key {tests_words(condition.tests)}")
        case Length():
            size = f"{_LENGTHS[condition.operator]} {condition.length}"
            return _of_image(condition.path, lambda name: f"the length of {name} is {size}")
        case OfType():
            types = " or ".join(condition.types)
            return _of_image(condition.path, lambda name: f"{name} is of type {types}")
    return Part(_comparison(condition))


def _comparison(condition: Condition) -> str:
    match condition:
        case ChangedBy():
            percent = " %" if condition.percent else ""
            amount = f"{_BY[condition.operator]} {condition.amount.text}{percent}"
            return f"{path_words(condition.path)} changes by {amount}"
        case Differs() | Appeared() | Disappeared():
            return f"{path_words(condition.path)} {_HAPPENS[type(condition)]}"
    raise TypeError(f"no words for {type(condition).__name__}")


_HAPPENS: Mapping[type, str] = {
    Differs: "changed",
    Appeared: "appears",
    Disappeared: "disappears",
}


def _unless(excluded: Sequence[Form]) -> str:
    said = [sentence_of(form) for form in excluded]
    if len(said) == 1 and _UNLESS not in said[0]:
        return f"unless {said[0]}"
    return f"unless {' or '.join(f'({text})' for text in said)}"


def _apart(text: str) -> str:
    """In parentheses, if the text has several parts or a choice of its own."""
    return f"({text})" if any(sign in text for sign in (", ", " and ", " or ")) else text


def path_words(path: str) -> str:
    """A path as it is read, its odd names in quotes."""
    return ".".join(name if is_name(name) else quoted(name) for name in path.split("."))
