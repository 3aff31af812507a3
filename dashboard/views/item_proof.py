"""What an item's history can be taken away as: the page of evidence, and files of all versions."""

from collections.abc import Callable, Iterable, Iterator

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from dashboard.streamed_file import streamed_file
from dashboard.views.item_named import named_item, named_version
from streams.queries.evidence import evidence
from streams.queries.exported_item import csv_file, ndjson
from streams.queries.history import Version, all_versions, marks

_FORMATS: dict[str, tuple[str, Callable[[Iterable[Version]], Iterator[bytes]]]] = {
    "ndjson": ("application/x-ndjson", ndjson),
    "csv": ("text/csv; charset=utf-8", csv_file),
}


@require_GET
def evidence_page(request: HttpRequest, stream: str, token: str) -> HttpResponse:
    """Of the versions `first` to `last`; without them it leads to the address that names both, so
    that the address of a page of evidence always means the same."""
    item = named_item(stream, token)
    first, last = (named_version(request, item, name) for name in ("first", "last"))
    if first is None or last is None:
        ends = [marks(item.stream.pk, item.id, None, 1, newer=newer) for newer in (True, False)]
        if not ends[0]:
            raise Http404("No change of this item is stored.")
        named = {
            name: given.id if given else end[0].id
            for name, given, end in zip(("first", "last"), (first, last), ends, strict=True)
        }
        return redirect(f"{request.path}?{urlencode(named)}")
    if first.order > last.order:
        first, last = last, first
    found = evidence(item.stream, first, last)
    query = urlencode({"first": first.id, "last": last.id})
    return render(
        request,
        "item/evidence.html",
        {
            "item": item,
            "stream": item.stream,
            "key": item.label,
            "evidence": found,
            "first": first,
            "last": last,
            "made_at": timezone.now(),
            "next": found.entries[-1].id,
            "link": request.build_absolute_uri(f"{request.path}?{query}"),
            "api": request.build_absolute_uri("/api/v1/changes/"),
        },
    )


@require_GET
def export_item(request: HttpRequest, stream: str, token: str) -> StreamingHttpResponse:
    """Every version, newest first, as `format` ndjson or csv. The last line tells how many there
    were and the SHA-256 over all lines before it: a file without it was cut on its way."""
    item = named_item(stream, token)
    name = request.GET.get("format", "ndjson")
    if name not in _FORMATS:
        raise Http404(f"There is no such format; there are {' and '.join(_FORMATS)}.")
    media, written = _FORMATS[name]
    pieces = written(all_versions(item.stream, item.id))
    return streamed_file(pieces, media, f"{item.stream.name}-item", name)
