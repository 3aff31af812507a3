"""The destinations: the list with the log of deliveries, and one of them with its test."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from dashboard import access
from dashboard.forms.destination import DestinationForm
from streams.destinations.registry import DESTINATIONS
from streams.destinations.retry_schedule import MOST_TRIES
from streams.models import Destination
from streams.queries import deliveries as query
from streams.stages.deliver import send_test
from streams.stages.destination import InUse, delete_destination

ADD, CHANGE, DELETE = (f"streams.{deed}_destination" for deed in ("add", "change", "delete"))
_PAGE = 50


@require_GET
def destinations_page(request: HttpRequest) -> HttpResponse:
    asked = _asked(request.GET)
    page = query.page(asked, _PAGE)
    listed = query.destinations()
    chosen = {"state": asked.state, "destination": str(getattr(asked.destination, "pk", ""))}
    context = {
        "asked": asked,
        "destinations": listed,
        "kinds": _kinds(),
        "counted": query.COUNTED,
        "no_mail": not settings.EMAIL_HOST and any(r.destination.kind == "email" for r in listed),
        "tabs": [
            (state, title, _address({**chosen, "state": state}))
            for state, title in query.STATES.items()
        ],
        "rows": page.rows,
        "following": page.following,
        "older": _address({**chosen, "before": str(page.following or "")}),
        "most_tries": MOST_TRIES,
        "may_add": request.user.has_perm(ADD),
        "may_change": request.user.has_perm(CHANGE),
    }
    return render(request, "destinations/list.html", context)


@permission_required(ADD, raise_exception=True)
def new_destination(request: HttpRequest) -> HttpResponse:
    """`?kind=` says which kind."""
    kind = request.GET.get("kind", "")
    if kind not in DESTINATIONS:
        raise Http404(f"There is no kind of destination “{kind}”.")
    form = DestinationForm(request.POST or None, kind)
    if form.is_valid():
        made = form.apply(access.person(request).get_username())
        messages.success(request, "Saved. Send a test message to see if it arrives.")
        return redirect("destination", made.pk)
    context = {"form": form, "title": query.title_of(kind)}
    return render(request, "destinations/new.html", context, status=400 if form.is_bound else 200)


def destination_page(request: HttpRequest, destination_id: int) -> HttpResponse:
    """One of them: to change it, send a test, or delete it."""
    kept = get_object_or_404(Destination, pk=destination_id)
    may_change = request.user.has_perm(CHANGE) and kept.kind in DESTINATIONS
    form = DestinationForm(request.POST or None, kept.kind, kept) if may_change else None
    if form and form.is_valid():
        form.apply(access.person(request).get_username())
        messages.success(request, "Saved.")
        return redirect("destination", kept.pk)
    if request.method == "POST" and not form:
        raise PermissionDenied
    kept.refresh_from_db()
    test = query.last_test(kept)
    context = {
        "destination": kept,
        "title": query.title_of(kept.kind),
        "target": query.target_of(kept),
        "rules": kept.rules.order_by("name")[:100],
        "escalations": kept.escalations.order_by("name")[:100],
        "form": form,
        "test": test,
        "attempt": test.attempts.first() if test else None,
        "no_mail": kept.kind == "email" and not settings.EMAIL_HOST,
        "may_change": may_change,
        "may_delete": request.user.has_perm(DELETE),
    }
    status = 400 if form and form.is_bound else 200
    return render(request, "destinations/destination.html", context, status=status)


@require_POST
@permission_required(CHANGE, raise_exception=True)
def try_destination(request: HttpRequest, destination_id: int) -> HttpResponse:
    """Send a test message now; the page then shows what was answered."""
    kept = get_object_or_404(Destination, pk=destination_id)
    sent = send_test(kept, access.person(request).get_username())
    if sent.state == "sent":
        messages.success(request, "The test message was taken: see the answer below.")
    else:
        messages.error(request, "The test message was not taken: see below.")
    return redirect("destination", kept.pk)


@require_POST
@permission_required(DELETE, raise_exception=True)
def remove_destination(request: HttpRequest, destination_id: int) -> HttpResponse:
    kept = get_object_or_404(Destination, pk=destination_id)
    try:
        delete_destination(access.person(request).get_username(), kept)
    except InUse as error:
        messages.error(request, f"Not deleted. {error.sentence} {error.fix}")
        return redirect("destination", kept.pk)
    messages.success(request, f"Deleted: the destination {kept.name}.")
    return redirect("destinations")


def _asked(given: Any) -> query.Asked:
    """The filter in an address; Http404 if it names what there is not."""
    state, number, before = (given.get(name, "") for name in ("state", "destination", "before"))
    if state not in query.STATES:
        raise Http404("There is no such list of deliveries.")
    chosen = get_object_or_404(Destination, pk=_number(number)) if number else None
    return query.Asked(state, chosen, _number(before) if before else None)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise Http404("That is no number of anything here.")
    return int(text)


def _kinds() -> list[tuple[str, str]]:
    return [(kind, adapter.title) for kind, adapter in DESTINATIONS.items()]


def _address(given: dict[str, str]) -> str:
    return urlencode({name: value for name, value in given.items() if value})
