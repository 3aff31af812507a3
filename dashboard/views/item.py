"""An item's history: its versions, newest first, with the gaps in it; two of them compared; what it
was at a moment; one field over time."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from dashboard.feed.preview import key_label
from dashboard.views import item_side
from dashboard.views.item_field import field_facts
from dashboard.views.item_map import life_map
from dashboard.views.item_named import Item, named_item
from dashboard.views.item_recent import remember
from dashboard.views.item_timeline import timeline
from streams import item_key
from streams.change import REMOVE
from streams.queries.change import gaps_of
from streams.queries.history import Versions, mark_at, place_before, versions
from streams.queries.life import life
from streams.queries.near_keys import near_keys
from streams.when import parse_moment

_PER_PAGE = 100


@require_GET
def item_page(request: HttpRequest, stream: str, token: str) -> HttpResponse:
    item = named_item(stream, token)
    wrong = ""
    if jump := request.GET.get("at", "").strip():
        try:
            return _jump(request, item, jump)
        except (ValueError, OverflowError) as error:
            wrong = str(error)
    page = _page(request, item)
    facts: dict[str, Any] = {"item": item, "stream": item.stream, "key": item.label, "page": page}
    facts["history"] = request.path
    facts |= {"at": jump, "at_wrong": wrong, "noise": request.GET.get("noise") == "show"}
    if page.versions:
        facts |= _history(request, item, page, noise=facts["noise"])
    elif request.GET.get("before") is None and request.GET.get("after") is None:
        # Somebody may have mistyped it: what begins alike?
        near = near_keys(item.stream, item.key)
        facts |= {"near": [_near(item, key) for key in near], "gaps": page.gaps}
    response = render(request, "item/page.html", facts, status=200 if page.versions else 404)
    if page.versions:
        remember(request, response, item)
    return response


def _page(request: HttpRequest, item: Item) -> Versions:
    try:
        return versions(
            item.stream,
            item.id,
            before=request.GET.get("before"),
            after=request.GET.get("after"),
            limit=_PER_PAGE,
        )
    except ValueError as error:
        raise Http404(str(error)) from error


def _history(request: HttpRequest, item: Item, page: Versions, *, noise: bool) -> dict[str, Any]:
    newest = page.versions[0].change
    facts: dict[str, Any] = {
        "newest_shown": newest,
        "deleted": not page.newer and newest.operation == REMOVE,
        "map": life_map(life(item.stream.pk, item.id), gaps_of(item.stream.pk), page),
    }
    if field := request.GET.get("field", "").strip():
        return facts | field_facts(request, item, field)
    if "asof" in request.GET:
        facts |= item_side.state(request, item, timezone.now)
    else:
        facts |= item_side.compared(request, item, page)
    facts["picks"] = item_side.picks(request, facts)
    ignored = None if noise else item.stream.ignored_fields
    facts["lines"] = timeline(page, item.key, ignored, item_side.chosen(facts))
    return facts


def _near(item: Item, key: item_key.Key) -> tuple[str, str]:
    """(its token, how it is shown)."""
    return item_key.token_of(key), key_label(key, 120)


def _jump(request: HttpRequest, item: Item, text: str) -> HttpResponse:
    """To the page whose newest version is the last one at or before the moment, and compare it."""
    moment = parse_moment(text, timezone.now())
    query = request.GET.copy()
    for name in ("at", "before", "after", "a", "b", "asof", "step", "field"):
        query.pop(name, None)
    if place := place_before(item.stream.pk, item.id, moment):
        query["before"] = place
    if found := mark_at(item.stream.pk, item.id, moment):
        query["b"] = found.id
    return redirect(f"{request.path}?{query.urlencode()}")
