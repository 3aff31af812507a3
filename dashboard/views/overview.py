"""The overview: every stream, the worst first. Reads roll-ups only and never calls a source."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from dashboard.gap_line import gap_line
from dashboard.overview_rows import GROUPS, SCALES, SORTS, Choice, table
from dashboard.sparks import spark
from streams.queries import glance
from streams.queries.hour import NO_CHANGE, last_hour, together
from streams.queries.overview import StreamStatus, statuses, system
from streams.queries.series import MOST_REST, rest
from streams.state import UNTOLD

_PINS = "deltawatch_pins"
_MOST_PINS = 100
_FEW = 50
_YEAR = 31_536_000
# The newest gaps are also told in words.
_TOLD_GAPS = 20


@gzip_page  # 200 streams are half a megabyte of much the same
def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "overview/page.html", _facts(request))


@gzip_page
def overview_table(request: HttpRequest) -> HttpResponse:
    """The part that the page renews by itself, and when the reader chooses otherwise."""
    facts = _facts(request)
    if "first" in request.GET and facts["streams"]:
        return HttpResponseClientRefresh()  # the page has no table to renew yet
    response = render(request, "overview/_table.html", facts)
    if request.headers.get("HX-Trigger") == "choices":
        response.headers["HX-Replace-Url"] = facts["choice"].url()
    return response


@require_POST
def pin(request: HttpRequest) -> HttpResponse:
    """Pin a stream to the top of the overview, or loose it; kept in a cookie."""
    back = request.POST.get("back", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
        back = "/"
    response = redirect(back)
    pins, given = set(_pins(request)), request.POST.get("pin", "")
    if given.isdecimal() and len(given) < 19:
        pins ^= {int(given)}
    kept = ".".join(map(str, sorted(pins)[:_MOST_PINS]))
    response.set_cookie(
        _PINS, kept, max_age=_YEAR, samesite="Lax", secure=request.is_secure(), httponly=True
    )
    return response


def _facts(request: HttpRequest) -> dict[str, Any]:
    health, choice = system(), Choice.of(request.GET)
    streams = statuses(health)
    hours = last_hour()
    gaps = glance.gaps_lately()
    return {
        "streams": streams,
        "table": table(streams, choice, _pins(request), hours),
        # With many streams the page is larger, and read more slowly.
        "period": 2 if len(streams) <= _FEW else 5,
        "choice": choice,
        "choices": {"sort": SORTS, "group": GROUPS, "scale": SCALES},
        "system": health,
        "cause": _one_cause(streams) if health.level == "ok" else "",
        "untold": UNTOLD,
        "rate": sum(stream.rate for stream in streams),
        "all_spark": spark(together([NO_CHANGE, *hours.values()])),
        "worst": max(streams, key=lambda stream: stream.lag_seconds or 0, default=None),
        "gaps": gaps,
        "gap_line": gap_line(gaps),
        "told_gaps": gaps.marks[:_TOLD_GAPS],
        "storage": glance.storage(),
        "bad": health.level == "bad" or any(stream.level == "bad" for stream in streams),
        "late": rest() > MOST_REST,
        "now": timezone.now(),
    }


def _one_cause(streams: list[StreamStatus]) -> str:
    """What keeps all streams from being read, in a sentence, if it is one and the same."""
    active = [stream for stream in streams if stream.state != "paused"]
    kinds = {stream.blocked_by for stream in active}
    stuck = all(stream.state in ("blocked", "stalled", "losing", "lost") for stream in active)
    if len(active) < 2 or len(kinds) != 1 or kinds == {""} or not stuck:
        return ""
    return f"All {len(active)} streams stand still for the same reason: {active[0].sentence}"


def _pins(request: HttpRequest) -> frozenset[int]:
    given = request.COOKIES.get(_PINS, "").split(".")[:_MOST_PINS]
    return frozenset(int(text) for text in given if text.isdecimal() and len(text) < 19)
