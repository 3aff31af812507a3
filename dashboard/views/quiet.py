"""When nothing is sent: mutes with an end, and maintenance windows that come again every week."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db import transaction
from django.forms import model_to_dict
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from dashboard import access
from dashboard.forms.quiet import WEEKDAYS, MuteForm, WindowForm
from streams.models import Edit, MaintenanceWindow, Mute
from streams.queries import quiet as query
from streams.queries.alerts import running_mutes
from streams.stages import answer

MUTE, END = "streams.add_mute", "streams.change_mute"
WINDOWS = "streams.change_maintenancewindow"
_MOST_MUTES = 200


@require_GET
def quiet_page(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    context = {
        "now": now,
        "mutes": running_mutes(now)[:_MOST_MUTES],
        "over": query.mutes_lately(now),
        "windows": [(held, _days(held.window)) for held in query.windows(now)],
        "most": (_MOST_MUTES, query.MOST_WINDOWS),
        "may_mute": request.user.has_perm(MUTE),
        "may_end": request.user.has_perm(END),
        "may_window": request.user.has_perm(WINDOWS),
    }
    return render(request, "quiet/page.html", context)


@permission_required(MUTE, raise_exception=True)
def new_mute(request: HttpRequest) -> HttpResponse:
    """`?rule=` and `?group=` fill the form in."""
    rule, group = request.GET.get("rule", ""), request.GET.get("group")
    given = {"rule": rule, "group": group or "", "every": group is None}
    form = MuteForm(request.POST or None, initial=given)
    back = _back(request)
    if form.is_valid():
        mute = form.apply(access.person(request).get_username())
        messages.success(request, f"Muted: {mute}. Alerts still open, and are kept.")
        return redirect(back or "quiet")
    context = {"form": form, "back": back}
    return render(request, "quiet/mute.html", context, status=400 if form.is_bound else 200)


@require_POST
@permission_required(END, raise_exception=True)
def end_mute(request: HttpRequest, mute_id: int) -> HttpResponse:
    mute = get_object_or_404(Mute, pk=mute_id)
    if answer.end_mute(mute, access.person(request).get_username()):
        messages.success(request, "The mute was ended. What is open is told in a moment.")
    else:
        messages.warning(request, "That mute was over before.")
    return redirect(_back(request) or "quiet")


@permission_required(WINDOWS, raise_exception=True)
def window(request: HttpRequest, window_id: int | None = None) -> HttpResponse:
    """Add a maintenance window, or change one."""
    kept = get_object_or_404(MaintenanceWindow, pk=window_id) if window_id else MaintenanceWindow()
    before = _content(kept) if window_id else None
    form = WindowForm(request.POST or None, kept)
    if form.is_valid():
        with transaction.atomic():
            saved = form.save()
            _note(request, saved.name, before, _content(saved))
        messages.success(request, f"Saved: the maintenance window {saved.name}.")
        return redirect("quiet")
    context = {"form": form, "window_id": window_id, "name": (before or {}).get("name", "")}
    return render(request, "quiet/window.html", context, status=400 if form.is_bound else 200)


@require_POST
@permission_required(WINDOWS, raise_exception=True)
def delete_window(request: HttpRequest, window_id: int) -> HttpResponse:
    kept = get_object_or_404(MaintenanceWindow, pk=window_id)
    with transaction.atomic():
        _note(request, kept.name, _content(kept), None)
        kept.delete()
    messages.success(request, f"Deleted: the maintenance window {kept.name}.")
    return redirect("quiet")


def _back(request: HttpRequest) -> str:
    """Where the form was sent from; "" if that is no page of ours."""
    after = request.POST.get("next", "")
    return after if url_has_allowed_host_and_scheme(after, None) else ""


def _days(window: MaintenanceWindow) -> str:
    """`Monday, Tuesday`, `every day`."""
    if len(set(window.weekdays)) == len(WEEKDAYS):
        return "every day"
    return ", ".join(WEEKDAYS[day] for day in sorted(set(window.weekdays)))


def _content(window: MaintenanceWindow) -> dict[str, Any]:
    content = model_to_dict(window, exclude=["id", "rules"])
    rules = sorted(window.rules.values_list("name", flat=True))
    return {**content, "begins": str(content["begins"]), "rules": rules}


def _note(
    request: HttpRequest,
    name: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    fields = {
        field: [(before or {}).get(field), (after or {}).get(field)]
        for field in (after or before or {})
    }
    changed = {field: pair for field, pair in fields.items() if pair[0] != pair[1]}
    who = access.person(request).get_username()
    Edit.objects.create(who=who, what=f"maintenance window {name}", fields=changed)
