"""One field of an item over time, and blame: which change gave each its present value."""

from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dashboard.feed.preview import visible
from dashboard.views.item_named import Item, named_item
from dashboard.views.values import Limits, Shown, show
from streams.diff import typed
from streams.field_path import Step, parse_path, spell_path
from streams.queries.blame import Blamed, blame
from streams.queries.lens import Period, lens


class PeriodShown(NamedTuple):
    period: Period
    shown: Shown


class BlamedShown(NamedTuple):
    """`inside` is True if there is more to blame in it."""

    blamed: Blamed
    name: str
    shown: Shown
    inside: bool


def field_facts(request: HttpRequest, item: Item, field: str) -> dict[str, Any]:
    """What `item/_field.html` shows; `field_wrong` is a sentence about a path that is none."""
    facts: dict[str, Any] = {"field": visible(field[:300])}
    try:
        path = parse_path(field)
        found = lens(item.stream, item.id, path, request.GET.get("from"))
    except ValueError as error:
        return facts | {"field_wrong": visible(str(error))}
    limits = Limits(longest=600)
    return facts | {
        "field_path": spell_path(path),
        "periods": [
            PeriodShown(
                period, show(period.value, "missing" if period.known else "not known", limits)
            )
            for period in found.periods
        ],
        "periods_older": found.older,
        "periods_later": "from" in request.GET,
    }


@require_GET
def blame_page(request: HttpRequest, stream: str, token: str) -> HttpResponse:
    item = named_item(stream, token)
    text = request.GET.get("path", "").strip()
    try:
        path: tuple[Step, ...] = parse_path(text) if text else ()
    except ValueError as error:
        raise Http404(str(error)) from error
    found = blame(item.stream, item.id, path)
    if found.newest is None:
        raise Http404("No change of this item is stored.")
    limits = Limits(longest=400)
    return render(
        request,
        "item/blame.html",
        {
            "item": item,
            "stream": item.stream,
            "key": item.label,
            "blame": found,
            "path": spell_path(path) if path else "",
            "attributes": [_shown(blamed, limits) for blamed in found.attributes],
        },
    )


def _shown(blamed: Blamed, limits: Limits) -> BlamedShown:
    type_, content = typed(blamed.value)
    has_more = type_ in ("M", "L") and bool(content)
    return BlamedShown(blamed, visible(blamed.path), show(blamed.value, limits=limits), has_more)
