"""An item's versions as a file: lines of JSON, or CSV. Made piece by piece, in constant memory.

The last line tells how many there were and the SHA-256 over all lines before it: a file without it
was cut on its way.
"""

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import Any

from django.db import DatabaseError

from streams.csv_text import csv_lines
from streams.queries.history import Version
from streams.queries.spelled import cells, file_line, line, spelled_version

_COLUMNS = (
    *("id", "occurred_at", "stored_at", "operation", "changed", "ttl", "old", "old_from", "new"),
    *("new_from", "note", "sequence", "event_id", "shard", "size"),
)


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
    text = file_line(spelled_version(version.change, version.images))
    return text.encode("utf-8", "surrogatepass")


def _csv_version(version: Version) -> bytes:
    change, seen = version.change, version.images
    said = cells(change, seen.old, seen.new)
    said |= {"old_from": seen.old_from, "new_from": seen.new_from, "note": seen.sentence}
    return _csv_line([said.get(name, getattr(change, name, "")) for name in _COLUMNS])


def _csv_line(row: Iterable[Any]) -> bytes:
    return csv_lines([row]).encode("utf-8", "surrogatepass")
