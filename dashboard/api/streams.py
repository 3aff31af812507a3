"""/api/v1/streams: every stream and its state, the worst first."""

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboard import access
from streams.queries.overview import statuses, system


@require_GET
@access.api
def streams(request: HttpRequest) -> HttpResponse:
    health = system()
    answer = {"streams": statuses(health), "system": health}
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")
