"""Search over stored changes, by the one filter language; and a saved view, which is a search.

The page brings the first results. How many there are, the histogram and the facets come after it
(views/search_summary.py); a search that takes longer goes on in steps, from where it stands.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from dashboard import access
from dashboard.feed.summary import summarise
from dashboard.forms.wrong import Wrong
from dashboard.views.search_asked import Asked, Question, understood
from dashboard.views.search_summary import summary_of
from streams.models import Stream
from streams.models.saved_view import views_of
from streams.queries.search import Found, Place, search
from streams.queries.search_bins import dropped_until
from streams.queries.search_plan import ONE_BY_ONE
from streams.queries.search_suggest import corrected
from streams.rules.expressions.suggest import FilterWarning
from streams.rules.operators import Exact
from streams.rules.values import Number

PER_PAGE = 100
# The page comes soon, with what was found until then; then it goes on in longer steps.
_FIRST_SECONDS, _STEP_SECONDS = 1.0, 2.5
# Streams named in examples and in hints.
_NAMED = 3
PRESETS = {"15m": "15 min", "1h": "1 h", "24h": "24 h", "7d": "7 days", "": "All"}


@require_GET
def search_page(request: HttpRequest) -> HttpResponse:
    asked = Asked.of(request.GET)
    facts: dict[str, Any] = {"asked": asked, "view": None}
    if "q" in request.GET or asked.streams:
        facts |= _searched(request, asked)
    return _rendered(request, facts)


@require_GET
def view_page(request: HttpRequest, view_id: int) -> HttpResponse:
    """A saved view's permalink."""
    view = get_object_or_404(views_of(access.person(request)), pk=view_id)
    asked = Asked.of_view(view, request.GET)
    return _rendered(request, {"asked": asked, "view": view, **_searched(request, asked)})


@require_GET
def search_more(request: HttpRequest) -> HttpResponse:
    """The rows that a page still lacks, found from where it stands."""
    question = understood(Asked.of(request.GET))
    if isinstance(question, Wrong):
        raise Http404(question.sentence)
    shown, hidden = (_number(request, name) for name in ("shown", "hidden"))
    shown = min(shown, PER_PAGE - 1)
    found = _found(request, question, PER_PAGE - shown, _STEP_SECONDS)
    facts = _shown(request, question, found, shown, hidden)
    return render(request, "search/_more.html", {"found": facts, "asked": question.asked})


def _rendered(request: HttpRequest, facts: dict[str, Any]) -> HttpResponse:
    asked: Asked = facts["asked"]
    person = access.person(request)
    facts["all_streams"] = list(Stream.objects.values_list("name", flat=True))
    facts["chosen"] = list(asked.streams)
    facts["views"] = [] if "found" in facts else list(views_of(person)[:50])
    facts["examples"] = [] if "found" in facts else _examples(facts["all_streams"])
    if "found" in facts:
        facts["save_query"] = asked._replace(query=asked.as_text, streams=()).url()
    facts["presets"] = [
        (since, label, asked._replace(since=since, until="").url())
        for since, label in PRESETS.items()
    ]
    return render(request, "search/page.html", facts, status=400 if "wrong" in facts else 200)


def _searched(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """The results, or what is wrong with the question."""
    question = understood(asked)
    if isinstance(question, Wrong):
        return {"wrong": question}
    found = _found(request, question, PER_PAGE, _FIRST_SECONDS)
    facts = {"found": _shown(request, question, found), **_spelled(question)}
    facts["too_old"] = _too_old(question)
    facts["first_page"] = not ("before" in request.GET or "after" in request.GET)
    if "summary" in request.GET:
        facts |= summary_of(question)
    return facts


def _found(request: HttpRequest, question: Question, limit: int, seconds: float) -> Found:
    return search(
        question.filter,
        **question.bounds,
        before=_place(request, "before"),
        after=_place(request, "after"),
        oldest_first=question.asked.oldest_first,
        limit=limit,
        budget_seconds=seconds,
        hide_noise=not question.asked.noise,
    )


def _place(request: HttpRequest, name: str) -> Place | None:
    try:
        return Place.parse(request.GET[name]) if name in request.GET else None
    except ValueError as error:
        raise Http404(str(error)) from error


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else 0


def _shown(
    request: HttpRequest, question: Question, found: Found, before: int = 0, hidden: int = 0
) -> dict[str, Any]:
    """A page of results, of which so many rows before are shown, or hidden, already."""
    asked = question.asked
    back = "before" in request.GET or ("after" not in request.GET and not asked.oldest_first)
    older = asked.url(before=str(found.older)) if found.older else ""
    newer = asked.url(after=str(found.newer)) if found.newer else ""
    shown, onward = before + len(found.changes), older if back else newer
    # To a page before this one the rows come from the other end: it cannot grow where it stands.
    grows = not found.complete and onward and back != asked.oldest_first
    return {
        "rows": [summarise(change) for change in found.changes],
        "shown": shown,
        "previous": older if asked.oldest_first else newer,
        "next": "" if grows else (newer if asked.oldest_first else older),
        "onward": "" if found.complete else onward,
        "goes_on": f"{onward}&shown={shown}&hidden={hidden + found.hidden}" if grows else "",
        "complete": found.complete,
        "searched_to": found.searched_to,
        "back": back,
        "looked_at": found.looked_at,
        "how": found.how,
        "hidden": hidden + found.hidden,
        "noise_url": asked._replace(noise=not asked.noise).url(),
        "hints": [] if found.complete else _hints(question, found),
        "only": found.complete and not older and not newer,
    }


def _hints(question: Question, found: Found) -> list[str]:
    """What would make this search quicker, in sentences."""
    hints = []
    if question.streams is None and len(found.how) > 1:
        hints.append("choose a stream")
    if question.since is None:
        hints.append("choose a period")
    slow = any(ONE_BY_ONE in way for way in found.how)
    names = _not_indexed(question) if slow else []
    if names:
        hints.append(
            f"let {' and '.join(names[:_NAMED])} be indexed in the stream's settings,"
            " for the changes of the days after that"
        )
    return hints


def _not_indexed(question: Question) -> list[str]:
    """Attributes that are asked for by value, and that no stream has an index of."""
    asked_for = {
        field.path.split(".")[1]
        for clause in question.filter.form
        for field in clause.fields
        if field.path.startswith(("old.", "new.", "keys."))
        and all(isinstance(test, Exact) for test in field.tests)
    }
    now = datetime.now(UTC)
    streams = question.all_streams
    return [
        name for name in sorted(asked_for) if not any(s.indexed.covers(name, now) for s in streams)
    ]


def _too_old(question: Question) -> list[tuple[str, datetime]]:
    """Streams that had changes in the period which retention has dropped, and up to when."""
    if question.since is None and question.until is None:
        return []
    since = question.since or datetime.min.replace(tzinfo=UTC)
    streams = question.all_streams
    dropped = dropped_until(streams)
    return [(s.name, dropped[s.pk]) for s in streams if s.pk in dropped and since < dropped[s.pk]]


def _spelled(question: Question) -> dict[str, Any]:
    """The filter in its other spelling and in words, and the doubts about it."""
    filter_ = question.filter
    pattern, expression = filter_.pattern(), filter_.expression()
    other = ""
    if filter_.kind == "expression" and filter_.text.strip() and pattern:
        other = msgspec.json.format(msgspec.json.encode(pattern, enc_hook=_as_written)).decode()
    elif filter_.kind == "pattern":
        other = expression or ""
    return {
        "sentence": filter_.sentence() if filter_.text.strip() else "",
        "other": other,
        "other_name": "an event pattern" if filter_.kind == "expression" else "an expression",
        "warnings": [(warning.sentence, _meant(question, warning)) for warning in filter_.warnings],
    }


def _as_written(number: Number) -> msgspec.Raw:
    """A float would lose digits."""
    return msgspec.Raw(number.text.encode())


def _meant(question: Question, warning: FilterWarning) -> str:
    """The search that was probably meant, "" if nobody knows."""
    text = corrected(question.asked.query, warning)
    return question.asked._replace(query=text).url() if text else ""


def _examples(streams: list[str]) -> list[tuple[str, str, str]]:
    """Searches to begin with, on streams that are watched here: address, text, meaning."""
    examples = [
        ("changed:status", "changes of one attribute"),
        ("op:REMOVE -actor:ttl", "deletions that were not by time to live"),
        ("status: * -> paid", "an attribute that became a value"),
        ("new.total>100", "a number above a limit"),
    ]
    plain = [name for name in streams if name.replace("-", "").replace("_", "").isalnum()]
    found = []
    for index, (text, meaning) in enumerate(examples):
        named = f"stream:{plain[index % min(len(plain), _NAMED)]} {text}" if plain else text
        found.append((f"{reverse('search')}?{Asked(named).url()}", named, meaning))
    return found if streams else []
