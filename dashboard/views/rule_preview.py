"""What a rule would have done with what is stored, and why a change matches it or does not.

The very evaluator that makes alerts is asked, for a bounded time: what it could not look at is
said.
"""

import json
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.forms.rule import RuleForm
from dashboard.rule_chart import Bars, Interval, bars, intervals
from dashboard.rule_message import Message, trial_message
from streams import rulebook
from streams.alerting.definition import Definition, RuleError
from streams.alerting.rule_sentence import sentence_of
from streams.models import Rule
from streams.queries import backtest as past
from streams.queries.backtest_result import FIRED, INVALID, NO_DATA, PARTIAL, Result
from streams.rules import EventError
from streams.rules.deciding.explain import Asked
from streams.rules.values import Leaf, Number

PERIODS: Mapping[str, tuple[str, timedelta]] = {
    "1h": ("1 h", timedelta(hours=1)),
    "24h": ("24 h", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
}
# While somebody edits, an early answer is worth more than a whole one.
_SOON_SECONDS, _LONGER_SECONDS, _SAVED_SECONDS = 3.0, 25.0, 2.0
# A backtest takes a processor, which the live feeds of this process need, too.
_AT_ONCE = threading.BoundedSemaphore(2)
_WAIT_SECONDS = 5.0
# More messages a day than this are not read.
_NOISY = 20
_LEVELS = {FIRED: "ok", NO_DATA: "warn", PARTIAL: "warn", INVALID: "bad"}


class Preview(NamedTuple):
    """`level` colours the verdict; `open` is where alerts would have been open, `unlooked` what
    was not looked at; `told` destinations get each message; `saved` is what the saved version would
    have done in the same time, None if it says the same or was not asked; `message` tells of the
    newest alert."""

    result: Result
    said: str
    level: str
    chart: Bars
    open: list[Interval]
    unlooked: list[Interval]
    begin: datetime
    bar_seconds: float
    told: int
    saved: Result | None
    noisy: bool
    longer: bool
    message: Message | None


class Part(NamedTuple):
    """A part of a rule, asked about one change; `conditions` are each with what was found."""

    part: int
    matched: bool
    conditions: list[tuple[Asked, str]]


@require_POST
def rule_preview(request: HttpRequest) -> HttpResponse:
    """The preview of what a form says, for a script: nothing is saved."""
    form, rule = _asked(request)
    return render(request, "rules/_preview.html", preview_facts(request, form, rule))


@require_POST
def rule_explain(request: HttpRequest) -> HttpResponse:
    """Why a change matches what a form says, or does not, for a script."""
    form, _ = _asked(request)
    return render(request, "rules/_explained.html", explanation_facts(request, form))


def _asked(request: HttpRequest) -> tuple[RuleForm, Rule | None]:
    number = request.POST.get("rule", "")
    known = number.isdecimal() and len(number) < 10
    rule = get_object_or_404(Rule, pk=int(number)) if known else None
    form = RuleForm(request.POST, new=rule is None)
    form.is_valid()
    return form, rule


def preview_facts(request: HttpRequest, form: RuleForm, rule: Rule | None) -> dict[str, Any]:
    """What `rules/_preview.html` shows."""
    definition = form.definition
    if definition is None:
        return {"preview": {"complaints": form.complaints}}
    if definition.kind == "health":
        said = sentence_of(definition)
        return {"preview": {"health": True, "said": said}}
    if not _AT_ONCE.acquire(timeout=_WAIT_SECONDS):
        return {"preview": {"busy": True, "said": sentence_of(definition)}}
    try:
        longer = request.POST.get("action") == "longer"
        found = _previewed(form, definition, rule, request.POST.get("period", ""), longer=longer)
    finally:
        _AT_ONCE.release()
    return {"preview": found}


def _previewed(
    form: RuleForm, definition: Definition, rule: Rule | None, period: str, *, longer: bool
) -> Preview:
    until = timezone.now()
    result = past.backtest(
        definition,
        since=until - PERIODS.get(period, PERIODS["24h"])[1],
        until=until,
        budget_seconds=_LONGER_SECONDS if longer else _SOON_SECONDS,
        digest_seconds=form.cleaned_data.get("digest_seconds") or 0,
    )
    matches = [bin_.matches for bin_ in result.bins]
    said = f"{result.matched:,} match{'' if result.matched == 1 else 'es'} in {len(matches)} bars"
    spans = [(alert.opened_at, alert.resolved_at) for alert in result.alerts]
    begin, end = _edges(result)
    return Preview(
        result=result,
        said=sentence_of(definition),
        level=_LEVELS.get(result.verdict, "info"),
        chart=bars(matches, said),
        open=intervals(spans, begin, end),
        unlooked=intervals([(begin, result.looked_back_to)], begin, end) if result.partial else [],
        begin=begin,
        bar_seconds=(end - begin).total_seconds() / max(1, len(matches)),
        told=len(form.cleaned_data.get("destinations", ())),
        saved=_saved(definition, rule, result),
        noisy=result.notifications_a_day > _NOISY,
        longer=longer,
        message=trial_message(form.content(), rule, result.alerts[0]) if result.alerts else None,
    )


def _edges(result: Result) -> tuple[datetime, datetime]:
    """The first bar's beginning and the last one's end."""
    bins = result.bins
    if len(bins) < 2:
        return result.since, result.until
    return bins[0].at, bins[-1].at + (bins[1].at - bins[0].at)


def _saved(definition: Definition, rule: Rule | None, result: Result) -> Result | None:
    """What the saved version would have done in the same time; None if it says the same, cannot
    work, or could not be asked in time."""
    if rule is None or result.verdict == INVALID:
        return None
    try:
        before = rulebook.definition_of(rule)
    except RuleError:
        return None
    if before == definition or before.kind == "health":
        return None
    found = past.backtest(
        before,
        since=result.looked_back_to,
        until=result.until,
        budget_seconds=_SAVED_SECONDS,
        digest_seconds=rule.digest_seconds,
    )
    return None if found.partial else found


def explanation_facts(request: HttpRequest, form: RuleForm) -> dict[str, Any]:
    """What `rules/_explained.html` shows: of the named change."""
    given = request.POST.get("change", "").strip()
    change = given.rstrip("/").rpartition("/")[2].partition("?")[0]
    facts: dict[str, Any] = {"change": given, "explained": (), "explain_wrong": ""}
    if form.definition is None:
        facts["explain_wrong"] = "The rule is not complete: mend it first."
    elif form.definition.kind == "health":
        facts["explain_wrong"] = "A health rule is not made of changes."
    elif not change:
        facts["explain_wrong"] = "Give the id of a change, or the address of its page."
    else:
        facts |= explained(form.definition, change)
    return facts


def explained(definition: Definition, change: str) -> dict[str, Any]:
    """Of a change, whether it matches and why: the facts of `rules/_explained.html`."""
    try:
        found = past.explain_change(definition, change)
    except EventError as error:
        return {"explain_wrong": f"The change cannot be asked: {error}."}
    if found is None:
        return {"explain_wrong": f"There is no change {change[:60]!r}, or it was dropped."}
    parts = [
        Part(number, part.matched, [(a, _values(a)) for a in part.conditions])
        for number, part in found.parts.items()
    ]
    return {"explained": parts, "change_id": found.change.id, "group": found.group}


def _values(asked: Asked) -> str:
    """What was found, as text; "" for nothing."""
    return ", ".join([*map(_spelled, asked.found), *(["…"] if asked.more else [])])


def _spelled(value: Leaf) -> str:
    if isinstance(value, Number):
        return value.text
    return json.dumps(value, ensure_ascii=False)
