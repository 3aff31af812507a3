"""Any range of the feed as an ordinary page: what a marker of the live list leads to."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404

from dashboard.feed import cursors
from dashboard.feed.links import range_url
from dashboard.feed.summary import summarise
from streams.models import Stream
from streams.noise import is_noise
from streams.queries import feed
from streams.queries.event import Matching
from streams.queries.feed import Cursor, StoredChange
from streams.rules import Filter

_ROWS = 100
# With a filter most rows may be left out: a page looks at so many at most.
_LOOKED_AT = 2_000

Shows = Callable[[StoredChange], bool]


def range_of(
    given: Mapping[str, str], streams: dict[str, int], filter_: Filter | None, *, show_noise: bool
) -> dict[str, Any]:
    """A page of the changes after one cursor and up to another, oldest first."""
    try:
        after = cursors.parse(given["after"])
        upto = cursors.parse(given["upto"]) if "upto" in given else feed.head()
    except ValueError as error:
        raise Http404(str(error)) from error
    ids = set(streams.values()) or None
    shown, looked_at, at = _read(after, upto, ids, _shows(filter_, show_noise=show_noise))
    left = sum(feed.count(after, upto, streams=ids).values())
    text = filter_.text if filter_ else ""
    return {
        "rows": [summarise(change) for change in shown],
        "left": left,
        "left_out": looked_at - len(shown),
        "sentence": filter_.sentence() if filter_ else "",
        "next": range_url(at, upto, streams, text, noise=show_noise) if looked_at < left else "",
    }


def _read(
    after: Cursor, upto: Cursor, ids: set[int] | None, shows: Shows
) -> tuple[list[StoredChange], int, Cursor]:
    """The rows of a page, how many changes were looked at, and where the next page begins."""
    shown: list[StoredChange] = []
    looked_at, at, more = 0, after, True
    while more and looked_at < _LOOKED_AT:
        page = feed.read(at, streams=ids, limit=_ROWS)
        more = page.more and page.cursor < upto
        for change in page.changes:
            if not change.cursor or change.cursor > upto:
                break
            looked_at += 1
            shown += [change] if shows(change) else []
            if len(shown) == _ROWS:
                return shown, looked_at, Cursor(*change.cursor)
        at = Cursor(*page.cursor)
    return shown, looked_at, at


def _shows(filter_: Filter | None, *, show_noise: bool) -> Shows:
    """Whether a change passes the filter, and is not noise."""
    streams = {stream.pk: stream for stream in Stream.objects.all()}
    matching = {pk: Matching(stream, filter_) for pk, stream in streams.items() if filter_}

    def shows(change: StoredChange) -> bool:
        if filter_ and not matching[change.stream_id](change):
            return False
        ignored = streams[change.stream_id].ignored_fields
        return show_noise or not is_noise(change.operation, change.changed, ignored)

    return shows
