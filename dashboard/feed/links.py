"""Where changes between two cursors can be seen as ordinary pages."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from dashboard.feed.selection import Selection
from dashboard.feed.summary import iso
from streams.queries.feed import Cursor


def range_url(after: Cursor, upto: Cursor, streams: Iterable[str], query: str = "") -> str:
    """Exactly these changes of some streams, or of all if none are named."""
    parameters = [("after", str(after)), ("upto", str(upto))]
    parameters += [("stream", name) for name in streams]
    parameters += [("q", query)] if query else []
    return f"{reverse('live')}?{urlencode(parameters)}"


def search_url(selection: Selection, times: tuple[datetime, datetime] | None) -> str:
    """A search for them by the times at which they happened."""
    parameters = {"q": _query(selection)}
    if times:
        oldest, newest = times
        parameters["since"] = iso(oldest, "seconds")
        # The source says whole seconds, and the end of a search is not part of it.
        parameters["until"] = iso(newest + timedelta(seconds=1), "seconds")
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
