"""What differs between two images of an item, field by field.

Works on DynamoDB JSON (`{"total": {"N": "12.50"}}`) as it came: numbers are compared exactly, sets
have no order, and nothing is ever turned into a float. Plain Python.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import InvalidOperation
from time import monotonic
from typing import Any, NamedTuple

from streams.diff_align import Pairs, align, closest, common
from streams.item_key import canonical_number

# {"S": "text"}, {"M": {"city": {"S": "Brno"}}}…: DynamoDB JSON, one type and its content.
Typed = Mapping[str, Any]
Image = Mapping[str, Typed]
# An attribute's name, or an element's index.
Step = str | int

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
RETYPED = "retyped"  # a number became a string
RESPELLED = "respelled"  # the same value, written otherwise: 1.0 and 1
MEMBERS = "members"  # a set lost `old` and got `new`
SAME = "same"
INSIDE = "inside"  # a map or list in both images, with differences in it

# Lists up to this length are aligned, so that one element put in front does not change them all;
# aligning costs the square of the length.
ALIGNED = 200
# More edits than two such lists can need.
_ALL = 2 * ALIGNED
# Maps of so many possible pairs are compared, and are the same one if half of their fields are.
_MOST_ALIKE, _HALF = 2_500, 0.5
_SETS = ("SS", "NS", "BS")
_PLAIN_NAME = re.compile(r"[\w-]+\Z")
# Lone surrogates have no UTF-8, and marks that turn the writing direction could hide where a path
# leads: both are escaped in it.
_HIDDEN = re.compile("[\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Difference(NamedTuple):
    """One place where the images differ. `old` and `new` are typed values, None for missing."""

    path: str
    kind: str
    old: Typed | None
    new: Typed | None


class Field(NamedTuple):
    """One place of either image: a difference, SAME, or INSIDE with what lies in it.

    `step` is its name or index (the old one for what was removed). Of a set that has other members
    `old` and `new` are only the members it lost and got.
    """

    step: Step
    path: str
    kind: str
    old: Typed | None
    new: Typed | None
    inner: list["Field"]


class Comparison(NamedTuple):
    """Every field of both images, in the new image's order, with what was removed last.

    `by_index` are the paths of lists that were compared element by element at the same index:
    they are long, or the time was over (`late`).
    """

    fields: list[Field]
    by_index: list[str]
    late: bool

    @property
    def differences(self) -> list[Difference]:
        return list(differences(self.fields))


def diff(old: Image | None, new: Image | None) -> list[Difference]:
    """All differences; in the new image's order, with what was removed last."""
    return compare(old, new).differences


def compare(old: Image | None, new: Image | None, seconds: float = 1e9) -> Comparison:
    """Both images side by side. After so many seconds lists are no longer aligned, which leaves
    work in proportion to the images' size."""
    walk = _Walk(monotonic() + seconds)
    return Comparison(walk.fields("", old or {}, new or {}), walk.by_index, walk.late)


def differences(fields: Iterable[Field]) -> Iterator[Difference]:
    """The differences at and below these fields."""
    for field in fields:
        if field.kind == INSIDE:
            yield from differences(field.inner)
        elif field.kind != SAME:
            yield Difference(field.path, field.kind, field.old, field.new)


def typed(value: Typed) -> tuple[str, Any]:
    """A value's type and content: {"N": "7"} gives ("N", "7")."""
    return next(iter(value.items()), ("NULL", True))


def same(old: Typed, new: Typed) -> bool:
    """True if both are the same value, however they are spelled."""
    return _canonical(old) == _canonical(new)


class _Walk:
    """One comparison on its way through both images."""

    def __init__(self, until: float) -> None:
        self._until = until
        self.by_index: list[str] = []
        self.late = False

    def fields(self, path: str, old: Image, new: Image) -> list[Field]:
        names = [*new, *(name for name in old if name not in new)]
        return [self._field(path, name, old.get(name), new.get(name)) for name in names]

    def _field(self, path: str, step: Step, old: Typed | None, new: Typed | None) -> Field:
        path = join_path(path, step)
        if old is None or new is None:
            kind = ADDED if old is None else REMOVED
            return Field(step, path, kind, old, new, [])
        if old == new:
            return Field(step, path, SAME, old, new, [])
        (was, before), (is_, after) = typed(old), typed(new)
        if was != is_:
            return Field(step, path, RETYPED, old, new, [])
        if was in ("M", "L"):
            inner = (self.fields if was == "M" else self._elements)(path, before, after)
            kind = SAME if all(field.kind == SAME for field in inner) else INSIDE
            return Field(step, path, kind, old, new, inner if kind == INSIDE else [])
        if was in _SETS:
            return Field(step, path, *_sets(was, before, after), [])
        return Field(step, path, RESPELLED if same(old, new) else CHANGED, old, new, [])

    def _elements(self, path: str, old: Sequence[Typed], new: Sequence[Typed]) -> list[Field]:
        return [
            self._field(
                path,
                step,
                None if index is None else old[index],
                None if index_new is None else new[index_new],
            )
            for step, index, index_new in _places(self._pairs(path, old, new), len(old), len(new))
        ]

    def _pairs(self, path: str, old: Sequence[Typed], new: Sequence[Typed]) -> Pairs:
        """The places of elements with the same value; the equal ones at both ends cost nothing."""
        front = common(old, new)
        back = common(old[front:][::-1], new[front:][::-1])
        rest, rest_new = old[front : len(old) - back], new[front : len(new) - back]
        inner: Pairs = []
        if rest and rest_new:
            inner = self._inner(path, rest, rest_new)
        return [
            *((place, place) for place in range(front)),
            *((first + front, second + front) for first, second in inner),
            *((len(old) - place, len(new) - place) for place in range(back, 0, -1)),
        ]

    def _inner(self, path: str, old: Sequence[Typed], new: Sequence[Typed]) -> Pairs:
        if max(len(old), len(new)) > ALIGNED or self._is_late():
            self.by_index.append(path)
            return [(place, place) for place in range(min(len(old), len(new)))]
        spelled, spelled_new = list(map(_canonical, old)), list(map(_canonical, new))
        if spelled > spelled_new:  # so that the way back is the same way
            turned = self._alike(new, old, align(spelled_new, spelled, _ALL))
            return [(first, second) for second, first in turned]
        return self._alike(old, new, align(spelled, spelled_new, _ALL))

    def _alike(self, old: Sequence[Typed], new: Sequence[Typed], same: Pairs | None) -> Pairs:
        """The pairs of the same value, and between them those of maps that have most in common:
        one that was changed is not told as another one that came."""
        pairs: Pairs = []
        at, at_new = 0, 0
        for index, index_new in [*(same or ()), (len(old), len(new))]:
            some, some_new = old[at:index], new[at_new:index_new]
            if 1 < len(some) * len(some_new) <= _MOST_ALIKE and not self._is_late():
                found = closest([[_likeness(one, other) for other in some_new] for one in some])
                pairs += [(at + first, at_new + second) for first, second in found]
            if index < len(old) and index_new < len(new):
                pairs.append((index, index_new))
            at, at_new = index + 1, index_new + 1
        return pairs

    def _is_late(self) -> bool:
        self.late = self.late or monotonic() > self._until
        return self.late


def _places(pairs: Pairs, old: int, new: int) -> Iterator[tuple[int, int | None, int | None]]:
    """Every place of two lists once: its index to show, in the old and in the new one.

    What lies between two pairs belongs together in its order: elements that were changed, and
    then what was put in or taken out.
    """
    at, at_new = 0, 0
    for index, index_new in [*pairs, (old, new)]:
        both = min(index - at, index_new - at_new)
        yield from ((at_new + step, at + step, at_new + step) for step in range(both))
        yield from ((place, place, None) for place in range(at + both, index))
        yield from ((place, None, place) for place in range(at_new + both, index_new))
        if index < old and index_new < new:
            yield index_new, index, index_new
        at, at_new = index + 1, index_new + 1


def _sets(
    type_: str, old: Sequence[str], new: Sequence[str]
) -> tuple[str, Typed | None, Typed | None]:
    before = {_member(type_, text): text for text in old}
    after = {_member(type_, text): text for text in new}
    lost = [text for member, text in before.items() if member not in after]
    got = [text for member, text in after.items() if member not in before]
    if lost or got:
        return MEMBERS, {type_: lost} if lost else None, {type_: got} if got else None
    return SAME if sorted(old) == sorted(new) else RESPELLED, {type_: old}, {type_: new}


def _likeness(old: Typed, new: Typed) -> float:
    """The share of the fields that two maps have in common, 0 below a half."""
    (was, before), (is_, after) = typed(old), typed(new)
    if was != "M" or is_ != "M":
        return 0
    shared = sum(after.get(name) == value for name, value in before.items())
    share = shared / max(len(before), len(after), 1)
    return share if share >= _HALF else 0


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


def differing_names(old: Image, new: Image) -> list[str]:
    """The top-level attributes that are not spelled alike, the new image's first."""
    return [name for name in {**new, **old} if old.get(name) != new.get(name)]


def join_path(path: str, step: Step) -> str:
    """`address.city`, `lines[2]`; a name that could be misread is quoted: `address["a.b"]`."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    if _PLAIN_NAME.fullmatch(step):
        return f"{path}.{step}" if path else step
    quoted = _HIDDEN.sub(_escaped, json.dumps(step, ensure_ascii=False))
    return f"{path}[{quoted}]"


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
