"""What an item's history can be taken away as: the page of evidence, and files of all versions."""

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from dashboard.streamed_file import streamed_file
from dashboard.views.item_named import named_item, named_version
from streams.csv_text import csv_lines
from streams.queries.evidence import evidence
from streams.queries.history import Version, all_versions, marks
from streams.queries.rows import StoredChange
from streams.queries.spelled import line, spelled_version

_COLUMNS = (
    *("id", "occurred_at", "stored_at", "operation", "changed", "ttl", "old", "old_from", "new"),
    *("new_from", "note", "sequence", "event_id", "shard", "size"),
)


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
    if _key(first) > _key(last):
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


def ndjson(versions: Iterable[Version]) -> Iterator[bytes]:
    """One version a line, as `manage.py history --json` spells it, then `{"end": {…}}`."""
    yield from _with_end(
        (_json_line(version) for version in versions),
        lambda end: (line({"end": end}) + "\n").encode(),
    )


def csv_file(versions: Iterable[Version]) -> Iterator[bytes]:
    """A head, one version a line, then one whose first cell is `# end`."""
    head = [_csv_line(_COLUMNS)]
    yield from _with_end(
        (piece for pieces in (head, map(_csv_version, versions)) for piece in pieces),
        lambda end: _csv_line(
            ["# end", end["sentence"], end["sha256"], *[""] * (len(_COLUMNS) - 3)]
        ),
        heads=1,
    )


def _with_end(
    lines: Iterable[bytes], last: Callable[[dict[str, Any]], bytes], heads: int = 0
) -> Iterator[bytes]:
    digest, number, failed = sha256(), -heads, ""
    try:
        for text in lines:
            digest.update(text)
            number += 1
            yield text
    except DatabaseError as error:
        # What is sent cannot be taken back, so the file itself says that it ends here.
        failed = str(error).partition("\n")[0] or type(error).__name__
    said = f"{number:,} version{'' if number == 1 else 's'}"
    sentence = f"NOT complete: {said}. The database failed: {failed}. Export it again."
    yield last(
        {
            "complete": not failed,
            "versions": number,
            "sha256": digest.hexdigest(),
            "sentence": sentence if failed else f"Complete: {said}.",
        }
    )


def _json_line(version: Version) -> bytes:
    # A line end in an image stands between its parts, where a space says the same.
    text = line(spelled_version(version.change, version.images))
    return (text.replace("\n", " ").replace("\r", " ") + "\n").encode("utf-8", "surrogatepass")


def _csv_version(version: Version) -> bytes:
    change, seen = version.change, version.images
    cells = {
        "occurred_at": change.occurred_at.isoformat(),
        "stored_at": change.stored_at.isoformat(),
        "changed": "" if change.changed is None else line(change.changed),
        "ttl": "true" if change.ttl else "false",
        "old": _text(seen.old),
        "old_from": seen.old_from,
        "new": _text(seen.new),
        "new_from": seen.new_from,
        "note": seen.sentence,
    }
    return _csv_line([cells.get(name, getattr(change, name, "")) for name in _COLUMNS])


def _csv_line(cells: Iterable[Any]) -> bytes:
    return csv_lines([cells]).encode("utf-8", "surrogatepass")


def _text(image: bytes | None) -> str:
    return "" if image is None else image.decode("utf-8", "replace")


def _key(change: StoredChange) -> tuple[int, int, str]:
    return change.generation, len(change.sequence), change.sequence


_FORMATS: dict[str, tuple[str, Callable[[Iterable[Version]], Iterator[bytes]]]] = {
    "ndjson": ("application/x-ndjson", ndjson),
    "csv": ("text/csv; charset=utf-8", csv_file),
}
