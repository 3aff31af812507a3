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
from streams.models import Stream
from streams.queries import feed
from streams.queries.feed import Cursor

_FIRST_ROWS = 100


def live(request: HttpRequest) -> HttpResponse:
    names = request.GET.getlist("stream")
    streams = access.visible_streams(names)
    if missing := [name for name in names if name not in streams]:
        raise Http404(f"There is no stream “{missing[0]}” that you may see.")
    facts = {
        "all_streams": list(Stream.objects.values_list("name", flat=True)),
        "chosen": list(streams),
    }
    ids = set(streams.values()) or None
    if "after" in request.GET:
        return render(request, "live/range.html", facts | _range(request, streams, ids))
    return render(request, "live/page.html", facts | _newest(streams, ids))


def _newest(streams: dict[str, int], ids: set[int] | None) -> dict[str, Any]:
    """The first rows, and the cursor from which the socket goes on without a gap."""
    page = feed.newest(streams=ids, limit=_FIRST_ROWS)
    rows = [summarise(change) for change in reversed(page.changes)]
    # For the script, oldest first, as batches are.
    data = [msgspec.to_builtins(row) for row in reversed(rows)]
    return {
        "rows": rows,
        "blank": {},
        "feed": {
            "rows": data,
            "cursor": str(page.cursor),
            "streams": list(streams) or None,
            "columns": COLUMNS,
        },
    }


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
