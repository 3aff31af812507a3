"""Changes as commands print them, one a line."""

import json

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
