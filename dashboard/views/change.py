"""One change: its facts, what differs field by field, and its images to take along."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from dashboard.feed.preview import key_label, visible
from dashboard.rule_starters import rule_of
from dashboard.views.change_panels import Asked, changed, notices, raw, sides, tree, whole
from dashboard.views.values import Limits
from streams import item_key
from streams.change import MODIFY
from streams.diff import Image, compare
from streams.image import Unreadable, read
from streams.image_text import losses, plain_json, python
from streams.models import Stream
from streams.queries.alert_list import matches_of
from streams.queries.change import Around, absence, around, find
from streams.queries.rows import StoredChange

TABS = {"changed": "Changed fields", "all": "All fields", "sides": "Side by side", "raw": "Raw"}
# Of larger images only what changed is shown at first, with short values.
_LARGE = 100 * 1024
_SHORT = 200
# So long the images are compared before lists are compared index by index.
_SECONDS, _SECONDS_FOR_ALL = 0.3, 2.0

# What each view type leaves out.
_VIEW_TYPES = {
    "NEW_AND_OLD_IMAGES": "both images are in the stream",
    "NEW_IMAGE": "old images are not in the stream",
    "OLD_IMAGE": "new images are not in the stream",
    "KEYS_ONLY": "values are not in the stream",
}
_LABELS = (("dynamodb", "DynamoDB JSON"), ("json", "Plain JSON"), ("python", "Python"))
_LANGUAGES: dict[str, tuple[Callable[[Image], str], str]] = {
    "json": (plain_json, "json"),
    "python": (python, "py"),
}


class Readable(NamedTuple):
    """Both images decoded; what could not be is None, and `wrong` says why: {"old": …}."""

    old: Image | None
    new: Image | None
    wrong: dict[str, str]


@require_GET
def change_page(request: HttpRequest, change_id: str) -> HttpResponse:
    """The whole page; for htmx, and for the drawer of the feed, only the change itself."""
    part = request.headers.get("HX-Request") == "true"
    change = find(change_id)
    if change is None:
        facts = {"id": visible(change_id)[:40], "why": absence(change_id)}
        name, status = "change/_missing.html" if part else "change/missing.html", 404
    else:
        facts = _facts(change, _asked(request))
        name, status = "change/_detail.html" if part else "change/page.html", 200
    response = render(request, name, facts | {"part": part}, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_GET
def change_text(request: HttpRequest, change_id: str) -> HttpResponse:
    """An image or the key as text: `of` is new, old or key; `as` is dynamodb, json or python;
    with `download` as a file."""
    change = find(change_id)
    of, language = request.GET.get("of", "new"), request.GET.get("as", "dynamodb")
    image = None if change is None else _part(change, of)
    if image is None:
        return _said("There is no such image of this change.\n", 404)
    ending = "json"
    text = image
    if language in _LANGUAGES:
        write, ending = _LANGUAGES[language]
        try:
            text = write(read(image)).encode()
        except Unreadable as error:
            return _said(f"This image is no DynamoDB JSON. {error}\n", 422)
    kind = "application/json" if ending == "json" else "text/plain"
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    if "download" in request.GET:
        name = f'attachment; filename="change-{change_id}-{of}.{ending}"'
        response.headers["Content-Disposition"] = name
    return response


def _asked(request: HttpRequest) -> Asked:
    tab = request.GET.get("tab", "")
    return Asked(
        tab if tab in TABS else "changed",
        full=request.GET.get("full") == "1",
        spaces=request.GET.get("space") == "1",
    )


def _facts(change: StoredChange, asked: Asked) -> dict[str, Any]:
    seen = around(change)
    images = seen.images
    keys = read(change.keys)
    canonical = item_key.canonical(keys)
    stream = Stream.objects.get(pk=change.stream_id)
    lag = (change.stored_at - change.occurred_at).total_seconds()
    return {
        "change": change,
        "key": key_label(keys, 300),
        "key_json": canonical,
        "rule_url": rule_of(change),
        "token": item_key.token(canonical),
        "lag": max(0.0, lag),
        "seen": seen,
        "images": images,
        "matches": matches_of(change.id),
        # Where retention has dropped older versions, the oldest one says so.
        "dropped_until": None if seen.previous else seen.dropped_until,
        "tabs": list(TABS.items()),
        "asked": asked,
        "title": TABS[asked.tab],
        "view_type_words": _VIEW_TYPES.get(change.view_type, ""),
        "languages": _LABELS,
        # What can be copied: (name, of).
        "copies": [
            (name, of)
            for name, of, image in (
                ("New image", "new", images.new),
                ("Old image", "old", images.old),
                ("Key", "key", change.keys),
            )
            if image
        ],
        **_panel(change, seen, stream, asked),
    }


def _panel(change: StoredChange, seen: Around, stream: Stream, asked: Asked) -> dict[str, Any]:
    readable = _readable(seen)
    old, new = readable.old, readable.new
    size = len(seen.images.old or b"") + len(seen.images.new or b"")
    limits = _limits(asked, size)
    facts = {
        "wrong": readable.wrong,
        "large": size > _LARGE and not asked.full,
        "size_of_images": size,
        # Without both images of a MODIFY nothing can be compared.
        "compared": change.operation != MODIFY or (old is not None and new is not None),
        "known": old is not None or new is not None,
        "lossy": sorted({*losses(old or {}), *losses(new or {})}),
        "limits": limits,
    }
    if asked.tab == "raw":
        return facts | {"raw": raw(change, asked, readable.wrong)}
    found = compare(old, new, _SECONDS_FOR_ALL if asked.full else _SECONDS)
    facts["notices"] = notices(found)
    if asked.tab == "all":
        return facts | tree(found, asked, limits)
    if asked.tab == "sides":
        return facts | sides(found, asked, limits)
    if change.operation == MODIFY and facts["compared"]:
        return facts | changed(found, stream.ignored_fields, asked, limits)
    return facts | whole(found, asked, limits, "old" if new is None else "new")


def _limits(asked: Asked, size: int) -> Limits:
    if asked.full:
        return Limits(characters=8_000_000, longest=1_000_000, spaces=asked.spaces)
    if size > _LARGE:
        return Limits(longest=_SHORT, spaces=asked.spaces)
    return Limits(spaces=asked.spaces)


def _readable(seen: Around) -> Readable:
    found: dict[str, Image | None] = {"old": None, "new": None}
    wrong = {}
    for name, image in (("old", seen.images.old), ("new", seen.images.new)):
        try:
            found[name] = None if image is None else read(image)
        except Unreadable as error:
            wrong[name] = visible(str(error))
    return Readable(found["old"], found["new"], wrong)


def _part(change: StoredChange, of: str) -> bytes | None:
    if of == "key":
        return change.keys
    images = around(change).images
    return {"new": images.new, "old": images.old}.get(of)


def _said(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence, status=status, content_type="text/plain; charset=utf-8")
