"""/api/v1/alerts: alerts by state, severity, rule and stream, newest first, a page at a time."""

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboard import access
from dashboard.api.limit import limit_of
from dashboard.views.alerts import asked_of
from streams.queries import alert_list as query


@require_GET
@access.api
def alerts(request: HttpRequest) -> HttpResponse:
    """Unresolved ones, if no `state` is given; `before` goes on where the last page ended."""
    limit = limit_of(request)
    if isinstance(limit, HttpResponse):
        return limit
    try:
        asked = asked_of(request.GET)
    except Http404 as error:
        return access.refusal(404, "not-found", str(error))
    page, calm = query.page(asked, limit), query.calm()
    answer = {
        "alerts": [query.spelled(alert) for alert in page.rows],
        "before": str(page.following) if page.following else None,
        "checked_at": calm.watch.checked_at,
        "checking": not calm.watch.late and calm.waiting is None,
    }
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")
