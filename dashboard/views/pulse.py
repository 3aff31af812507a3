"""What is wrong now, for the title and icon of pages that are open in a background tab."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from dashboard import access
from dashboard.shell import Shell
from streams.queries.overview import statuses, system


@require_GET
@access.api
def pulse(request: HttpRequest) -> JsonResponse:
    """`problems` and `alerts` as their badges spell them, `open` as the title does, and `bad`:
    whether anything is in a bad state."""
    health = system()
    bad = health.level == "bad" or any(stream.level == "bad" for stream in statuses(health))
    shell = Shell(request)
    counted = {"open": shell.open, "problems": shell.problems, "alerts": shell.alerts}
    response = JsonResponse({**counted, "bad": bad})
    response.headers["Cache-Control"] = "no-store"
    return response
