"""A search's matches as a file: lines of JSON, or CSV. Made piece by piece, in constant memory.

The last line always says whether this is all, and up to where it goes: a file without it was cut
on its way. Keys and images are DynamoDB JSON as it was stored, so no number is rounded.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from django.db import DatabaseError

from streams.csv_text import csv_lines
from streams.queries.rows import StoredChange
from streams.queries.search_all import Portion
from streams.queries.spelled import cells, file_line, line, spelled
from streams.when import spell_moment

_CSV = (
    *("id", "occurred_at", "stored_at", "stream", "operation", "keys", "changed", "ttl", "old"),
    *("new", "size", "sequence", "event_id", "shard"),
)


class End(msgspec.Struct):
    """The last line. `searched_to` is how far it goes if not `complete`; `hidden` counts changes of
    nothing but ignored fields, which were left out."""

    complete: bool
    changes: int
    hidden: int
    searched_to: datetime | None
    sentence: str


def ndjson(portions: Iterable[Portion]) -> Iterator[bytes]:
    """One change a line, as `manage.py search --json` spells it, then `{"end": {…}}`."""
    return _written(portions, _json_lines, lambda end: line({"end": end}) + "\n")


def csv_file(portions: Iterable[Portion]) -> Iterator[bytes]:
    """A head, one change a line, then one whose first cell is `# end`."""
    yield csv_lines([_CSV]).encode()
    yield from _written(portions, _csv_changes, _csv_end)


def _written(
    portions: Iterable[Portion],
    lines: Callable[[list[StoredChange]], str],
    last: Callable[[End], str],
) -> Iterator[bytes]:
    changes = hidden = 0
    searched_to: datetime | None = None
    failed = ""
    try:
        for portion in portions:
            changes += len(portion.changes)
            hidden, searched_to = portion.hidden, portion.searched_to or searched_to
            yield lines(portion.changes).encode("utf-8", "surrogatepass")
    except DatabaseError as error:
        # What is sent cannot be taken back, so the file itself says that it ends here.
        failed = str(error).partition("\n")[0] or type(error).__name__
    end = End(not failed, changes, hidden, searched_to if failed else None, "")
    end.sentence = _sentence(end, failed)
    yield last(end).encode()


def _sentence(end: End, failed: str) -> str:
    number = f"{end.changes:,} change{'' if end.changes == 1 else 's'}"
    hidden = f", {end.hidden:,} of ignored fields left out" if end.hidden else ""
    if not failed:
        return f"Complete: {number}{hidden}."
    to = f"searched to {spell_moment(end.searched_to)}" if end.searched_to else "no further"
    return f"NOT complete: {number}{hidden}, {to}. The database failed: {failed}. Export it again."


def _json_lines(changes: list[StoredChange]) -> str:
    return "".join(file_line(spelled(change)) for change in changes)


def _csv_changes(changes: list[StoredChange]) -> str:
    return csv_lines([_csv_row(change) for change in changes])


def _csv_row(change: StoredChange) -> list[Any]:
    said = cells(change, change.old, change.new)
    return [said.get(name, getattr(change, name)) for name in _CSV]


def _csv_end(end: End) -> str:
    return csv_lines([["# end", end.sentence, *[""] * (len(_CSV) - 2)]])
