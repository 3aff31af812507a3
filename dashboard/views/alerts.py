"""The alerts: the list, and the page of one with its evidence, what was sent, and its timeline."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from dashboard import access
from dashboard.feed.preview import preview
from dashboard.feed.summary import summarise
from dashboard.forms.alert import AnswerForm
from dashboard.forms.problem import people
from dashboard.forms.quiet import SPANS
from dashboard.views.quiet import MUTE
from dashboard.views.rule_preview import explained
from streams.alerting.definition import RuleError, define
from streams.models import Rule, Stream
from streams.queries import alert_list as query
from streams.queries import alerts as one
from streams.queries import quiet
from streams.queries.place import Place

_PAGE = 50
_CHANGES = 20
# A value of the sample is cut there.
_LONGEST = 300
_MOST_CHOICES = 1_000
ANSWER = "streams.change_alert"
_SEVERITIES = Rule.Severity.values


@require_GET
def alerts_page(request: HttpRequest) -> HttpResponse:
    asked = asked_of(request.GET)
    page = query.page(asked, _PAGE)
    counted = query.counts(asked)
    rest = {
        "severity": asked.severity,
        "rule": str(asked.rule.pk) if asked.rule else "",
        "stream": asked.stream.name if asked.stream else "",
    }
    context = {
        "asked": asked,
        "rows": page.rows,
        "older": _address(asked.state, {**rest, "before": str(page.following or "")}),
        "following": page.following,
        "tabs": [(state, counted.get(state), _address(state, rest)) for state in query.STATES],
        "most": query.COUNTED,
        "narrowed": any(rest.values()),
        "severities": _SEVERITIES,
        "rules": Rule.objects.values_list("pk", "name")[:_MOST_CHOICES],
        "streams": Stream.objects.values_list("name", flat=True)[:_MOST_CHOICES],
        "calm": query.calm(),
        "may_answer": request.user.has_perm(ANSWER),
        "here": request.get_full_path(),
    }
    return render(request, "alerts/list.html", context)


def asked_of(given: Any) -> query.Asked:
    """The filter in an address; Http404 if it names what there is not."""
    state, severity = given.get("state") or "unresolved", given.get("severity", "")
    if state not in query.STATES or severity not in ("", *_SEVERITIES):
        raise Http404("There is no such list of alerts.")
    rule = stream = None
    if number := given.get("rule", ""):
        rule = Rule.objects.filter(pk=number).first() if _is_number(number) else None
        if rule is None:
            raise Http404(f"There is no rule {number}.")
    if name := given.get("stream", ""):
        stream = Stream.objects.filter(name=name).first()
        if stream is None:
            raise Http404(f"There is no stream “{name}”.")
    try:
        before = Place.parse(given["before"]) if given.get("before") else None
    except ValueError as error:
        raise Http404("The place in the list is none.") from error
    return query.Asked(state, severity, rule, stream, before)


@require_GET
def alert_page(request: HttpRequest, alert_id: int) -> HttpResponse:
    now, after = timezone.now(), request.GET.get("changes", "")
    told = one.find(alert_id, now)
    if told is None:
        raise Http404(f"There is no alert {alert_id}.")
    alert = told.alert
    changes, following = one.changes_of(alert, int(after) if _is_number(after) else 0, _CHANGES)
    context = {
        **told._asdict(),
        # Today's is the one that helps.
        "runbook": alert.rule.runbook if alert.rule else "",
        "windows": quiet.windows_of(alert, now),
        "sample": [_differing(row) for row in alert.sample],
        "changes": [(match, summarise(change) if change else None) for match, change in changes],
        "following": following,
        "after": after if _is_number(after) else "",
        **_why(told, request.GET.get("explain", "")),
        "people": people(access.person(request).get_username()),
        "spans": [(name, label) for name, (label, _) in SPANS.items()],
        "may_answer": request.user.has_perm(ANSWER),
        "may_mute": request.user.has_perm(MUTE),
    }
    return render(request, "alerts/alert.html", context)


@require_POST
@permission_required(ANSWER, raise_exception=True)
def answer_alerts(request: HttpRequest) -> HttpResponse:
    """Acknowledge, resolve or note something of one alert or those that are checked."""
    form = AnswerForm(request.POST, access.person(request).get_username())
    if form.is_valid():
        messages.success(request, form.apply())
    else:
        messages.error(request, f"Nothing was changed. {form.sentence}")
    after = request.POST.get("next", "")
    return redirect(after if url_has_allowed_host_and_scheme(after, None) else "alerts")


def _why(told: one.Told, chosen: str) -> dict[str, Any]:
    """Why a change matched what the rule said then: the chosen one, or else the one that opened
    the alert; nothing where there is none, or the rule of then is not known."""
    change, version = chosen or told.alert.sample_change, told.version
    if told.alert.kind == Rule.Kind.HEALTH or not change or not (version and version.content):
        return {}
    try:
        definition = define(version.content)
    except RuleError:
        return {}  # it was saved by an older Deltawatch, whose rules were others
    return {"why": change, "why_chosen": bool(chosen), **explained(definition, change)}


def _differing(row: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    """A line of the sample: the path, and both values as text; None where there is none."""
    old, new = row["old"], row["new"]
    return (
        row["path"],
        None if old is None else preview(old, _LONGEST),
        None if new is None else preview(new, _LONGEST),
    )


def _address(state: str, rest: dict[str, str]) -> str:
    given = {"state": "" if state == "unresolved" else state, **rest}
    return urlencode({name: value for name, value in given.items() if value})


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19
