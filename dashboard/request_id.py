"""A name for each request: in the answer's header, on error pages, and in every log line.

So a person who saw an error page can name it, and the reason is found in the log.
"""

import re
import secrets

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from dashboard.logs import request_id

HEADER = "X-Request-ID"
# A proxy in front may have given one already; anything else in its place is not repeated.
_GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}\Z")


class RequestId(MiddlewareMixin):
    """Stands before all others, so that their log lines have it too."""

    def process_request(self, request: HttpRequest) -> None:
        given = request.headers.get(HEADER, "")
        request_id.set(given if _GIVEN.match(given) else secrets.token_hex(6))

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        response.headers[HEADER] = request_id.get()
        return response
