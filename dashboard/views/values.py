"""How the typed values of a difference look on a page."""

import base64
import binascii
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal, InvalidOperation
from typing import NamedTuple

from dashboard.feed.preview import binary_size, preview, visible
from streams.change import moment
from streams.diff import (
    ADDED,
    CHANGED,
    INSIDE,
    MEMBERS,
    REMOVED,
    RESPELLED,
    RETYPED,
    SAME,
    Difference,
    Typed,
    typed,
)
from streams.diff_words import words
from streams.image_text import Reading, lay_out

# Longer values are cut here; the whole value is behind "Load full values" and in the copies.
_LONGEST = 4_000
_LONGEST_PATH = 300
# Maps and lists that fit stay on one line; sets have at most so many members on a page.
_ONE_LINE = 60
_MEMBERS = 100
# Shorter texts are seen at a glance; of longer ones the words that differ are marked.
_WORTH_MARKING = 16
# What is equal in both texts is left out where it is longer than this, but for its ends.
_SAME_STRETCH, _ENDS = 400, 120
_BASE64_SHOWN = 128
# DynamoDB numbers have 38 digits and exponents up to 125: enough for an exact difference.
_EXACT = Context(prec=300)
# From 2001 to 2100: whole numbers in these ranges are likely times, in s and in ms.
_EPOCHS = {
    10: (10**9, 4_102_444_800, 1_000_000, "seconds"),
    13: (10**12, 4_102_444_800_000, 1_000, "ms"),
}
_SPACES = str.maketrans({" ": "·", "\t": "→\t", "\n": "⏎\n", "\u00a0": "⍽"})

# Kind: letter and word, because colour alone tells nothing to many people.
KINDS = {
    ADDED: ("+", "added"),
    REMOVED: ("−", "removed"),
    CHANGED: ("~", "changed"),
    RETYPED: ("T", "type changed"),
    RESPELLED: ("=", "same value, other spelling"),
    MEMBERS: ("±", "set changed"),
    SAME: ("", "unchanged"),
    INSIDE: ("", "differs inside"),
}

# (mark, text): the mark is "" for text as it is, "del", "ins", or "skip" for a note in its place.
Piece = tuple[str, str]


@dataclass
class Limits:
    """How much of the values a page shows: `characters` in all, which is used up as values are
    shown, and `longest` of one. `cut` says if anything was left out. With `spaces`, white space
    is made visible."""

    characters: int = 60_000
    longest: int = _LONGEST
    spaces: bool = False
    cut: bool = False

    def take(self, length: int) -> int:
        """How many characters of a text of this length may be shown; even a page that is full
        shows the beginning."""
        shown = min(length, self.longest, max(self.characters, 80))
        self.characters -= shown
        self.cut = self.cut or shown < length
        return shown

    def text(self, text: str) -> str:
        shown = visible(text, lines=True)
        return shown.translate(_SPACES) if self.spaces else shown


class Shown(NamedTuple):
    """A value: its type, its text, a note beside it, and how it differs in kind (`missing`,
    `empty-value`, `null`, `text`).

    `cut` counts the characters left out. `pieces` is the text with its differences marked;
    `members` are those of a set; `hexed` are a binary's first bytes. `at` is the time that a
    number is likely to stand for, in `unit`.
    """

    type: str
    text: str
    note: str
    look: str
    cut: int
    pieces: tuple[Piece, ...] = ()
    members: tuple[str, ...] = ()
    hexed: str = ""
    at: datetime | None = None
    unit: str = ""


class Line(NamedTuple):
    """A row of the table of differences. `field` is the path as an address spells it, "" if it
    is too long for one."""

    path: str
    field: str
    kind: str
    letter: str
    word: str
    old: Shown
    new: Shown
    delta: str


def line(difference: Difference, limits: Limits | None = None) -> Line:
    limits = limits or Limits()
    path, kind, old, new = difference
    letter, word = KINDS[kind]
    if kind == RETYPED and old and new:
        word = f"{word} ({typed(old)[0]} → {typed(new)[0]})"
    missing = "no member" if kind == MEMBERS else "missing"
    shown = _marked(difference, limits) or (show(old, missing, limits), show(new, missing, limits))
    delta = _delta(difference, both_times=all(side.at for side in shown))
    cut = path if len(path) <= _LONGEST_PATH else f"{path[:_LONGEST_PATH]}…"
    field = path if len(path) <= 3 * _LONGEST_PATH else ""
    return Line(visible(cut), field, kind, letter, word, *shown, delta)


def show(value: Typed | None, missing: str = "missing", limits: Limits | None = None) -> Shown:
    if value is None:
        return Shown("", missing, "", "missing", 0)
    limits = limits or Limits()
    type_, content = typed(value)
    match type_:
        case "NULL":
            return Shown(type_, "NULL", "", "null", 0)
        case "S" if content == "":
            return Shown(type_, "empty string", "", "empty-value", 0)
        case "S":
            shown = limits.take(len(content))
            return Shown(type_, limits.text(content[:shown]), "", "text", len(content) - shown)
        case "B":
            return _binary(content, limits)
        case "SS" | "NS" | "BS":
            return _set(type_, content, limits)
        case "M" | "L":
            return _nested(value, limits)
        case _:
            return _scalar(value, limits)


def _marked(difference: Difference, limits: Limits) -> tuple[Shown, Shown] | None:
    """Both texts with the words that differ marked; None if that would tell nothing."""
    _, kind, old, new = difference
    if kind != CHANGED or not old or not new or typed(old)[0] != "S":
        return None
    before, after = typed(old)[1], typed(new)[1]
    if max(len(before), len(after)) < _WORTH_MARKING or not (before and after):
        return None
    found = words(before, after)
    if found is None:
        return None
    note = ""
    if found.rest_old or found.rest_new:
        note = "compared word by word in the first 10,000 characters only"
    return (
        _of_words(found.old, "del", found.rest_old, "", limits),
        _of_words(found.new, "ins", found.rest_new, note, limits),
    )


def _of_words(
    found: list[tuple[str, bool]], mark: str, rest: int, note: str, limits: Limits
) -> Shown:
    pieces: list[Piece] = []
    cut = rest
    for text, differs in found:
        for kind, part in _folded(text, mark if differs else "", limits):
            shown = limits.take(len(part)) if kind != "skip" else len(part)
            cut += len(part) - shown
            pieces.append((kind, limits.text(part[:shown])))
    if rest:
        limits.cut = True
    return Shown("S", "", note, "text", cut, tuple(pieces))


def _folded(text: str, mark: str, limits: Limits) -> Iterator[Piece]:
    if mark or len(text) <= _SAME_STRETCH or limits.longest > _LONGEST:
        yield mark, text
        return
    yield "", text[:_ENDS]
    yield "skip", f"{len(text) - 2 * _ENDS:,} equal characters"
    yield "", text[-_ENDS:]


def _scalar(value: Typed, limits: Limits) -> Shown:
    type_, content = typed(value)
    at, unit = _time(str(content)) if type_ == "N" else (None, "")
    text = preview(value, limits.take(len(str(content))) + 1)
    return Shown(type_, text, "", "text", 0, at=at, unit=unit)


def _nested(value: Typed, limits: Limits) -> Shown:
    short = preview(value, _ONE_LINE)
    text = short if len(short) < _ONE_LINE else lay_out(value, Reading())
    shown = limits.take(len(text))
    return Shown(typed(value)[0], limits.text(text[:shown]), "", "text", len(text) - shown)


def _set(type_: str, content: list[str], limits: Limits) -> Shown:
    members = []
    for member in content[:_MEMBERS]:
        shown = limits.take(len(member))
        text = limits.text(member[:shown]) or '""'
        members.append(text if shown == len(member) else f"{text}…")
    left_out = len(content) - len(members)
    limits.cut = limits.cut or left_out > 0
    note = f"and {left_out:,} more members" if left_out else ""
    return Shown(type_, "", note, "text", 0, members=tuple(members))


def _binary(text: str, limits: Limits) -> Shown:
    shown = min(limits.take(len(text)), _BASE64_SHOWN if limits.longest <= _LONGEST else len(text))
    limits.cut = limits.cut or shown < len(text)
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        cut = len(text) - shown
        return Shown("B", visible(text[:shown]), "not valid base64", "text", cut)
    note = f"{binary_size(text):,} bytes, SHA-256 {hashlib.sha256(raw).hexdigest()}"
    hexed = raw[: shown * 3 // 4].hex(" ")
    dots = "…" if shown < len(text) else ""
    return Shown("B", text[:shown] + dots, note, "text", 0, hexed=hexed + dots)


def _time(number: str) -> tuple[datetime | None, str]:
    low, high, unit, name = _EPOCHS.get(len(number), (0, 0, 0, ""))
    if not (number.isascii() and number.isdecimal() and low <= int(number) < high):
        return None, ""
    return moment(int(number) * unit), name


def _delta(difference: Difference, both_times: bool) -> str:
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
        if old and not both_times:
            share = _EXACT.divide(_EXACT.multiply(step, Decimal(100)), abs(old))
            text += f", {share:+.1f} %" if abs(share) < 10_000 else ""
    except InvalidOperation:
        return ""
    return text
