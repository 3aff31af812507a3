"""The differences of two images are all there is: applied to the old one they give the new one."""

from collections import Counter
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.diff import (
    ADDED,
    INSIDE,
    MEMBERS,
    REMOVED,
    SAME,
    Field,
    compare,
    diff,
    differences,
    same,
)
from streams.field_path import parse_path
from streams.tests.unit.any_image import images, values

MIRRORED = {ADDED: REMOVED, REMOVED: ADDED}


def applied(old: Any, fields: list[Field]) -> Any:
    """The value that these fields make of `old`, a map's or a list's content."""
    return _map(old, fields) if isinstance(old, dict) else _list(old, fields)


def _map(old: dict[str, Any], fields: list[Field]) -> dict[str, Any]:
    new = deepcopy(old)
    for field in fields:
        if field.kind == REMOVED:
            del new[field.step]  # type: ignore[arg-type]
        else:
            new[field.step] = _value(old.get(field.step), field)  # type: ignore[arg-type,index]
    return new


def _list(old: list[Any], fields: list[Field]) -> list[Any]:
    removed = {field.step for field in fields if field.kind == REMOVED}
    kept = iter([value for place, value in enumerate(old) if place not in removed])
    told = {field.step: field for field in fields if field.kind != REMOVED}
    return [
        _value(None if told[place].kind == ADDED else next(kept), told[place])
        for place in range(len(told))
    ]


def _value(old: Any, field: Field) -> Any:
    if field.kind == SAME:
        return old
    if field.kind == INSIDE:
        ((type_, content),) = old.items()
        return {type_: applied(content, field.inner)}
    if field.kind == MEMBERS:
        ((type_, content),) = old.items()
        lost = (field.old or {}).get(type_, [])
        return {type_: [m for m in content if m not in lost] + (field.new or {}).get(type_, [])}
    return field.new


@given(images, images)
def test_the_differences_turn_the_old_image_into_the_new(old: Any, new: Any) -> None:
    assert same({"M": applied(old, compare(old, new).fields)}, {"M": new})


@given(st.lists(values, max_size=6), st.data())
def test_they_do_for_lists_that_were_edited(old: list[Any], data: st.DataObject) -> None:
    new = [value for value in old if data.draw(st.booleans())]
    place = data.draw(st.integers(0, len(new)))
    new[place:place] = data.draw(st.lists(values, max_size=2))
    images = {"a": {"L": old}}, {"a": {"L": new}}
    assert same({"M": applied(images[0], compare(*images).fields)}, {"M": images[1]})


@given(images, images)
def test_there_and_back_are_as_many_differences_of_each_kind(old: Any, new: Any) -> None:
    there = Counter(MIRRORED.get(kind, kind) for _, kind, _, _ in diff(old, new))
    assert there == Counter(difference.kind for difference in diff(new, old))


@given(images)
def test_nothing_differs_from_itself(image: Any) -> None:
    found = compare(image, deepcopy(image))
    assert found.differences == []
    assert all(field.kind == SAME for field in found.fields)


@given(images, images)
def test_every_path_can_be_read_back(old: Any, new: Any) -> None:
    def check(fields: list[Field], above: tuple[Any, ...]) -> None:
        for field in fields:
            assert parse_path(field.path) == (*above, field.step)
            check(field.inner, (*above, field.step))

    check(compare(old, new).fields, ())


@settings(max_examples=30)
@given(images, images)
def test_without_time_the_differences_are_still_all(old: Any, new: Any) -> None:
    found = compare(old, new, seconds=-1)
    assert same({"M": applied(old, found.fields)}, {"M": new})
    assert found.late == bool(found.by_index)
    assert list(differences(found.fields)) == found.differences
