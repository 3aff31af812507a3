"""What the tabs of a change show: its differences, all its fields, both sides, and the raw JSON.

Each shows so much at first that a page stays small, and all of it when the reader asks for it.
"""

import base64
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from dashboard.feed.preview import visible
from dashboard.views.values import KINDS, Limits, Line, Shown, line, show
from streams.diff import (
    ALIGNED,
    INSIDE,
    SAME,
    Comparison,
    Difference,
    Field,
    Image,
    Typed,
    differences,
    typed,
)
from streams.queries.rows import StoredChange

# Rows shown at once, the same of an item that came or went whole, and rows behind "Show more".
_ROWS, _ROWS_OF_WHOLE_ITEM, _FOLDED = 100, 30, 200
_NODES = 300
# The longest raw JSON that is written into the page.
_RAW = 48 * 1024
# For all of it the browser is the limit: an item may have 100,000 fields.
_ALL = 5_000
_DEEPEST = 12


class Asked(NamedTuple):
    """What the reader asked for: a tab, all values whole, white space shown."""

    tab: str
    full: bool
    spaces: bool

    @property
    def rows(self) -> int:
        return _ALL if self.full else _NODES


class Node(NamedTuple):
    """A line of the tree, in the order of the page: a `leaf`; or what opens a `branch` or a
    `fold` of equal fields, up to its `end`."""

    event: str
    label: str
    note: str = ""
    kind: str = ""
    letter: str = ""
    word: str = ""
    old: Shown | None = None
    new: Shown | None = None
    open: bool = False


class Side(NamedTuple):
    """A row of both sides: how deep it lies, its name, and its value on each side."""

    depth: int
    label: str
    kind: str
    letter: str
    word: str
    old: Shown
    new: Shown


def changed(
    found: Comparison, ignored: Collection[str], asked: Asked, limits: Limits
) -> dict[str, Any]:
    """The rows of "Changed fields": shown, folded, and those of ignored fields."""
    told = differences(field for field in found.fields if field.step not in ignored)
    hushed = list(differences(field for field in found.fields if field.step in ignored))
    rows = _rows(list(told), _ROWS, asked, limits)
    return rows | {"ignored": _lines(hushed[:_FOLDED], limits), "ignored_count": len(hushed)}


def whole(found: Comparison, asked: Asked, limits: Limits, side: str) -> dict[str, Any]:
    """The rows of an item of which only one side, "old" or "new", is there or known."""
    rows = found.differences
    return _rows(rows, _ROWS_OF_WHOLE_ITEM, asked, limits) | {"one_sided": side}


def _rows(rows: Sequence[Difference], first: int, asked: Asked, limits: Limits) -> dict[str, Any]:
    last = _ALL if asked.full else first + _FOLDED
    return {
        "lines": _lines(rows[:first], limits),
        "folded": _lines(rows[first:last], limits),
        "left_out": max(0, len(rows) - last),
        "counts": _counts(rows),
    }


def tree(found: Comparison, asked: Asked, limits: Limits) -> dict[str, Any]:
    """Every field; the equal ones of each branch folded."""
    nodes = _tree(found.fields, limits)
    shown = list(islice(nodes, asked.rows))
    return {"nodes": [*shown, *_ends(shown)], "left_out": next(nodes, None) is not None}


def sides(found: Comparison, asked: Asked, limits: Limits) -> dict[str, Any]:
    """Both images line by line."""
    rows = _sides(found.fields, 0, limits)
    return {
        "sides": list(islice(rows, asked.rows)),
        "left_out": next(rows, None) is not None,
    }


def raw(change: StoredChange, asked: Asked, unreadable: Iterable[str]) -> list[dict[str, Any]]:
    """The JSON exactly as stored; of what cannot be read, its bytes as base64 too."""
    parts = (
        ("Key", "key", change.keys),
        ("Old image", "old", change.old),
        ("New image", "new", change.new),
        ("User identity", "", change.user_identity),
    )
    most = 4_000_000 if asked.full else _RAW // sum(part is not None for *_, part in parts)
    return [
        {
            "name": name,
            "of": of,
            "json": visible(part[:most].decode(errors="ignore"), lines=True),
            "size": len(part),
            "cut": len(part) > most,
            "base64": base64.b64encode(part[:most]).decode() if of in unreadable else "",
        }
        for name, of, part in parts
        if part is not None
    ]


def notices(found: Comparison) -> list[str]:
    """What the reader should know about the comparison itself."""
    said = []
    if found.late:
        said.append(
            "The images are so large that the time to compare them was over: the rest of their "
            "lists is compared index by index, so one element put in front changes all below it."
        )
    elif found.by_index:
        where = ", ".join(visible(path[:80]) for path in found.by_index[:3])
        more = f" and {len(found.by_index) - 3} more" if len(found.by_index) > 3 else ""
        said.append(
            f"Lists that differ in more than {ALIGNED} elements are compared index by index, so "
            f"one element put in front changes all below it: {where}{more}."
        )
    return said


def _lines(rows: Sequence[Difference], limits: Limits) -> list[Line]:
    return [line(difference, limits) for difference in rows]


def _counts(rows: Sequence[Difference]) -> list[tuple[str, str, int]]:
    """(letter, word, how many) of each kind there is."""
    kinds = [difference.kind for difference in rows]
    return [(*KINDS[kind], kinds.count(kind)) for kind in KINDS if kind in kinds]


def _tree(fields: Sequence[Field], limits: Limits) -> Iterator[Node]:
    for field in fields:
        if field.kind == INSIDE:
            yield from _branch(field, limits)
        elif field.kind != SAME:
            yield _leaf(field, limits)
    equal = [field for field in fields if field.kind == SAME]
    if equal:
        yield Node("fold", f"{len(equal):,} unchanged")
        for field in equal:
            yield from _unchanged(_label(field.step), field.new or field.old or {}, limits)
        yield Node("end", "")


def _branch(field: Field, limits: Limits) -> Iterator[Node]:
    differing = sum(inner.kind != SAME for inner in field.inner)
    note = f"{differing:,} of {len(field.inner):,} differ"
    yield Node("branch", _label(field.step), note, open=True)
    yield from _tree(field.inner, limits)
    yield Node("end", "")


def _leaf(field: Field, limits: Limits) -> Node:
    found = line(Difference(field.path, field.kind, field.old, field.new), limits)
    return Node(
        "leaf",
        _label(field.step),
        found.delta,
        field.kind,
        found.letter,
        found.word,
        found.old,
        found.new,
    )


def _unchanged(label: str, value: Typed, limits: Limits) -> Iterator[Node]:
    type_, content = typed(value)
    if type_ not in ("M", "L") or not content:
        yield Node("leaf", label, kind=SAME, new=show(value, limits=limits))
        return
    count = f"{len(content):,} {'fields' if type_ == 'M' else 'elements'}"
    yield Node("branch", label, count)
    for step, member in _members(type_, content):
        yield from _unchanged(_label(step), member, limits)
    yield Node("end", "")


def _members(type_: str, content: Any) -> Iterable[tuple[str | int, Typed]]:
    members: Image = content
    return members.items() if type_ == "M" else enumerate(content)


def _ends(nodes: Sequence[Node]) -> list[Node]:
    """The ends that a tree that was cut still needs."""
    opened = sum(node.event in ("branch", "fold") for node in nodes)
    return [Node("end", "")] * (opened - sum(node.event == "end" for node in nodes))


def _sides(fields: Sequence[Field], depth: int, limits: Limits) -> Iterator[Side]:
    nothing = Shown("", "", "", "text", 0)
    for field in fields:
        label, deep = _label(field.step), min(depth, _DEEPEST)
        letter, word = KINDS[field.kind]
        if field.kind == INSIDE:
            type_ = Shown(typed(field.new or {})[0], "", "", "text", 0)
            yield Side(deep, label, field.kind, letter, word, type_, type_)
            yield from _sides(field.inner, depth + 1, limits)
        elif field.kind == SAME:
            shown = show(field.new, limits=limits)
            old = show(field.old, limits=limits) if field.old != field.new else shown
            yield Side(deep, label, field.kind, letter, word, old, shown)
        else:
            found = line(Difference(field.path, field.kind, field.old, field.new), limits)
            old = nothing if field.old is None and field.kind != "members" else found.old
            new = nothing if field.new is None and field.kind != "members" else found.new
            yield Side(deep, label, field.kind, letter, found.word, old, new)


def _label(step: str | int) -> str:
    return f"[{step}]" if isinstance(step, int) else visible(step[:200]) or '""'
