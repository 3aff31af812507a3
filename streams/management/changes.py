"""Changes as commands print them, one a line, and the patterns they are chosen by."""

import json
from pathlib import Path

from django.core.management.base import CommandError

from streams.item_key import label
from streams.queries.rows import StoredChange
from streams.queries.spelled import line, spelled


def json_line(change: StoredChange) -> str:
    return line(spelled(change))


def text_line(change: StoredChange, *, named: bool = False) -> str:
    """When, what, which item, and the names that changed; with the stream's name if `named`."""
    changed = ", ".join(change.changed) if change.changed else ""
    stream = f"{change.stream}  " if named else ""
    said = (
        f"{change.occurred_at:%Y-%m-%d %H:%M:%S} {change.operation:<6} {stream}"
        f"{label(json.loads(change.keys))}  {changed}"
    )
    # A key may hold what no terminal takes.
    return said.encode("utf-8", "backslashreplace").decode()


def pattern_text(given: str) -> str:
    """The event pattern of an option, which is JSON or a file's name; CommandError if neither."""
    if given.lstrip().startswith("{"):
        return given
    try:
        return Path(given).read_text()
    except (OSError, ValueError) as error:
        raise CommandError(
            f"--pattern: {given!r} is neither JSON nor a file that can be read ({error}).",
            returncode=2,
        ) from error
