"""The live feed, and any range of it as an ordinary page."""

from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from dashboard import access
from dashboard.feed import cursors
from dashboard.feed.protocol import COLUMNS
from dashboard.feed.subscriptions import range_url
from dashboard.feed.summary import summarise
from dashboard.forms.wrong import Wrong
from streams.models import Stream
from streams.queries import feed
from streams.queries.feed import Cursor, Page
from streams.queries.search import search
from streams.rules import Filter, PatternError, compile_text

_FIRST_ROWS = 100
# For the rows that the page begins with; the search page looks further.
_SEARCH_SECONDS = 1.0
_MOST_TEXT = 10_000


def live(request: HttpRequest) -> HttpResponse:
    names = request.GET.getlist("stream")
    streams = access.visible_streams(names)
    if missing := [name for name in names if name not in streams]:
        raise Http404(f"There is no stream “{missing[0]}” that you may see.")
    facts: dict[str, Any] = {
        "all_streams": list(Stream.objects.values_list("name", flat=True)),
        "chosen": list(streams),
    }
    ids = set(streams.values()) or None
    if "after" in request.GET:
        return render(request, "live/range.html", facts | _range(request, streams, ids))
    facts["query"] = request.GET.get("q", "").strip()[:_MOST_TEXT]
    try:
        filter_ = compile_text(facts["query"]) if facts["query"] else None
    except PatternError as error:
        return render(request, "live/wrong.html", facts | {"wrong": Wrong.of(error)}, status=400)
    return render(request, "live/page.html", facts | _newest(streams, ids, filter_))


def _newest(
    streams: dict[str, int], ids: set[int] | None, filter_: Filter | None
) -> dict[str, Any]:
    """The first rows, and the cursor from which the socket goes on without a gap."""
    page = _passing(ids, filter_) if filter_ else feed.newest(streams=ids, limit=_FIRST_ROWS)
    rows = [summarise(change) for change in reversed(page.changes)]
    # For the script, oldest first, as batches are.
    data = [msgspec.to_builtins(row) for row in reversed(rows)]
    return {
        "rows": rows,
        "blank": {},
        "sentence": filter_.sentence() if filter_ else "",
        "feed": {
            "rows": data,
            "cursor": str(page.cursor),
            "streams": list(streams) or None,
            "filter": filter_.text if filter_ else "",
            "columns": COLUMNS,
        },
    }


def _passing(ids: set[int] | None, filter_: Filter) -> Page:
    """The newest changes that pass a filter, as far as a short search finds them."""
    head = feed.head()
    streams = None if ids is None else list(Stream.objects.filter(pk__in=ids))
    found = search(filter_, streams=streams, limit=_FIRST_ROWS, budget_seconds=_SEARCH_SECONDS)
    # What has no place up to the head comes through the socket.
    before = [change for change in found.changes if change.cursor and change.cursor <= head]
    before.sort(key=lambda change: change.cursor or head)
    return Page(before, head, False)


def _range(request: HttpRequest, streams: dict[str, int], ids: set[int] | None) -> dict[str, Any]:
    """A page of the changes after one cursor and up to another, oldest first."""
    try:
        after = cursors.parse(request.GET["after"])
        upto = cursors.parse(request.GET["upto"]) if "upto" in request.GET else feed.head()
    except ValueError as error:
        raise Http404(str(error)) from error
    page = feed.read(after, streams=ids, limit=_FIRST_ROWS)
    changes = [change for change in page.changes if change.cursor and change.cursor <= upto]
    more = page.more and page.cursor < upto
    return {
        "rows": [summarise(change) for change in changes],
        "left": sum(feed.count(after, upto, streams=ids).values()),
        "next": range_url(Cursor(*page.cursor), upto, streams) if more else "",
    }
