"""/api/v1/changes: the feed by cursor, and one change, as programs read them.

Images are nested as they were stored, byte for byte: numbers stay the text DynamoDB spells. With
`summary=1` the changes are the live feed's rows, for a page that can open no WebSocket.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboard import access
from dashboard.feed import cursors
from dashboard.feed.filters import Deciding
from dashboard.feed.known import Known
from dashboard.feed.protocol import COLUMNS
from dashboard.feed.rows import rows_of
from dashboard.feed.selection import Selection
from streams.queries import feed
from streams.queries.change import find
from streams.queries.feed import Page
from streams.queries.spelled import spelled
from streams.rules import compile_text

_DEFAULT_LIMIT, _MOST = 100, 1_000


@require_GET
@access.api
def changes(request: HttpRequest) -> HttpResponse:
    """The changes after a cursor, oldest first; without a cursor the newest.

    A summary reads `limit` changes too, and gives as rows what it would show: those that do not
    pass the filter `q` are counted as `hidden`, and what is noise as `noise`, unless it is asked
    for by `noise=show`. The cursor moves on past them.
    """
    names = request.GET.getlist("stream")
    streams = access.visible_streams(names)
    if missing := [name for name in names if name not in streams]:
        return access.refusal(404, "unknown-stream", f"There is no stream {missing[0]!r}.")
    try:
        selection = _selection(request, streams)
        page = _page(request, selection.ids)
    except ValueError as error:
        return access.refusal(400, "bad-request", str(error))
    place = {"cursor": str(page.cursor), "more": page.more}
    if request.GET.get("summary") == "1":
        return _json(_summary(page, selection) | place)
    return _json({"changes": [spelled(change) for change in page.changes], **place})


@require_GET
@access.api
def change(request: HttpRequest, change_id: str) -> HttpResponse:
    found = find(change_id)
    if found is None:
        return access.refusal(404, "unknown-change", f"There is no change {change_id!r}.")
    return _json(spelled(found))


def _selection(request: HttpRequest, streams: dict[str, int]) -> Selection:
    query = request.GET.get("q", "").strip()
    return Selection(
        streams or None,
        compile_text(query) if query else None,
        noise=request.GET.get("noise") == "show",
    )


def _summary(page: Page, selection: Selection) -> dict[str, Any]:
    looked = selection.look(rows_of(page.changes, Deciding.of([selection]), Known()))
    return {
        "columns": COLUMNS,
        "rows": [row.data for row in looked.rows],
        "hidden": looked.left_out.hidden,
        "noise": looked.left_out.noise,
    }


def _page(request: HttpRequest, streams: Collection[int] | None) -> Page:
    limit = request.GET.get("limit", str(_DEFAULT_LIMIT))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= _MOST):
        raise ValueError(f"limit={limit!r} must be a number from 1 to {_MOST}.")
    cursor = request.GET.get("cursor", "")
    if not cursor:
        return feed.newest(streams=streams, limit=int(limit))
    return feed.read(cursors.parse(cursor), streams=streams, limit=int(limit))


def _json(answer: object) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")
