"""The noise report: what makes most alerts and most changes, and the one edit that would quiet
it."""

from typing import NamedTuple
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from dashboard import access
from streams import rulebook
from streams.alerting.definition import RuleError
from streams.alerting.quieting import FIELDS, Edit
from streams.models import Rule
from streams.queries import noise_report as query
from streams.span import spell_span

CHANGE = "streams.change_rule"
_MUTE = "streams.add_mute"
_PERIODS = {"24h": "24 hours", "7d": "7 days", "30d": "30 days"}
_USUAL = "7d"


class Proposal(NamedTuple):
    """An edit in words; `mute` is the address of the form that mutes the group, "" if the edit is
    one of the rule."""

    edit: Edit
    sentence: str
    mute: str


@require_GET
def noise_page(request: HttpRequest) -> HttpResponse:
    period = request.GET.get("period") or _USUAL
    if period not in query.PERIODS:
        raise Http404("There is no report of that period.")
    report = query.report(query.PERIODS[period])
    context = {
        "report": report,
        "rows": [(row, _proposal(row.rule, row.edit)) for row in report.rules],
        "period": period,
        "periods": _PERIODS.items(),
        "words": _PERIODS[period],
        "most_alerts": query.MOST_ALERTS,
        "most_matches": query.MOST_MATCHES,
        "may_change": request.user.has_perm(CHANGE),
        "may_mute": request.user.has_perm(_MUTE),
        "may_ignore": request.user.has_perm("streams.change_stream"),
    }
    return render(request, "noise/page.html", context)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def apply_edit(request: HttpRequest) -> HttpResponse:
    """Save the proposed edit of a rule, if the rule is still as it was."""
    given = request.POST
    numbers = [given.get(name, "") for name in ("rule", "version", "value")]
    if given.get("field") not in FIELDS or not all(n.isdecimal() and len(n) < 10 for n in numbers):
        raise Http404("There is no such edit.")
    number, version, value = map(int, numbers)
    rule = get_object_or_404(Rule, pk=number)
    if rule.version != version:
        messages.error(request, f"Nothing was changed: {rule} was edited meanwhile. Look again.")
        return redirect("noise")
    try:
        who = access.person(request).get_username()
        saved = rulebook.save({given["field"]: value}, who, "From the noise report.", rule=rule)
    except RuleError as error:
        messages.error(request, f"Nothing was changed. {error.sentence}")
    else:
        messages.success(request, f"Saved {saved} as version {saved.version}.")
    return redirect("noise")


def _proposal(rule: Rule, edit: Edit | None) -> Proposal | None:
    if edit is None:
        return None
    left = f"{edit.left:,} of {edit.alerts:,}"
    if edit.field == "group":
        address = urlencode({"rule": rule.pk, "group": edit.value})
        sentence = f"Mute {edit.value or 'its alerts'}: {left} would have been left."
        return Proposal(edit, sentence, f"{reverse('mute-new')}?{address}")
    said = FIELDS[edit.field].format(spell_span(int(edit.value)))
    return Proposal(edit, f"{said}: {left} would have been left.", "")
