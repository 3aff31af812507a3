"""A stretch of time in words, as forms take it and sentences say it. Plain Python."""

import re

_UNITS = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
_PART = re.compile(r"(\d{1,9})\s*(days?|d|hours?|h|minutes?|min|m|seconds?|sec|s)?\s*", re.ASCII)


def spell_span(seconds: int) -> str:
    """`30 s`, `15 min`, `1 h 30 min`, `2 d`; `0 s` for none. Nothing is rounded."""
    parts, rest = [], seconds
    for unit, size in _UNITS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"


def parse_span(text: str) -> int:
    """The seconds of `90`, `90 s`, `15 min`, `15m`, `1 h 30 min` or `2 d`. ValueError says how to
    write it."""
    text = text.strip()
    place, total, parts = 0, 0, 0
    while match := _PART.match(text, place):
        # Without a unit a number is seconds, and then it stands alone.
        if match[2] is None and (parts or match.end() < len(text)):
            break
        total += int(match[1]) * _size(match[2] or "s")
        place, parts = match.end(), parts + 1
    if not parts or place < len(text):
        raise ValueError(f"{text!r} is no time. Write 30 s, 15 min, 1 h 30 min or 2 d.")
    return total


def _size(unit: str) -> int:
    return _UNITS["min"] if unit.startswith("m") else _UNITS[unit[0]]
