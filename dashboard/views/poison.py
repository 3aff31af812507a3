"""Settling records that could not be read: one, or all that wait of a problem."""

import time
from typing import NamedTuple

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard import access
from dashboard.views.problems import SETTLE, shown
from streams.errors import ReasonMissing, UnreadableRecord
from streams.models import PoisonRecord, Problem
from streams.queries.problems import waiting
from streams.stages import settle

# One press tries so many records, and stops after so many seconds: the page says what is left.
MOST_AT_ONCE = 1_000
_SECONDS = 10.0
# So many different reasons are shown.
_MOST_REASONS = 10


class Tried(NamedTuple):
    """What came, or would come, of a retry: `left` were not tried."""

    good: int
    refused: dict[str, int]
    left: int

    @property
    def still_open(self) -> int:
        return sum(self.refused.values())


@require_POST
@permission_required(SETTLE, raise_exception=True)
def retry_record(request: HttpRequest, record_id: int) -> HttpResponse:
    record = _record(record_id)
    try:
        done = settle.retry(record, access.person(request).get_username())
    except UnreadableRecord as error:
        return shown(request, record.problem_id, f"Still open: {error}", record.pk)
    messages.success(
        request, "Stored: its change has taken its place in the item's history." if done else _LATE
    )
    return redirect("problem", record.problem_id)


@require_POST
@permission_required(SETTLE, raise_exception=True)
def skip_record(request: HttpRequest, record_id: int) -> HttpResponse:
    record = _record(record_id)
    reason = request.POST.get("reason", "")[:500]
    try:
        done = settle.skip(record, access.person(request).get_username(), reason)
    except ReasonMissing as error:
        return shown(request, record.problem_id, str(error), record.pk)
    messages.success(request, "Skipped: there is a gap for it now." if done else _LATE)
    return redirect("problem", record.problem_id)


@require_http_methods(["GET", "POST"])
@permission_required(SETTLE, raise_exception=True)
def retry_all(request: HttpRequest, problem_id: int) -> HttpResponse:
    """First what a retry would do, counted by trying without storing; then the deed."""
    problem = get_object_or_404(Problem.objects.select_related("stream"), pk=problem_id)
    if request.method == "GET":
        context = {
            "problem": problem,
            "tried": _try_all(problem, None),
            "waiting": waiting(problem.pk),
            "most": MOST_AT_ONCE,
        }
        return render(request, "problems/retry.html", context)
    tried = _try_all(problem, access.person(request).get_username())
    said = f"Stored: {tried.good:,}. Still open: {tried.still_open:,}."
    if tried.left:
        said += f" Not tried yet: {tried.left:,}{'+' if tried.left >= MOST_AT_ONCE else ''}."
    messages.success(request, said)
    return redirect("problem", problem.pk)


@require_GET
@permission_required("streams.view_poisonrecord", raise_exception=True)
def raw_record(request: HttpRequest, record_id: int) -> HttpResponse:
    """All of its bytes, as they came."""
    record = _record(record_id)
    answer = HttpResponse(bytes(record.raw), content_type="application/octet-stream")
    answer["Content-Disposition"] = f'attachment; filename="record-{record.pk}.bin"'
    return answer


_LATE = "It had been settled before."


def _record(record_id: int) -> PoisonRecord:
    return get_object_or_404(PoisonRecord.objects.select_related("shard__stream"), pk=record_id)


def _try_all(problem: Problem, who: str | None) -> Tried:
    """Retry what waits, the oldest first; without a person, only find out what would come."""
    rows = problem.records.filter(outcome="").select_related("shard__stream").order_by("pk")
    ends, good, refused, seen = time.monotonic() + _SECONDS, 0, dict[str, int](), 0
    for record in rows[:MOST_AT_ONCE]:
        if time.monotonic() > ends:
            break
        seen += 1
        if why := _try(record, who):
            known = why if why in refused or len(refused) < _MOST_REASONS else "Other reasons."
            refused[known] = refused.get(known, 0) + 1
        else:
            good += 1
    open_now = waiting(problem.pk)
    left = open_now - seen if who is None else open_now - sum(refused.values())
    return Tried(good, refused, max(0, left))


def _try(record: PoisonRecord, who: str | None) -> str:
    """Why it cannot be stored; "" if it was, or would be."""
    if who is None:
        return settle.readable(record)
    try:
        settle.retry(record, who)
    except UnreadableRecord as error:
        return str(error)
    return ""
