"""Everything that a search finds as a file, however much it is. First it says how much."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dashboard.forms.wrong import Wrong
from dashboard.streamed_file import streamed_file
from dashboard.views.search_asked import Asked, Question, understood
from streams.queries.exported import csv_file, ndjson
from streams.queries.search import Count, count
from streams.queries.search_all import Portion, all_matches
from streams.queries.search_bins import ledger_bins, oldest_change, parts_of

_COUNTING_SECONDS = 1.0


class _Format(NamedTuple):
    media: str
    written: Callable[[Iterable[Portion]], Iterator[bytes]]


_FORMATS = {
    "ndjson": _Format("application/x-ndjson", ndjson),
    "csv": _Format("text/csv; charset=utf-8", csv_file),
}


@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """The file with `format`; else the page that says how many changes it would hold."""
    asked = Asked.of(request.GET)
    question = understood(asked)
    if isinstance(question, Wrong):
        facts = {"asked": asked, "wrong": question}
        return render(request, "search/export.html", facts, status=400)
    name = request.GET.get("format", "")
    if name and name not in _FORMATS:
        raise Http404(f"There is no format “{name}”; there are {' and '.join(_FORMATS)}.")
    return _file(question, name) if name else _page(request, question)


def _file(question: Question, name: str) -> StreamingHttpResponse:
    format_ = _FORMATS[name]
    portions = all_matches(
        question.filter,
        **question.bounds,
        oldest_first=question.asked.oldest_first,
        hide_noise=not question.asked.noise,
    )
    streams = "-".join(question.asked.streams[:3]) or "changes"
    return streamed_file(format_.written(portions), format_.media, streams, name)


def _page(request: HttpRequest, question: Question) -> HttpResponse:
    asked = question.asked
    return render(
        request,
        "search/export.html",
        {
            "asked": asked,
            "count": _count(question),
            "files": [(name, asked.url(format=name)) for name in _FORMATS],
            "back": asked.url(),
            "sentence": "" if asked.everything else question.filter.sentence(),
        },
    )


def _count(question: Question) -> Count:
    """How many changes the file will hold; without a filter the ledger knows, if nothing is
    hidden."""
    found = count(
        question.filter,
        **question.bounds,
        budget_seconds=_COUNTING_SECONDS,
        hide_noise=not question.asked.noise,
    )
    if found.complete or not (question.asked.everything and question.asked.noise):
        return found
    since, until = question.since or oldest_change(question.all_streams), datetime.now(UTC)
    if since is None:
        return found
    until = question.until or until
    bins = ledger_bins(
        question.all_streams, parts_of(since, until), since, until, _COUNTING_SECONDS
    )
    return found if bins is None else Count(sum(bin_.total for bin_ in bins), True, None)
