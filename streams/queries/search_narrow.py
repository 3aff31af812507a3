"""What an index can tell of a filter. Everything here only narrows: rows that it leaves out cannot
match, and those that it leaves in are decided by the filter.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, NamedTuple

from streams.indexing import KEY_CHARACTERS, stored_name, term, too_many
from streams.item_key import canonical, canonical_number, item_id
from streams.rules.addresses import address
from streams.rules.deciding.conditions import AnyKey, Appeared, Differs, Disappeared
from streams.rules.filter_form import Clause, Condition, Field, Test
from streams.rules.operators import Exact, Exists, Numeric, Prefix, Wildcard, wildcard_pieces
from streams.rules.values import Leaf, Number

# The indexes of a leaf, by the ends of their names (partitions.py).
ITEM, KEY, CHANGED, TERMS = "item", "key", "changed", "terms"
_PLAIN, _RECORD = "plain", "record"
# More items, prefixes or terms than these are no narrow question any more.
_MOST_VALUES = 1_000
_RECORD_IMAGE = re.compile(
    r"dynamodb\.(?:OldImage|NewImage)\.([^.]+)\.(S|N|B|BOOL|NULL|SS|NS|BS)\Z", re.DOTALL
)
_PLAIN_IMAGE = re.compile(r"(?:old|new)\.([^.]+)\Z", re.DOTALL)
_MEMBER_TYPES = {"SS": "S", "NS": "N", "BS": "B"}
# A key's text in the index ends where JSON would have to write something else than the character.
_SPECIAL = re.compile('["\\\\\x00-\x1f\ud800-\udfff]')


class Narrow(NamedTuple):
    """Changes that have any of these values in the index `by`; `names` are those of terms."""

    by: str
    values: frozenset[Any]
    names: frozenset[str] = frozenset()

    def joined(self, other: "Narrow") -> "Narrow":
        return Narrow(self.by, self.values | other.values, self.names | other.names)


class KeyFacts(NamedTuple):
    """A stream's key, [[name, type], …]. `always` is True if it was never another one; `former` has
    the names of attributes of keys that it had before."""

    stream_id: int
    schema: Sequence[Sequence[str]]
    always: bool = True
    former: frozenset[str] = frozenset()


def narrowed(clause: Clause, key: KeyFacts) -> tuple[Narrow, ...] | None:
    """What indexes tell of a clause: all of it holds of each match. None if there can be none."""
    fields = [*clause.fields, *_of_any_key(clause.conditions, key)]
    if key.always and key.schema and any(_is_no_key(field, key) for field in fields):
        return None
    items = _items(fields, key)
    if items is not None:
        return (items,)
    found = [narrow for field in fields for narrow in _of_field(field, key)]
    found += [narrow for condition in clause.conditions for narrow in _of_condition(condition)]
    return tuple(narrow for narrow in found if len(narrow.values) <= _MOST_VALUES)


def key_range(beginning: str) -> tuple[str, str | None]:
    """From where to where (not included; None is no end) texts lie that begin like this, by code
    points."""
    for place in range(len(beginning) - 1, -1, -1):
        following = ord(beginning[place]) + 1
        if following == 0xD800:
            following = 0xE000  # between them are surrogates, which are no text
        if following <= 0x10FFFF:
            return beginning, beginning[:place] + chr(following)
    return beginning, None


def _of_field(field: Field, key: KeyFacts) -> Iterator[Narrow]:
    if field.path == "changed":
        values = _values(field.tests)
        if values is not None:
            names = [stored_name(value) for value in values if isinstance(value, str)]
            yield Narrow(CHANGED, frozenset(names))
        return
    if key.schema and _shape(field.path, *key.schema[0]):
        begun = _beginnings(field.tests)
        if begun is not None:
            yield Narrow(KEY, begun)
    found = _attribute(field.path, key)
    if found and found[0] not in key.former:
        name, type_ = found
        terms = _terms(name, type_, field.tests)
        if terms is not None:
            yield Narrow(TERMS, terms, frozenset([name]))


def _of_condition(condition: Condition) -> Iterator[Narrow]:
    if isinstance(condition, Differs | Appeared | Disappeared):
        # What lies at a.b.c is in the attribute a, or in one that is called a.b.
        steps = condition.path.split(".")
        names = [".".join(steps[:length]) for length in range(1, len(steps) + 1)]
        yield Narrow(CHANGED, frozenset(map(stored_name, names)))


# Keys


def _of_any_key(conditions: Iterable[Condition], key: KeyFacts) -> Iterator[Field]:
    """What is asked of any attribute of the key, where it has only one."""
    if key.always and len(key.schema) == 1:
        for condition in conditions:
            if isinstance(condition, AnyKey):
                yield Field(f"keys.{key.schema[0][0]}", condition.tests)


def _items(fields: Sequence[Field], key: KeyFacts) -> Narrow | None:
    """The items of a clause that gives every attribute of the key."""
    if not (key.always and key.schema):
        return None
    choices = [_key_values(fields, name, type_) for name, type_ in key.schema]
    given = [choice for choice in choices if choice is not None]
    if len(given) < len(choices):
        return None
    names = [name for name, _ in key.schema]
    keys = [dict(zip(names, values, strict=True)) for values in product(*given)]
    if len(keys) > _MOST_VALUES:
        return None
    return Narrow(ITEM, frozenset(item_id(key.stream_id, canonical(k)) for k in keys))


def _key_values(fields: Sequence[Field], name: str, type_: str) -> list[dict[str, str]] | None:
    """The typed values that the clause allows a key attribute; None if it does not say."""
    for field in fields:
        shape = _shape(field.path, name, type_)
        values = _values(field.tests) if shape else None
        if values is None:
            continue
        wanted = Number if shape == _PLAIN and type_ == "N" else str
        texts = [v.text if isinstance(v, Number) else v for v in values if isinstance(v, wanted)]
        if type_ != "N" or all(map(_is_decimal, texts)):
            return [{type_: text} for text in texts]
    return None


def _shape(path: str, name: str, type_: str) -> str:
    """_PLAIN or _RECORD if the path is that of a key attribute, in the key or in an image, for an
    image holds its key; "" if it is another one."""
    # A dotted name may be a path inside of another attribute, but a key has nothing inside.
    roots = ["keys"] if "." in name else ["keys", "old", "new"]
    if path in [f"{root}.{name}" for root in roots]:
        return _PLAIN
    roots = ["Keys"] if "." in name else ["Keys", "OldImage", "NewImage"]
    return _RECORD if path in [f"dynamodb.{root}.{name}.{type_}" for root in roots] else ""


def _is_no_key(field: Field, key: KeyFacts) -> bool:
    """True if the field asks for an attribute that the key does not have."""
    if not field.path.startswith(("keys.", "dynamodb.Keys.")):
        return False
    if any(isinstance(test, Exists) and not test.present for test in field.tests):
        return False
    return not any(_shape(field.path, name, type_) for name, type_ in key.schema)


def _beginnings(tests: Sequence[Test]) -> frozenset[str] | None:
    """With what a key's text in the index begins, if one of the tests accepts it."""
    found = set()
    for test in tests:
        whole = isinstance(test, Exact)
        match test:
            case Exact(value=str() as text) if address(text) is None:
                pass
            case Prefix(text=text, ignore_case=False):
                pass
            case Wildcard(text=pattern):
                text = wildcard_pieces(pattern)[0]
            case _:
                return None
        special = _SPECIAL.search(text)
        # What follows the value in JSON is a quote.
        known = text[: special.start()] if special else text + '"' * whole
        if not known:
            return None
        found.add(known[:KEY_CHARACTERS])
    return frozenset(found)


# Attributes


def _attribute(path: str, key: KeyFacts) -> tuple[str, str] | None:
    """The attribute whose terms tell of a path, and the type that the path names ("" for none)."""
    if match := _PLAIN_IMAGE.match(path):
        return match[1], ""
    if match := _RECORD_IMAGE.match(path):
        return match[1], match[2]
    for name, type_ in key.schema:
        if shape := _shape(path, name, type_):
            return name, type_ if shape == _RECORD else ""
    return None


def _terms(name: str, type_: str, tests: Sequence[Test]) -> frozenset[int] | None:
    values = _values(tests)
    if values is None:
        return None
    typed = [typed for value in values for typed in _typed(value, type_)]
    if not all(_is_decimal(value["N"]) for value in typed if "N" in value):
        return None
    return frozenset([too_many(name), *(term(name, value) for value in typed)])


def _typed(value: Leaf, type_: str) -> list[dict[str, Any]]:
    """The DynamoDB values that show themselves as this leaf."""
    if type_:  # in the record's shape, where numbers are text
        fits = isinstance(value, bool if type_ in ("BOOL", "NULL") else str)
        return [{_MEMBER_TYPES.get(type_, type_): value}] if fits else []
    match value:
        case Number():
            return [{"N": value.text}]
        case None:
            return [{"NULL": True}, {"NULL": False}]
        case bool():
            return [{"BOOL": value}]
        case str():
            return [{"S": value}, {"B": value}]


# Tests


def _values(tests: Sequence[Test]) -> list[Leaf] | None:
    """The leaves that the tests accept; None if there are others than these."""
    found: list[Leaf] = []
    for test in tests:
        match test:
            # An address is also found by its other spellings.
            case Exact(value=str() as text) if address(text) is None:
                found.append(text)
            case Exact(value=Number() as number, exact=True) if _is_decimal(number.text):
                found.append(number)
            case Exact(value=bool() | None as value):
                found.append(value)
            case Numeric(
                low=Number() as low, low_included=True, high=high, high_included=True, exact=True
            ) if high is not None and low.value == high.value and _is_decimal(low.text):
                found.append(low)
            case _:
                return None
    return found


def _is_decimal(text: str) -> bool:
    """True if a value has one canonical spelling, so that every spelling of it has one term."""
    try:
        canonical_number(text)
    except ArithmeticError:
        return False
    return True
