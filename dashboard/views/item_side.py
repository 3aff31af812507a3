"""Beside the timeline: two versions compared, or what the item was at a moment."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.http import HttpRequest

from dashboard.feed.preview import visible
from dashboard.views.change_panels import Asked, changed, whole
from dashboard.views.item_named import Item, named_version
from dashboard.views.values import Limits, Shown, show
from streams.change import REMOVE
from streams.diff import Image, compare
from streams.field_path import spell_path
from streams.queries.as_of import AsOf, as_of, sentences
from streams.queries.change import Images, images, previous
from streams.queries.field_steps import decoded
from streams.queries.history import Versions
from streams.queries.rows import StoredChange
from streams.when import parse_moment

# So long both images are compared before lists are compared index by index.
_SECONDS = 0.3
# Fields of a state that are shown at once, and behind "show more".
_FIELDS, _FOLDED = 60, 400


class FieldShown(NamedTuple):
    """A top-level attribute of a state; `path` leads to its history."""

    name: str
    path: str
    shown: Shown


def compared(request: HttpRequest, item: Item, page: Versions) -> dict[str, Any]:
    """What differs between version `a` and version `b` of the address; without `a` what `b` itself
    changed, without `b` the newest version of the page. Http404 for an id of another item."""
    a, b = named_version(request, item, "a"), named_version(request, item, "b")
    b = b or (page.versions[0].change if page.versions else None)
    if b is None:
        return {}
    before = previous(b) if a is None else a
    newer = images(b)
    facts: dict[str, Any] = {
        "a": before,
        "b": b,
        "explicit": a is not None,
        "reversed": a is not None and a.order > b.order,
        "unknown": [],
    }
    # Without an explicit A it is B's own old image: what that write did, not a neighbour's word.
    if a is None or a.id == b.id:
        return facts | _differences(item, newer.old, newer.new, _unknown(b, newer))
    older = images(a)
    unknown = _unknown_after(a, older, "A") + _unknown_after(b, newer, "B")
    return facts | _differences(item, older.new, newer.new, unknown)


def state(request: HttpRequest, item: Item, now: Callable[[], datetime]) -> dict[str, Any]:
    """What the item was at the moment `asof`, with the first `step` changes of its second."""
    asked = request.GET.get("asof", "").strip()
    step = request.GET.get("step", "")
    try:
        moment = parse_moment(asked, now()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        return {"asof": asked, "asof_wrong": str(error)}
    counted = int(step) if step.isdecimal() and len(step) < 4 else None
    found = as_of(item.stream, item.id, moment, counted)
    image = decoded(found.image)
    fields = _fields(image or {}, item)
    return {
        "asof": asked,
        "state": found,
        "sentences": sentences(found),
        "steps": _steps(found),
        "fields": fields[:_FIELDS],
        "fields_folded": fields[_FIELDS : _FIELDS + _FOLDED],
        "fields_left_out": max(0, len(fields) - _FIELDS - _FOLDED),
    }


def chosen(facts: dict[str, Any]) -> set[str]:
    """The ids of the versions that are compared; the one before B only if it was asked for."""
    a, b = facts.get("a"), facts.get("b")
    return {version.id for version in (a if facts.get("explicit") else None, b) if version}


def picks(request: HttpRequest, facts: dict[str, Any]) -> dict[str, str]:
    """The queries that choose a version as A or as B, up to its id: made once for all versions."""
    query = request.GET.copy()
    for name in ("asof", "step", "a", "b", "at"):
        query.pop(name, None)
    rest = query.urlencode()
    rest = f"{rest}&" if rest else ""
    a, b = facts.get("a"), facts.get("b")
    return {
        "a": f"{rest}b={b.id}&a=" if b else f"{rest}a=",
        "b": f"{rest}a={a.id}&b=" if a and facts.get("explicit") else f"{rest}b=",
    }


def _differences(
    item: Item, old: bytes | None, new: bytes | None, unknown: Sequence[str]
) -> dict[str, Any]:
    """What `change/_changed.html` shows."""
    before, after = decoded(old), decoded(new)
    found = compare(before, after, _SECONDS)
    asked, limits = Asked("changed", full=False, spaces=False), Limits()
    rows: dict[str, Any]
    if before is None or after is None:
        side = "new" if after is not None else "old"
        rows = whole(found, asked, limits, side)
    else:
        rows = changed(found, item.stream.ignored_fields, asked, limits)
    known = {"old": before is not None, "new": after is not None}
    return {"unknown": unknown, "compared": not unknown, "images": known, "lines_of": rows}


def _unknown(change: StoredChange, seen: Images) -> list[str]:
    """Why a version's own write cannot be shown."""
    lacks_old = change.operation != "INSERT" and decoded(seen.old) is None
    lacks_new = change.operation != REMOVE and decoded(seen.new) is None
    if not (lacks_old or lacks_new):
        return []
    return [seen.sentence or "An image of this version is not in the store, or cannot be read."]


def _unknown_after(change: StoredChange, seen: Images, side: str) -> list[str]:
    if change.operation == REMOVE or decoded(seen.new) is not None:
        return []
    return [f"What the item was after version {side} is not known. {seen.sentence}".strip()]


def _fields(image: Image, item: Item) -> list[FieldShown]:
    limits = Limits()
    return [
        FieldShown(visible(name), spell_path([name]), show(value, limits=limits))
        for name, value in image.items()
    ]


def _steps(found: AsOf) -> list[tuple[int, str]]:
    """(counted, words) of the other states in the moment's own second."""
    number = len(found.same_second)
    return [
        (n, "before all of them" if n == 0 else f"after {n} of {number}")
        for n in range(number + 1)
        if n != found.counted
    ][:_FIELDS]
