"""What a filter's input offers while somebody types, and the columns that a feed can show."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from dashboard import access
from streams.queries.search_suggest import columns, suggest

_MOST_TEXT = 10_000


@require_GET
def suggest_page(request: HttpRequest) -> JsonResponse:
    """Options for `q` with the caret at `at`; with `columns` the paths of values to be shown.

    An unknown stream is left out: what is typed meanwhile must not become an error.
    """
    names = request.GET.getlist("stream")
    ids = set(access.visible_streams(names).values()) if names else None
    if "columns" in request.GET:
        return JsonResponse({"columns": columns(ids)})
    text = request.GET.get("q", "")[:_MOST_TEXT]
    at = request.GET.get("at", "")
    caret = int(at) if at.isascii() and at.isdecimal() and len(at) < 8 else len(text)
    found = suggest(text, min(caret, len(text)), ids)
    options = [option._asdict() for option in found.options]
    return JsonResponse({"from": found.start, "to": found.end, "options": options})
