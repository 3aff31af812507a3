"""An item's history: its versions, newest first, with the gaps in it."""

from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from dashboard.feed.preview import key_label
from dashboard.feed.summary import Field, changed_fields
from streams import item_key
from streams.change import REMOVE
from streams.diff import Image
from streams.errors import MalformedKey
from streams.models import Gap, Stream
from streams.queries.change import PREVIOUS
from streams.queries.feed import StoredChange
from streams.queries.history import Version, Versions, versions

_PER_PAGE = 100
_SNIPPETS = 5


class Shown(NamedTuple):
    """A row of the history."""

    change: StoredChange
    fields: list[Field]
    more: int
    # True if the old values are not from the stream but from the version before.
    supplied: bool
    images_known: bool
    gaps: list[Gap]


def item_page(request: HttpRequest, stream: str, token: str) -> HttpResponse:
    watched = get_object_or_404(Stream, name=stream)
    try:
        keys = item_key.from_token(token)
        canonical = item_key.canonical(keys)
        page = versions(
            watched,
            item_key.item_id(watched.pk, canonical),
            before=request.GET.get("before"),
            after=request.GET.get("after"),
            limit=_PER_PAGE,
        )
    except (MalformedKey, ValueError) as error:
        raise Http404(str(error)) from error
    facts = {
        "stream": watched,
        "key": key_label(keys, 300),
        "key_json": canonical,
        "token": token,
        "page": page,
        "versions": [_shown(version, keys) for version in page.versions],
    }
    known = 200 if page.versions else 404
    return render(request, "item/page.html", facts | _loose_gaps(page), status=known)


def _shown(version: Version, keys: Image) -> Shown:
    change, images = version.change, version.images
    fields, more = changed_fields(images.old, images.new, change.changed, keys, _SNIPPETS)
    supplied = images.old_from == PREVIOUS
    known = images.old is not None or images.new is not None
    return Shown(change, fields, more, supplied, known, version.gaps)


def _loose_gaps(page: Versions) -> dict[str, Any]:
    """The gaps that lie between no two versions: after the newest, or before the oldest."""
    between = {gap.pk for version in page.versions for gap in version.gaps}
    loose = [gap for gap in page.gaps if gap.pk not in between]
    newest = page.versions[0].change if page.versions else None
    after = [gap for gap in loose if newest and gap.to_at >= newest.occurred_at]
    return {
        "gaps_after": after,
        "gaps_before": [gap for gap in loose if gap not in after],
        "deleted": newest is not None and not page.newer and newest.operation == REMOVE,
    }
