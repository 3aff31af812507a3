"""Blame: which change gave each attribute of an item its present value, and how often it changed.

For the top level it is answered from the names that are stored with each change, without reading an
image but the newest. Where a stream does not send both images, and inside maps and lists, the
versions' images are compared.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from streams.change import OPERATION_NAME, REMOVE
from streams.diff import Typed
from streams.field_path import Step, inside, spell_path, value_at
from streams.indexing import stored_name
from streams.models import Gap, Stream
from streams.queries.change import gaps_of, images
from streams.queries.field_steps import LOOK_AT, alike, decoded, field_steps
from streams.queries.rows import StoredChange, fetch_versions, versions_next_to

# So many pages of images are compared at most (queries/field_steps.py says how many each has).
_PAGES = 4


class Giver(NamedTuple):
    """The change that gave a value."""

    id: str
    operation: str
    occurred_at: datetime


class Blamed(NamedTuple):
    """An attribute, or what is inside one: its path and present value, the change that gave it
    (None if that is longer ago than was looked at or recorded), how many changes gave it another
    value, and the gaps since in which it may have been changed as well."""

    path: str
    value: Typed
    giver: Giver | None
    times: int
    gaps: list[Gap]


class Blame(NamedTuple):
    """`newest` is the last stored change; for a deleted item the attributes are those it had last.

    `known` is False if no image of the newest state is stored. `compared` tells images from the
    index; `looked_at` counts the versions, `whole` if those are all.
    """

    newest: StoredChange | None
    known: bool
    attributes: list[Blamed]
    compared: bool
    looked_at: int
    whole: bool

    @property
    def deleted(self) -> bool:
        return self.newest is not None and self.newest.operation == REMOVE


class _Group(NamedTuple):
    """Versions with the same operation and changed names: how many, and where the last one is."""

    operation: str
    changed: list[str] | None
    number: int
    last: tuple[int, str]


class _Seen:
    """What is found of one name while going from the newest version to the oldest."""

    def __init__(self) -> None:
        self.giver: Giver | None = None
        self.times = 0


def blame(stream: Stream, item: UUID, path: Sequence[Step] = ()) -> Blame:
    """Of the item's top-level attributes, the key's left out, or of what is inside a field."""
    found = fetch_versions(stream.pk, item, None, 1)
    if not found:
        return Blame(None, False, [], False, 0, True)
    newest = found[0]
    seen = images(newest)
    image = decoded(seen.old if newest.operation == REMOVE else seen.new)
    if image is None:
        return Blame(newest, False, [], False, 0, True)
    present = inside(value_at(image, path))
    if not path:
        # An item's key never changes: another key is another item.
        key = decoded(newest.keys) or {}
        present = {name: value for name, value in present.items() if name not in key}
    if not path:
        groups = _groups(stream.pk, item)
        if all(group.changed is not None for group in groups):
            return _from_index(stream, item, newest, present, groups)
    return _from_images(stream, item, newest, path, present)


def _from_index(
    stream: Stream,
    item: UUID,
    newest: StoredChange,
    present: dict[Step, Typed],
    groups: list[_Group],
) -> Blame:
    times: dict[str, int] = {}
    last: dict[str, tuple[int, str]] = {}
    for group in groups:
        for name in group.changed or ():
            times[name] = times.get(name, 0) + group.number
            # A deletion takes a value away; for a deleted item the one it had is blamed.
            if group.operation != REMOVE and group.last > last.get(name, (0, "")):
                last[name] = group.last
    names = {name: stored_name(str(name)) for name in present}
    givers = _givers(stream.pk, item, {last[n] for n in names.values() if n in last})
    gaps, looked_at = gaps_of(stream.pk), sum(group.number for group in groups)
    attributes = [
        _blamed([name], value, givers.get(last.get(names[name])), times.get(names[name], 0), gaps)
        for name, value in present.items()
    ]
    return Blame(newest, True, attributes, False, looked_at, looked_at < LOOK_AT)


def _from_images(
    stream: Stream,
    item: UUID,
    newest: StoredChange,
    path: Sequence[Step],
    present: dict[Step, Typed],
) -> Blame:
    seen = {name: _Seen() for name in present}
    place: tuple[int, str] | None = None
    looked_at = 0
    for _ in range(_PAGES):
        found = field_steps(stream, item, path, place)
        looked_at += len(found.steps)
        for step in found.steps:
            if step.before_known and step.after_known:
                _count(seen, step.change, inside(step.before), inside(step.after))
        place = found.older
        if place is None:
            break
    gaps = gaps_of(stream.pk)
    attributes = [
        _blamed([*path, name], value, seen[name].giver, seen[name].times, gaps)
        for name, value in present.items()
    ]
    return Blame(newest, True, attributes, True, looked_at, place is None)


def _count(
    seen: dict[Step, _Seen],
    change: StoredChange,
    before: dict[Step, Typed],
    after: dict[Step, Typed],
) -> None:
    for name, one in seen.items():
        if alike(before.get(name), after.get(name)):
            continue
        one.times += 1
        if one.giver is None and change.operation != REMOVE:
            one.giver = Giver(change.id, change.operation, change.occurred_at)


def _blamed(
    path: Sequence[Step], value: Typed, giver: Giver | None, times: int, gaps: list[Gap]
) -> Blamed:
    since = [gap for gap in gaps if giver is None or gap.to_at >= giver.occurred_at]
    return Blamed(spell_path(path), value, giver, times, since)


def _groups(stream_id: int, item: UUID) -> list[_Group]:
    # In no order, which saves sorting them. Only of more than may be looked at it matters which.
    some = """(SELECT operation, changed, generation, sequence FROM streams_change
               WHERE stream_id = %s AND item = %s LIMIT %s)"""
    groups = _grouped(some, [stream_id, item, LOOK_AT])
    if sum(group.number for group in groups) < LOOK_AT:
        return groups
    return _grouped(*versions_next_to(stream_id, item, None, LOOK_AT))


def _grouped(source: str, given: list[Any]) -> list[_Group]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT operation::text, changed, count(*), generation, max(sequence)
                FROM {source} c GROUP BY operation, changed, generation""",
            given,
        )
        return [
            _Group(OPERATION_NAME[row[0]], row[1], row[2], (row[3], row[4]))
            for row in cursor.fetchall()
        ]


def _givers(
    stream_id: int, item: UUID, places: Iterable[tuple[int, str]]
) -> dict[tuple[int, str] | None, Giver]:
    wanted = sorted(places)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.generation, c.sequence, c.batch_id, c.ordinal, c.operation::text,
                      c.occurred_at
               FROM streams_change c
               JOIN unnest(%s::smallint[], %s::text[]) AS w(generation, sequence)
                 ON c.generation = w.generation AND c.sequence = w.sequence COLLATE "C"
               WHERE c.stream_id = %s AND c.item = %s""",
            [[g for g, _ in wanted], [s for _, s in wanted], stream_id, item],
        )
        return {
            (row[0], row[1]): Giver(f"{row[2]}-{row[3]}", OPERATION_NAME[row[4]], row[5])
            for row in cursor.fetchall()
        }
