"""What differs between two images of an item, field by field.

Works on DynamoDB JSON (`{"total": {"N": "12.50"}}`) as it came: numbers are compared exactly, sets
have no order, and nothing is ever turned into a float. Plain Python.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import InvalidOperation
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, NamedTuple

from streams.item_key import canonical_number

# {"S": "text"}, {"M": {"city": {"S": "Brno"}}}…: DynamoDB JSON, one type and its content.
Typed = Mapping[str, Any]
Image = Mapping[str, Typed]

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
RETYPED = "retyped"  # a number became a string
RESPELLED = "respelled"  # the same value, written otherwise: 1.0 and 1
MEMBERS = "members"  # a set lost `old` and got `new`

# Lists up to this length are aligned, so that one element put in front does not change them all;
# aligning costs the square of the length.
_ALIGNED = 200
_SETS = ("SS", "NS", "BS")
_PLAIN_NAME = re.compile(r"[\w-]+\Z")


class Difference(NamedTuple):
    """One place where the images differ. `old` and `new` are typed values, None for missing."""

    path: str
    kind: str
    old: Typed | None
    new: Typed | None


def diff(old: Image | None, new: Image | None) -> list[Difference]:
    """All differences; in the new image's order, with what was removed last."""
    return list(_fields("", old or {}, new or {}))


def typed(value: Typed) -> tuple[str, Any]:
    """A value's type and content: {"N": "7"} gives ("N", "7")."""
    return next(iter(value.items()), ("NULL", True))


def same(old: Typed, new: Typed) -> bool:
    """True if both are the same value, however they are spelled."""
    return _canonical(old) == _canonical(new)


def _fields(path: str, old: Image, new: Image) -> Iterator[Difference]:
    for name, value in new.items():
        yield from _values(_join(path, name), old.get(name), value)
    for name, value in old.items():
        if name not in new:
            yield Difference(_join(path, name), REMOVED, value, None)


def _values(path: str, old: Typed | None, new: Typed | None) -> Iterator[Difference]:
    if old == new:
        return
    if old is None or new is None:
        yield Difference(path, ADDED if old is None else REMOVED, old, new)
        return
    (was, before), (is_, after) = typed(old), typed(new)
    if was != is_:
        yield Difference(path, RETYPED, old, new)
    elif was == "M":
        yield from _fields(path, before, after)
    elif was == "L":
        yield from _lists(path, before, after)
    elif was in _SETS:
        yield from _sets(path, was, before, after)
    else:
        yield Difference(path, RESPELLED if same(old, new) else CHANGED, old, new)


def _lists(path: str, old: Sequence[Typed], new: Sequence[Typed]) -> Iterator[Difference]:
    for first, last, first_new, last_new in _stretches(old, new):
        places = zip_longest(range(first, last), range(first_new, last_new))
        for index, index_new in places:
            yield from _values(
                f"{path}[{index if index_new is None else index_new}]",
                None if index is None else old[index],
                None if index_new is None else new[index_new],
            )


def _stretches(old: Sequence[Typed], new: Sequence[Typed]) -> Iterator[tuple[int, int, int, int]]:
    """The stretches of two lists that belong together, equal ones included: those may still be
    spelled otherwise."""
    if max(len(old), len(new)) > _ALIGNED:
        yield 0, len(old), 0, len(new)
        return
    matcher = SequenceMatcher(
        None, [_canonical(value) for value in old], [_canonical(value) for value in new], False
    )
    for _, first, last, first_new, last_new in matcher.get_opcodes():
        yield first, last, first_new, last_new


def _sets(path: str, type_: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Difference]:
    before = {_member(type_, text): text for text in old}
    after = {_member(type_, text): text for text in new}
    lost = [text for member, text in before.items() if member not in after]
    got = [text for member, text in after.items() if member not in before]
    if lost or got:
        removed = {type_: lost} if lost else None
        yield Difference(path, MEMBERS, removed, {type_: got} if got else None)
    elif sorted(old) != sorted(new):
        yield Difference(path, RESPELLED, {type_: old}, {type_: new})


def _canonical(value: Typed) -> str:
    """A text that is the same for the same value."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Typed) -> Any:
    type_, content = typed(value)
    if type_ == "M":
        return [type_, {name: _plain(member) for name, member in content.items()}]
    if type_ == "L":
        return [type_, [_plain(member) for member in content]]
    if type_ in _SETS:
        return [type_, sorted(_member(type_, text) for text in content)]
    return [type_, _number(content) if type_ == "N" else content]


def _member(type_: str, text: str) -> str:
    return _number(text) if type_ == "NS" else text


def _number(text: str) -> str:
    try:
        return canonical_number(text)
    except InvalidOperation:  # not a number DynamoDB can hold: then its spelling is its value
        return text


def _join(path: str, name: str) -> str:
    """`address.city`; a name that could be misread is quoted: `address["a.b"]`."""
    if _PLAIN_NAME.fullmatch(name):
        return f"{path}.{name}" if path else name
    return f"{path}[{json.dumps(name, ensure_ascii=False)}]"
