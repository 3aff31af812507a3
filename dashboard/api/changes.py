"""/api/v1/changes: the feed by cursor, and one change, as programs read them.

Images are nested as they were stored, byte for byte: numbers stay the text DynamoDB spells.
"""

from datetime import datetime

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboard import access
from dashboard.feed import cursors
from streams.queries import feed
from streams.queries.change import find
from streams.queries.feed import Page, StoredChange

_DEFAULT_LIMIT, _MOST = 100, 1_000


class ApiChange(msgspec.Struct):
    id: str
    cursor: str | None
    stream: str
    shard: str
    sequence: str
    event_id: str
    operation: str
    keys: msgspec.Raw
    old: msgspec.Raw | None
    new: msgspec.Raw | None
    changed: tuple[str, ...] | None
    user_identity: msgspec.Raw | None
    ttl: bool
    occurred_at: datetime
    stored_at: datetime
    size: int


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
            "changes": [_shown(change) for change in page.changes],
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
    return _json(_shown(found))


def _page(request: HttpRequest, streams: set[int] | None) -> Page:
    limit = request.GET.get("limit", str(_DEFAULT_LIMIT))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:9]) <= _MOST):
        raise ValueError(f"limit={limit!r} must be a number from 1 to {_MOST}.")
    cursor = request.GET.get("cursor", "")
    if not cursor:
        return feed.newest(streams=streams, limit=int(limit))
    return feed.read(cursors.parse(cursor), streams=streams, limit=int(limit))


def _shown(change: StoredChange) -> ApiChange:
    return ApiChange(
        id=change.id,
        cursor=str(change.cursor) if change.cursor else None,
        stream=change.stream,
        shard=change.shard,
        sequence=change.sequence,
        event_id=change.event_id,
        operation=change.operation,
        keys=msgspec.Raw(change.keys),
        old=_raw(change.old),
        new=_raw(change.new),
        changed=change.changed,
        user_identity=_raw(change.user_identity),
        ttl=change.ttl,
        occurred_at=change.occurred_at,
        stored_at=change.stored_at,
        size=change.size,
    )


def _raw(image: bytes | None) -> msgspec.Raw | None:
    return None if image is None else msgspec.Raw(image)


def _json(answer: object) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")
