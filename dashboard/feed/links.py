"""Where changes can be seen as ordinary pages: between two cursors, or as a search."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.feed.selection import Selection
from streams.queries.feed import Cursor
from streams.when import iso


def range_url(
    after: Cursor, upto: Cursor, streams: Iterable[str], query: str = "", *, noise: bool = False
) -> str:
    """Exactly these changes of some streams, or of all if none are named; with noise or not."""
    parameters = [("after", str(after)), ("upto", str(upto))]
    parameters += [("stream", name) for name in streams]
    parameters += [("q", query)] if query else []
    parameters += [("noise", "show")] if noise else []
    return f"{reverse('live')}?{urlencode(parameters)}"


def search_url(selection: Selection, times: tuple[datetime, datetime] | None) -> str:
    """A search for them by the times at which they happened."""
    if not times:
        return search_for(_query(selection))
    oldest, newest = times
    # The source says whole seconds, and the end of a search is not part of it.
    return search_for(_query(selection), oldest, newest + timedelta(seconds=1))


def search_for(query: str, since: datetime | None = None, until: datetime | None = None) -> str:
    """A search by the text of a filter, of changes that happened in a time."""
    parameters = {"q": query}
    parameters |= {"since": iso(since)} if since else {}
    parameters |= {"until": iso(until)} if until else {}
    return f"{reverse('search')}?{urlencode(parameters)}"


def _query(selection: Selection) -> str:
    """The filter and the streams in one text; a pattern stands alone, it names no stream beside."""
    filter_ = selection.filter
    if filter_ and filter_.kind == "pattern":
        return filter_.text
    streams = f"stream:{','.join(selection.streams)}" if selection.streams else ""
    if filter_ and streams:
        return f"{streams} ({filter_.text})"
    return filter_.text if filter_ else streams
