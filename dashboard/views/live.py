"""The live feed, and any range of it as an ordinary page (live_range.py)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from dashboard import access
from dashboard.feed.columns import Previews
from dashboard.feed.protocol import COLUMNS, MOST_COLS, ROWS_PER_SECOND, Summary
from dashboard.feed.summary import summarise
from dashboard.forms.wrong import Wrong
from dashboard.views import live_columns
from dashboard.views.live_columns import Column
from dashboard.views.live_range import range_of
from streams.models import Stream
from streams.models.saved_view import views_of
from streams.noise import is_noise
from streams.queries import feed
from streams.queries.feed import Page, StoredChange
from streams.queries.search import search
from streams.queries.seconds import last_seconds
from streams.rules import Filter, PatternError, compile_text

_FIRST_ROWS = 100
# For the rows that the page begins with; the search page looks further.
_SEARCH_SECONDS = 1.0
_MOST_TEXT, _MOST_VIEWS = 10_000, 50
# The strip above the list.
_STRIP_SECONDS = 300


class Shown(NamedTuple):
    """A change as a row, and its values of the chosen columns."""

    row: Summary
    values: list[str | None]


class Asked(NamedTuple):
    """What the page's address asks for. `ids` are the streams', None for all."""

    streams: dict[str, int]
    filter: Filter | None
    columns: list[Column]
    noise: bool
    fast: bool

    @property
    def ids(self) -> set[int] | None:
        return set(self.streams.values()) or None


def live(request: HttpRequest) -> HttpResponse:
    names = request.GET.getlist("stream")
    streams = access.visible_streams(names)
    if missing := [name for name in names if name not in streams]:
        raise Http404(f"There is no stream “{missing[0]}” that you may see.")
    facts = _around(request, streams)
    try:
        asked = _asked(request, streams, facts["query"])
    except PatternError as error:
        return render(request, "live/wrong.html", facts | {"wrong": Wrong.of(error)}, status=400)
    if "after" in request.GET:
        found = range_of(request.GET.dict(), asked.streams, asked.filter, show_noise=asked.noise)
        return render(request, "live/range.html", facts | found)
    return render(request, "live/page.html", facts | _newest(asked))


def _around(request: HttpRequest, streams: dict[str, int]) -> dict[str, Any]:
    """What stands around the rows."""
    kept = ("cols", "noise", "rows", "mark")
    every = list(Stream.objects.values_list("name", "paused_at"))
    return {
        "all_streams": [name for name, _ in every],
        "paused": [name for name, at in every if at and (not streams or name in streams)],
        "chosen": list(streams),
        "query": request.GET.get("q", "").strip()[:_MOST_TEXT],
        "kept": [(name, text) for name in kept for text in request.GET.getlist(name)],
        "views": views_of(access.person(request))[:_MOST_VIEWS],
        "sel": request.GET.get("sel", "")[:40],
    }


def _asked(request: HttpRequest, streams: dict[str, int], query: str) -> Asked:
    filter_ = compile_text(query) if query else None
    try:
        columns = live_columns.parse(request.GET.get("cols", "")[:_MOST_TEXT])
    except ValueError:  # an old or mistyped address still shows the changes
        columns = live_columns.DEFAULT
    noise = request.GET.get("noise") == "show"
    fast = request.GET.get("rows") == str(ROWS_PER_SECOND[1])
    return Asked(streams, filter_, columns, noise, fast)


def _newest(asked: Asked) -> dict[str, Any]:
    """The first rows, and the cursor from which the socket goes on without a gap."""
    ids, filter_ = asked.ids, asked.filter
    page = _passing(ids, filter_) if filter_ else feed.newest(streams=ids, limit=_FIRST_ROWS)
    changes = page.changes if asked.noise else _without_noise(page.changes)
    paths = live_columns.paths(asked.columns)
    rows = _rows(changes, paths)
    return {
        "rows": rows[::-1],
        "blank": {},
        "columns": asked.columns,
        "sentence": filter_.sentence() if filter_ else "",
        "feed": {
            "cursor": str(page.cursor),
            "streams": list(asked.streams) or None,
            "filter": filter_.text if filter_ else "",
            "conditions": _conditions(filter_) if filter_ else 0,
            "noise": asked.noise,
            "noise_hidden": len(page.changes) - len(changes),
            "rows_per_second": ROWS_PER_SECOND[asked.fast],
            "most_rows_per_second": ROWS_PER_SECOND[-1],
            "columns": COLUMNS,
            "cols": paths,
            "most_cols": MOST_COLS,
            "column_choices": live_columns.choices(asked.columns),
            "seconds": _strip(ids),
            # Oldest first, as batches are.
            "rows": [[*msgspec.to_builtins(shown.row), shown.values] for shown in rows],
        },
    }


def _rows(changes: Sequence[StoredChange], paths: list[str]) -> list[Shown]:
    chosen = tuple(paths)
    previews = Previews([chosen] if chosen else [])
    return [
        Shown(
            summarise(change),
            msgspec.json.decode(previews.of(change)[chosen]) if chosen else [],
        )
        for change in changes
    ]


def _without_noise(changes: Sequence[StoredChange]) -> list[StoredChange]:
    ignored = dict(Stream.objects.values_list("id", "ignored_fields"))
    return [
        change
        for change in changes
        if not is_noise(change.operation, change.changed, ignored.get(change.stream_id, ()))
    ]


def _conditions(filter_: Filter) -> int:
    """How many conditions a change must meet, for a sentence."""
    sizes = [len(c.fields) + len(c.conditions) + len(c.excluded) for c in filter_.form]
    return max(sizes, default=1) or 1


def _strip(ids: set[int] | None) -> dict[str, Any]:
    end, counts = last_seconds(ids, _STRIP_SECONDS)
    return {"end": end, "counts": counts}


def _passing(ids: set[int] | None, filter_: Filter) -> Page:
    """The newest changes that pass a filter, as far as a short search finds them."""
    head = feed.head()
    streams = None if ids is None else list(Stream.objects.filter(pk__in=ids))
    found = search(filter_, streams=streams, limit=_FIRST_ROWS, budget_seconds=_SEARCH_SECONDS)
    # What has no place up to the head comes through the socket.
    before = [change for change in found.changes if change.cursor and change.cursor <= head]
    before.sort(key=lambda change: change.cursor or head)
    return Page(before, head, False)
