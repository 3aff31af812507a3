"""What comes after a search's results: how many there are, when they happened, what they have in
common, and, if there is none, what is to blame. Each within its own budget of time.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dashboard import charts
from dashboard.charts import Stacked
from dashboard.feed.preview import visible
from dashboard.forms.wrong import Wrong
from dashboard.views.search_asked import Asked, Question, understood
from streams.bins import Bin
from streams.change import EPOCH, moment
from streams.models import Stream
from streams.queries.search import Count, count
from streams.queries.search_bins import Parts, ledger_bins, oldest_change, parts_of
from streams.queries.search_tally import MOST_MATCHES, Tally, tally
from streams.rules.expressions.compiler import conditions_of
from streams.rules.expressions.operands import asked as field_of
from streams.rules.operators import Exact
from streams.rules.spelling.value_text import test_text
from streams.when import iso

_TALLY_SECONDS, _LEDGER_SECONDS = 1.0, 1.0
# For each condition that may be to blame, of so many.
_WITHOUT_SECONDS, _MOST_WITHOUT, _COUNTED = 0.4, 8, 1_000
_WIDTH, _HEIGHT = 600, 80
# Values of a facet.
_MOST_VALUES = 8


class Histogram(NamedTuple):
    """The chart, and each part with the address of the search for it alone. `unlooked` is the width
    of the part that was not looked at, in the chart's units; `from_ledger`: hidden changes are in
    it too."""

    chart: Stacked
    bins: list[tuple[Bin, datetime, str]]
    begin: datetime
    end: datetime
    step: timedelta
    unlooked: float
    from_ledger: bool
    wider: str


class Value(NamedTuple):
    """One value of a facet, and the searches for it alone and without it ("" for none)."""

    label: str
    number: int
    url: str
    without_url: str


class Facet(NamedTuple):
    name: str
    values: list[Value]
    more: int


@require_GET
def search_summary(request: HttpRequest) -> HttpResponse:
    """The count, the histogram and the facets, for a page that has its results."""
    question = understood(Asked.of(request.GET))
    if isinstance(question, Wrong):
        raise Http404(question.sentence)
    return render(request, "search/_summary.html", summary_of(question))


@require_GET
def search_without(request: HttpRequest) -> HttpResponse:
    """Which single condition, if it were not there, would let something be found."""
    question = understood(Asked.of(request.GET))
    if isinstance(question, Wrong):
        raise Http404(question.sentence)
    return render(request, "search/_without.html", {"without": _without(question)})


def summary_of(question: Question) -> dict[str, Any]:
    found = tally(
        question.filter,
        **question.bounds,
        budget_seconds=_TALLY_SECONDS,
        hide_noise=not question.asked.noise,
        at_most=MOST_MATCHES,
    )
    histogram = _histogram(question, found)
    return {
        "asked": question.asked,
        "tally": found,
        "histogram": histogram,
        "facets": _facets(question, found),
        "total": histogram.chart.total if histogram and histogram.from_ledger else found.number,
        "exact": found.complete or bool(histogram and histogram.from_ledger),
    }


# The histogram


def _histogram(question: Question, found: Tally) -> Histogram | None:
    """None if there is nothing to be drawn."""
    now = datetime.now(UTC)
    until = min(question.until or now, max(now, _after_newest(found) or now))
    since = question.since or _oldest(question, found)
    if since is None or since >= until:
        return None
    since = max(since, EPOCH)
    parts = parts_of(since, until)
    bins, unlooked, from_ledger = parts.bins(found.moments), 0.0, False
    if not found.complete:
        ledger = _from_ledger(question, parts, since, until)
        if ledger is not None:
            bins, from_ledger = ledger, True
        else:
            looked_from = max(found.searched_to or parts.begin, parts.begin)
            unlooked = round(_WIDTH * ((looked_from - parts.begin) / (parts.end - parts.begin)), 2)
    asked = question.asked
    half = max((until - since) / 2, timedelta(seconds=1))
    return Histogram(
        charts.stacked(bins, width=_WIDTH, height=_HEIGHT),
        [(bin_, at, _url_of(asked, bin_.start, at)) for bin_, at in _with_ends(bins, parts)],
        parts.begin,
        parts.end,
        parts.step,
        unlooked,
        from_ledger,
        _url_of(asked, max(since - half, EPOCH), until + half),
    )


def _after_newest(found: Tally) -> datetime | None:
    """The moment after the newest match: a source's clock may be ahead."""
    return moment(found.moments[0][0] + 1) if found.moments else None


def _oldest(question: Question, found: Tally) -> datetime | None:
    if found.complete:
        return moment(found.moments[-1][0]) if found.moments else None
    return oldest_change(question.all_streams)


def _from_ledger(
    question: Question, parts: Parts, since: datetime, until: datetime
) -> list[Bin] | None:
    if not question.asked.everything:
        return None
    return ledger_bins(question.all_streams, parts, since, until, _LEDGER_SECONDS)


def _with_ends(bins: list[Bin], parts: Parts) -> Iterable[tuple[Bin, datetime]]:
    return ((bin_, bin_.start + parts.step) for bin_ in bins if bin_.total)


def _url_of(asked: Asked, since: datetime, until: datetime) -> str:
    return asked._replace(since=iso(since), until=iso(until)).url()


# The facets


def _facets(question: Question, found: Tally) -> list[Facet]:
    asked = question.asked
    names = dict(Stream.objects.filter(pk__in=list(found.streams)).values_list("pk", "name"))
    streams = Counter({names[pk]: number for pk, number in found.streams.items() if pk in names})
    actors = Counter({"ttl": found.ttl}) if found.ttl else Counter[str]()
    facets = [
        _facet("Stream", streams, lambda name: f"stream:{_spelled('stream', name)}", asked),
        _facet("Operation", found.operations, lambda name: f"op:{name}", asked),
        _facet(
            "Changed field", found.changed, lambda n: f"changed:{_spelled('changed', n)}", asked
        ),
        _facet("Actor", actors, lambda name: f"actor:{name}", asked),
    ]
    return [facet for facet in facets if facet.values]


def _facet(
    name: str, counts: "Counter[str]", condition: Callable[[str], str], asked: Asked
) -> Facet:
    values: list[Value] = []
    for value, number in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if len(values) == _MOST_VALUES:
            break
        only, without = asked.adding(condition(value)), asked.adding(f"-{condition(value)}")
        label = "TTL" if name == "Actor" else visible(value)
        values.append(
            Value(label, number, only.url() if only else "", without.url() if without else "")
        )
    return Facet(name, values, len(counts) - len(values))


def _spelled(field: str, value: str) -> str:
    return test_text(Exact(value), field_of(field))


# Nothing found


class Without(NamedTuple):
    """What is left out, how many changes match then, and the address of that search."""

    what: str
    found: Count
    url: str


def _without(question: Question) -> list[Without]:
    """The single conditions without which something is found."""
    asked = question.asked
    others: list[tuple[str, Asked]] = []
    if not asked.everything and not asked.query.lstrip().startswith("{"):
        conditions = conditions_of(asked.query)[:_MOST_WITHOUT]
        for place, text in enumerate(conditions):
            rest = " ".join(conditions[:place] + conditions[place + 1 :])
            others.append((text, asked._replace(query=rest)))
    if asked.since or asked.until:
        others.append(("the period", asked._replace(since="", until="")))
    if asked.streams:
        others.append(("the choice of streams", asked._replace(streams=())))
    found = [Without(what, _counted(other), other.url()) for what, other in others]
    return [without for without in found if without.found.number]


def _counted(asked: Asked) -> Count:
    question = understood(asked)
    if isinstance(question, Wrong):
        return Count(0, True, None)
    return count(
        question.filter,
        **question.bounds,
        at_most=_COUNTED,
        budget_seconds=_WITHOUT_SECONDS,
        hide_noise=not asked.noise,
    )
