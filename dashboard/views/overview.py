"""The overview: every stream, the worst first. Reads roll-ups only and never calls a source."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from streams.queries.overview import statuses, system
from streams.state import UNTOLD


def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "overview/page.html", _facts())


def overview_table(request: HttpRequest) -> HttpResponse:
    """The part that the page renews every two seconds."""
    return render(request, "overview/_table.html", _facts())


def _facts() -> dict[str, Any]:
    streams = statuses()
    return {
        "streams": streams,
        "system": system(),
        "untold": UNTOLD,
        "rate": sum(stream.rate for stream in streams),
        "well": sum(stream.level == "ok" for stream in streams),
        "now": timezone.now(),
    }
