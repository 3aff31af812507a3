"""One change: its facts, what differs field by field, and the raw JSON."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from dashboard.feed.preview import decode, key_label, visible
from dashboard.views.values import Line, line
from streams import item_key
from streams.change import MODIFY
from streams.diff import diff
from streams.queries.change import Images, find, following, images, previous
from streams.queries.feed import StoredChange
from streams.queries.retention import dropped_until

# Rows shown at once, rows behind "show more", and the longest raw image written into the page.
_ROWS = 200
_ROWS_OF_WHOLE_ITEM = 30
_FOLDED = 800
_RAW = 64 * 1024


def change_page(request: HttpRequest, change_id: str) -> HttpResponse:
    change = find(change_id)
    if change is None:
        raise Http404(f"There is no change {visible(change_id)[:40]}; it may be past retention.")
    seen, before = images(change), previous(change)
    keys = decode(change.keys)
    canonical = item_key.canonical(keys)
    facts = {
        "change": change,
        "key": key_label(keys, 300),
        "key_json": canonical,
        "token": item_key.token(canonical),
        "images": seen,
        "previous": before,
        # Where retention has dropped older versions, the oldest one says so.
        "dropped_until": None if before else dropped_until(change.stream_id),
        "following": following(change),
        "raw": _raw(change),
    }
    return render(request, "change/page.html", facts | _lines(change, seen))


def _lines(change: StoredChange, seen: Images) -> dict[str, Any]:
    """The differences; without both images of a MODIFY nothing can be compared."""
    both = change.operation != MODIFY or (seen.old is not None and seen.new is not None)
    differences = diff(decode(seen.old), decode(seen.new))
    shown = _ROWS if change.operation == MODIFY and both else _ROWS_OF_WHOLE_ITEM
    folded = differences[shown : shown + _FOLDED]
    lines: list[Line] = [line(difference) for difference in differences[:shown]]
    return {
        "compared": both,
        "lines": lines,
        "folded": [line(difference) for difference in folded],
        "left_out": max(0, len(differences) - shown - _FOLDED),
    }


def _raw(change: StoredChange) -> list[tuple[str, str, str]]:
    """(name, JSON exactly as stored, note)."""
    parts = (
        ("Key", change.keys),
        ("Old image", change.old),
        ("New image", change.new),
        ("User identity", change.user_identity),
    )
    return [
        (name, visible(part.decode()[:_RAW]), f"{len(part):,} bytes" if len(part) > _RAW else "")
        for name, part in parts
        if part is not None
    ]
