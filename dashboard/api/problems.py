"""/api/v1/problems: the problems by tab, state and stream, newest first, a page at a time."""

import msgspec
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dashboard import access
from dashboard.api.limit import limit_of
from dashboard.views.problems import asked_of
from streams.queries import problems as query


@require_GET
@access.api
def problems(request: HttpRequest) -> HttpResponse:
    """Open ones, if no `state` is given; `before` goes on where the last page ended."""
    limit = limit_of(request)
    if isinstance(limit, HttpResponse):
        return limit
    try:
        asked = asked_of(request.GET)
    except Http404 as error:
        return access.refusal(404, "not-found", str(error))
    page, watch = query.page(asked, limit), query.watch()
    answer = {
        "problems": [query.spelled(row) for row in page.rows],
        "before": str(page.following) if page.following else None,
        "checked_at": watch.checked_at,
        "checking": not watch.late,
    }
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")
