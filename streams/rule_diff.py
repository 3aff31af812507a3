"""What is different between two versions of a rule, and how a terminal shows it."""

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from streams.rulefile import DEFAULTS

_NONE = "nothing"


class Difference(NamedTuple):
    """`field` is "params.…" for a setting of the kind. A setting that is not there is None."""

    field: str
    old: Any
    new: Any


def differences(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[Difference]:
    """From one content (as `rulebook.content_of` gives it) to another, in the order of a file.
    None is a rule that is not there; it is compared as one of defaults with the same name."""
    old = before or {"name": (after or DEFAULTS)["name"]}
    new = after or {"name": old["name"]}
    return [pair for pair in _pairs(old, new) if pair.old != pair.new]


def lines(difference: Difference) -> list[str]:
    """One line, or for a text of several lines its lines that were taken out and put in."""
    field, old, new = difference
    if not any(isinstance(value, str) and "\n" in value for value in (old, new)):
        if old in (None, "", [], {}):
            return [f"{field}: {_short(new)}"]
        return [f"{field}: {_short(old)} → {_short(new)}"]
    rows = difflib.unified_diff((old or "").splitlines(), (new or "").splitlines(), lineterm="")
    shown = [row for row in rows if not row.startswith(("---", "+++", "@@"))]
    return [f"{field}:", *(f"  {row}" for row in shown)]


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for field, default in DEFAULTS.items():
        before, after = old.get(field, default), new.get(field, default)
        if field == "params":
            for setting in sorted(before.keys() | after.keys()):
                yield Difference(f"params.{setting}", before.get(setting), after.get(setting))
        else:
            yield Difference(field, before, after)


def _short(value: Any) -> str:
    if value is None or value == "":
        return _NONE
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
