"""A typed value as text that is safe and honest to show, whatever is in it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from streams.diff import Image, Typed, typed

_SURROGATE = re.compile("[\ud800-\udfff]")
# Controls become their pictures; marks that turn the writing direction become their number,
# because one of them could make a value read as another ("Trojan Source").
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}
_TURNS = {
    code: f"⟨U+{code:04X}⟩"
    for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_ONE_LINE = _PICTURES | _TURNS
_LINES = {code: shown for code, shown in _ONE_LINE.items() if code not in (0x09, 0x0A)}


def visible(text: str, *, lines: bool = False) -> str:
    """The text with nothing hidden in it: NUL, controls, direction marks and lone surrogates
    are shown. With `lines`, tabs and line ends stay as they are."""
    return _SURROGATE.sub("\ufffd", text.translate(_LINES if lines else _ONE_LINE))


def raw_text(raw: bytes) -> str:
    """Bytes that may be anything, as lines of such a text."""
    return visible(raw.decode("utf-8", "backslashreplace"), lines=True)


def decode(image: bytes | None) -> Any:
    """An image or a key as Python values; numbers stay the text DynamoDB spells them in."""
    if image is None:
        return None
    try:
        return orjson.loads(image)
    except orjson.JSONDecodeError:
        return json.loads(image)  # takes lone surrogates, which DynamoDB can send


def preview(value: Typed, limit: int = 48) -> str:
    """The value on one line, cut after `limit` characters; its cost does not grow with it."""
    text = ""
    for piece in _pieces(value, limit):
        text += piece
        if len(text) > limit:
            return text[: limit - 1] + "…"
    return text


def key_label(keys: Mapping[str, Typed], limit: int = 80) -> str:
    """An item's key for people: its values, separated by a slash."""
    return " / ".join(preview(value, limit) for value in keys.values())


def binary_size(base64: str) -> int:
    return len(base64) * 3 // 4 - base64[-2:].count("=")


def _pieces(value: Typed, limit: int) -> Iterator[str]:
    type_, content = typed(value)
    match type_:
        case "S":
            yield visible(content[: limit + 1]) or '""'
        case "N":
            yield visible(str(content))
        case "BOOL":
            yield "true" if content else "false"
        case "B":
            yield f"binary, {binary_size(content):,} bytes"
        case "SS" | "NS" | "BS":
            members = [{type_[0]: member} for member in content[: limit + 1]]
            yield from _list(members, "{", "}", limit)
        case "L":
            yield from _list(content[: limit + 1], "[", "]", limit)
        case "M":
            yield from _map(content, limit)
        case _:
            yield "NULL"


def _list(members: Sequence[Typed], start: str, end: str, limit: int) -> Iterator[str]:
    yield start
    for index, member in enumerate(members):
        if index:
            yield ", "
        yield from _pieces(member, limit)
    yield end


def _map(content: Image, limit: int) -> Iterator[str]:
    yield "{"
    for index, (name, member) in enumerate(content.items()):
        yield f"{', ' if index else ''}{visible(name[:limit])}: "
        yield from _pieces(member, limit)
    yield "}"
