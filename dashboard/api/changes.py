"""/api/v1/changes: the feed by cursor, and one change, as programs read them.

Images are nested as they were stored, byte for byte: numbers stay the text DynamoDB spells.
"""

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboard import access
from dashboard.feed import cursors
from streams.queries import feed
from streams.queries.change import find
from streams.queries.feed import Page
from streams.queries.spelled import spelled

_DEFAULT_LIMIT, _MOST = 100, 1_000


@require_GET
@access.api
def changes(request: HttpRequest) -> HttpResponse:
    """The changes after a cursor, oldest first; without a cursor the newest."""
    names = request.GET.getlist("stream")
    streams = access.visible_streams(names)
    if missing := [name for name in names if name not in streams]:
        return access.refusal(404, "unknown-stream", f"There is no stream {missing[0]!r}.")
    try:
        page = _page(request, set(streams.values()) or None)
    except ValueError as error:
        return access.refusal(400, "bad-request", str(error))
    return _json(
        {
            "changes": [spelled(change) for change in page.changes],
            "cursor": str(page.cursor),
            "more": page.more,
        }
    )


@require_GET
@access.api
def change(request: HttpRequest, change_id: str) -> HttpResponse:
    found = find(change_id)
    if found is None:
        return access.refusal(404, "unknown-change", f"There is no change {change_id!r}.")
    return _json(spelled(found))


def _page(request: HttpRequest, streams: set[int] | None) -> Page:
    limit = request.GET.get("limit", str(_DEFAULT_LIMIT))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= _MOST):
        raise ValueError(f"limit={limit!r} must be a number from 1 to {_MOST}.")
    cursor = request.GET.get("cursor", "")
    if not cursor:
        return feed.newest(streams=streams, limit=int(limit))
    return feed.read(cursors.parse(cursor), streams=streams, limit=int(limit))


def _json(answer: object) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")
