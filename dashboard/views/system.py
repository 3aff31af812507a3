"""The system page: are workers, beat, the broker and the database well?"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from dashboard.feed.hub import hub
from streams.queries import installation
from streams.queries.overview import system


@require_GET
def system_page(request: HttpRequest) -> HttpResponse:
    return render(request, "system/page.html", _facts())


@require_GET
def system_part(request: HttpRequest) -> HttpResponse:
    """The part that the page renews."""
    return render(request, "system/_facts.html", _facts())


def _facts() -> dict[str, Any]:
    broker = installation.broker()
    pulses = {pulse.name: pulse for pulse in installation.pulses()}
    return {
        "system": system(),
        "seats": installation.seats(),
        "beat": pulses.get("beat"),
        "watch": pulses.get("watch"),
        "health": pulses.get("health"),
        "broker": broker,
        "database": installation.database(),
        "versions": installation.versions(),
        "viewers": len(hub.viewers),
        "now": timezone.now(),
    }
