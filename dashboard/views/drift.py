"""The drift journal: attributes, types and values that were seen for the first time."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from streams.models import Rule, Stream
from streams.queries import drift as query
from streams.queries.place import Place

_PAGE = 50
_MOST_STREAMS = 1_000


@require_GET
def drift_page(request: HttpRequest) -> HttpResponse:
    asked = asked_of(request.GET)
    page = query.page(asked, _PAGE)
    chosen = {
        "stream": asked.stream.name if asked.stream else "",
        "rule": str(asked.rule.pk) if asked.rule else "",
        "before": str(page.following or ""),
    }
    rules = query.rules()
    context = {
        "asked": asked,
        "rows": page.rows,
        "following": page.following,
        "older": urlencode({name: value for name, value in chosen.items() if value}),
        "missing": query.missing(asked.stream) if asked.stream and not asked.before else [],
        "rules": rules,
        "on": [rule for rule in rules if rule.enabled],
        "streams": Stream.objects.values_list("name", flat=True)[:_MOST_STREAMS],
        "new_rule": urlencode(_new_rule(asked.stream)),
        "may_add": request.user.has_perm("streams.add_rule"),
    }
    return render(request, "drift/page.html", context)


def asked_of(given: Any) -> query.Asked:
    """The filter in an address; Http404 if it names what there is not."""
    stream = rule = before = None
    if name := given.get("stream", ""):
        stream = Stream.objects.filter(name=name).first()
        if stream is None:
            raise Http404(f"There is no stream “{name}”.")
    if number := given.get("rule", ""):
        known = Rule.objects.filter(kind=Rule.Kind.FIRST_SEEN)
        rule = known.filter(pk=number).first() if number.isdecimal() and len(number) < 18 else None
        if rule is None:
            raise Http404("There is no such rule for what is seen for the first time.")
    try:
        before = Place.parse(given["before"]) if given.get("before") else None
    except ValueError as error:
        raise Http404("The place in the journal is none.") from error
    return query.Asked(stream, rule, before)


def _new_rule(stream: Stream | None) -> dict[str, str]:
    """What the form of a new rule begins with."""
    name = f"New attributes of {stream.name}" if stream else "New attributes"
    said = {"name": name, "kind": "first-seen", "seen_what": query.ATTRIBUTES, "severity": "info"}
    return {**said, "query": f"stream:{stream.name}"} if stream else said
