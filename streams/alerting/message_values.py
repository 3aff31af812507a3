"""Whatever came with a change, as part of a message: on one line, cut, with nothing hidden in it.
Plain Python."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

# Line ends could add a header to a mail; controls and marks that turn the writing direction could
# make a text read as another; lone surrogates have no UTF-8.
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)
_LONGEST = 300


def one_line(text: str, longest: int = _LONGEST) -> str:
    """The text on one line, cut after so many characters."""
    plain = _HIDDEN.sub(" ", text[: longest * 4]).strip()
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def spelled(value: Any, longest: int = 120) -> str | None:
    """One side of a difference: a value typed as DynamoDB has it, strings in quotes; a text that
    was spelled before stays as it is; None for a missing one. Its cost does not grow with it."""
    if value is None:
        return None
    if isinstance(value, str):
        return one_line(value, longest)
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) > longest:
            break
    return one_line(text, longest)


def _pieces(value: Mapping[str, Any]) -> Iterator[str]:
    ((type_, content),) = value.items()
    if type_ == "M":
        yield "{"
        for place, (name, member) in enumerate(content.items()):
            yield f"{', ' if place else ''}{name}: "
            yield from _pieces(member)
        yield "}"
    elif type_ == "L":
        yield "["
        for place, member in enumerate(content):
            yield ", " if place else ""
            yield from _pieces(member)
        yield "]"
    elif type_ in ("SS", "NS", "BS"):
        yield "{"
        for place, member in enumerate(content):
            yield ", " if place else ""
            yield member if type_ == "NS" else _quoted(member)
        yield "}"
    else:
        yield _scalar(type_, content)


def _scalar(type_: str, content: Any) -> str:
    if type_ == "N":
        return str(content)  # all its digits
    if type_ in ("S", "B"):
        return _quoted(content)
    return "null" if type_ == "NULL" else json.dumps(content)


def _quoted(text: str) -> str:
    return json.dumps(text[:1_000], ensure_ascii=False)
