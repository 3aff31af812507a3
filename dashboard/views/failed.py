"""The error pages: what failed, since when, under which name it is in the log, and a way on.

Those of Django are replaced because they render a 500 without knowing the request.
"""

import sys
from datetime import UTC, datetime
from http import HTTPStatus

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from dashboard.logs import request_id

# Since when each page fails in this process; a page that was made takes itself out again.
_failing_since: dict[str, datetime] = {}


class FailingSince(MiddlewareMixin):
    """Notes which pages work, so that an error page can say since when its page does not."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            _failing_since.pop(_page(request), None)
        return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Makes no query: most often it is the database that is away."""
    now = datetime.now(UTC)
    error = sys.exc_info()[1]
    facts = {
        "request_id": request_id.get(),
        "since": _failing_since.setdefault(_page(request), now),
        "now": now,
        "retry": request.get_full_path() if request.method == "GET" else "",
        "database": isinstance(error, DatabaseError | InterfaceError),
    }
    return render(request, "500.html", facts, status=500)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A sentence of ours is shown; Django's own text for an unknown address is not."""
    said = exception.args[0] if exception.args and isinstance(exception.args[0], str) else ""
    return _refused(request, "404.html", said if " " in said else "", 404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _refused(request, "403.html", str(exception), 403)


def _refused(request: HttpRequest, template: str, said: str, status: int) -> HttpResponse:
    facts = {
        "request_id": request_id.get(),
        "said": said,
        "now": datetime.now(UTC),
        "retry": request.get_full_path() if request.method == "GET" else "",
    }
    return render(request, template, facts, status=status)


def _page(request: HttpRequest) -> str:
    """The kind of page: there are as many as addresses in urls.py, so they need no bound."""
    return request.resolver_match.view_name if request.resolver_match else ""
