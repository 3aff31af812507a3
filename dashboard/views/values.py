"""How the typed values of a difference look on a page."""

import base64
import binascii
import hashlib
from decimal import Context, Decimal, InvalidOperation
from typing import NamedTuple

from dashboard.feed.preview import binary_size, preview, visible
from streams.diff import (
    ADDED,
    CHANGED,
    MEMBERS,
    REMOVED,
    RESPELLED,
    RETYPED,
    Difference,
    Typed,
    typed,
)

# Longer values are cut here; the raw JSON below the table has them whole.
_LONGEST = 4_000
# DynamoDB numbers have 38 digits and exponents up to 125: enough for an exact difference.
_EXACT = Context(prec=300)

# Kind: letter and word, because colour alone tells nothing to many people.
KINDS = {
    ADDED: ("+", "added"),
    REMOVED: ("−", "removed"),
    CHANGED: ("~", "changed"),
    RETYPED: ("T", "type changed"),
    RESPELLED: ("=", "same value, other spelling"),
    MEMBERS: ("±", "members"),
}


class Shown(NamedTuple):
    """A value: its type, its text, a note beside it, and how it differs in kind (`missing`,
    `empty-value`, `null`, `text`)."""

    type: str
    text: str
    note: str
    look: str
    cut: int


class Line(NamedTuple):
    """A row of the table of differences."""

    path: str
    kind: str
    letter: str
    word: str
    old: Shown
    new: Shown
    delta: str


def line(difference: Difference) -> Line:
    letter, word = KINDS[difference.kind]
    if difference.kind == RETYPED and difference.old and difference.new:
        word = f"{word} ({typed(difference.old)[0]} → {typed(difference.new)[0]})"
    missing = "no member" if difference.kind == MEMBERS else "missing"
    return Line(
        path=visible(difference.path),
        kind=difference.kind,
        letter=letter,
        word=word,
        old=show(difference.old, missing),
        new=show(difference.new, missing),
        delta=_delta(difference),
    )


def show(value: Typed | None, missing: str = "missing") -> Shown:
    if value is None:
        return Shown("", missing, "", "missing", 0)
    type_, content = typed(value)
    match type_:
        case "NULL":
            return Shown(type_, "NULL", "", "null", 0)
        case "S" if content == "":
            return Shown(type_, "empty string", "", "empty-value", 0)
        case "S":
            text = visible(content[:_LONGEST], lines=True)
            return Shown(type_, text, "", "text", max(0, len(content) - _LONGEST))
        case "B":
            cut = max(0, len(content) - _LONGEST)
            return Shown(type_, visible(content[:_LONGEST]), _binary_note(content), "text", cut)
        case _:
            return Shown(type_, preview(value, _LONGEST), "", "text", 0)


def _binary_note(text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return "not valid base64"
    return f"{binary_size(text):,} bytes, SHA-256 {hashlib.sha256(raw).hexdigest()}"


def _delta(difference: Difference) -> str:
    """`+56.50, +5.4 %` for a changed number."""
    if difference.kind != CHANGED or not difference.old or not difference.new:
        return ""
    if "N" not in difference.old or "N" not in difference.new:
        return ""
    try:
        old, new = (Decimal(str(value["N"])) for value in (difference.old, difference.new))
        step = _EXACT.subtract(new, old)
        text = f"{step:+f}"
        if len(text) > 60:
            return ""
        if old:
            share = _EXACT.divide(_EXACT.multiply(step, Decimal(100)), abs(old))
            text += f", {share:+.1f} %" if abs(share) < 10_000 else ""
    except InvalidOperation:
        return ""
    return text
