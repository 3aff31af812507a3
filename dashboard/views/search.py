"""Search over stored changes, by the one filter language; and a saved view, which is a search."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from dashboard import access
from dashboard.feed.summary import summarise
from dashboard.forms.wrong import Wrong
from streams.models import Stream
from streams.models.saved_view import views_of
from streams.queries.search import Count, Found, Place, count, search
from streams.rules import Filter, PatternError, compile_text
from streams.when import parse_moment

_PER_PAGE = 100
# A page that takes longer shows what was found until then, and goes on from there.
_BUDGET_SECONDS, _COUNTING_SECONDS = 5.0, 1.0
_MOST_TEXT = 10_000


class Asked(NamedTuple):
    """What a search asks for, as the person wrote it."""

    query: str
    since: str
    until: str
    oldest_first: bool

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Asked":
        return cls(
            given.get("q", "")[:_MOST_TEXT],
            given.get("since", "")[:40],
            given.get("until", "")[:40],
            given.get("order") == "oldest",
        )

    def url(self, **more: str) -> str:
        """The parameters of this search's address."""
        order = "oldest" if self.oldest_first else ""
        given = {"since": self.since, "until": self.until, "order": order, **more}
        return urlencode({"q": self.query, **{name: text for name, text in given.items() if text}})


def search_page(request: HttpRequest) -> HttpResponse:
    facts: dict[str, Any] = {"asked": Asked.of(request.GET), "view": None}
    if "q" in request.GET:
        facts |= _searched(request, facts["asked"])
    return _rendered(request, facts)


def view_page(request: HttpRequest, view_id: int) -> HttpResponse:
    """A saved view's permalink."""
    view = get_object_or_404(views_of(access.person(request)), pk=view_id)
    asked = Asked(view.query, view.since, view.until, request.GET.get("order") == "oldest")
    return _rendered(request, {"asked": asked, "view": view, **_searched(request, asked)})


def _rendered(request: HttpRequest, facts: dict[str, Any]) -> HttpResponse:
    facts["views"] = views_of(access.person(request))
    facts["examples"] = _examples() if "found" not in facts else []
    facts["save_query"] = facts["asked"].url()
    return render(request, "search/page.html", facts, status=400 if "wrong" in facts else 200)


def _searched(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """The results, or what is wrong with the question."""
    now = datetime.now(UTC)
    try:
        filter_ = compile_text(asked.query)
    except PatternError as error:
        return {"wrong": Wrong.of(error)}
    try:
        since = parse_moment(asked.since, now) if asked.since else None
        until = parse_moment(asked.until, now) if asked.until else None
    except ValueError as error:
        return {"wrong": Wrong("since", str(error))}
    before, after = _place(request, "before"), _place(request, "after")
    found = search(
        filter_,
        since=since,
        until=until,
        before=before,
        after=after,
        oldest_first=asked.oldest_first,
        limit=_PER_PAGE,
        budget_seconds=_BUDGET_SECONDS,
    )
    counted = None
    if not (before or after):
        counted = Count(len(found.changes), True, None)
        if not found.complete or found.older or found.newer:
            counted = count(filter_, since=since, until=until, budget_seconds=_COUNTING_SECONDS)
    return {"found": _shown(asked, found), "counted": counted, **_spelled(filter_)}


def _place(request: HttpRequest, name: str) -> Place | None:
    try:
        return Place.parse(request.GET[name]) if name in request.GET else None
    except ValueError as error:
        raise Http404(str(error)) from error


def _shown(asked: Asked, found: Found) -> dict[str, Any]:
    older, newer = found.older, found.newer
    return {
        "rows": [summarise(change) for change in found.changes],
        "older": asked.url(before=str(older)) if older else "",
        "newer": asked.url(after=str(newer)) if newer else "",
        "complete": found.complete,
        "searched_to": found.searched_to,
        "looked_at": found.looked_at,
        "how": found.how,
    }


def _spelled(filter_: Filter) -> dict[str, Any]:
    """The filter in its other spelling and in words."""
    pattern, expression = filter_.pattern(), filter_.expression()
    other = ""
    if filter_.kind == "expression" and filter_.text.strip() and pattern:
        other = msgspec.json.format(msgspec.json.encode(pattern)).decode()
    elif filter_.kind == "pattern":
        other = expression or ""
    return {
        "sentence": filter_.sentence() if filter_.text.strip() else "",
        "other": other,
        "other_name": "an event pattern" if filter_.kind == "expression" else "an expression",
        "warnings": filter_.warnings,
    }


def _examples() -> list[tuple[str, str]]:
    """Searches to begin with, on a stream that is watched here."""
    stream = Stream.objects.values_list("name", flat=True).first()
    if stream is None:
        return []
    named = f"stream:{stream}" if stream.replace("-", "").replace("_", "").isalnum() else ""
    examples = [
        ("op:REMOVE -actor:ttl", "deletions that were not by time to live"),
        ("changed:status", "changes of one attribute"),
        ("status: * -> paid", "an attribute that became a value"),
        ("new.total>100", "a number above a limit"),
    ]
    return [(f"{named} {text}".strip(), meaning) for text, meaning in examples]
