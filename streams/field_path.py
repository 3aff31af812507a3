"""The path of a field in an item, as differences spell it, and what an image holds there.

`address.city`, `lines[2].qty`, and `address["a.b"]` for a name that could be misread. Plain Python.
"""

import json
import re
from collections.abc import Sequence
from contextlib import suppress

from streams.diff import Image, Typed, join_path, typed

# A name (a map's member) or a number (a list's element).
Step = str | int

_PLAIN = re.compile(r"[\w-]+")
_STEP = re.compile(r'\.([\w-]+)|\[(\d{1,9})\]|\[("(?:[^"\\]|\\.)*")\]')
_LONGEST = 2_000


def parse_path(text: str) -> tuple[Step, ...]:
    """The steps of a path; ValueError says how one is written."""
    text = text.strip()
    first = _PLAIN.match(text)
    steps: list[Step] = [first[0]] if first else []
    place = first.end() if first else 0
    while place < len(text):
        step = _STEP.match(text, place)
        if step is None or len(text) > _LONGEST or not (steps or step[3]):
            break
        with suppress(json.JSONDecodeError):
            steps.append(_step(step))
            place = step.end()
            continue
        break
    if not steps or place < len(text):
        raise ValueError(
            f"{text[:60]!r} is no path of a field. Write address.city, lines[2].qty, or "
            '["a.b"] for a name with other signs.'
        )
    return tuple(steps)


def spell_path(steps: Sequence[Step]) -> str:
    """The path as it is written."""
    text = ""
    for step in steps:
        text = join_path(text, step)
    return text


def value_at(image: Image | None, steps: Sequence[Step]) -> Typed | None:
    """The value at a path, None if there is none."""
    value: Typed | None = {"M": image} if image else None
    for step in steps:
        value = None if value is None else inside(value).get(step)
    return value


def inside(value: Typed | None) -> dict[Step, Typed]:
    """What a map or a list has in it, by name or place; nothing for other values."""
    if value is None:
        return {}
    type_, content = typed(value)
    if type_ == "M":
        return dict(content)
    return dict(enumerate(content)) if type_ == "L" else {}


def _step(match: re.Match[str]) -> Step:
    if match[1] is not None:
        return match[1]
    return int(match[2]) if match[2] is not None else str(json.loads(match[3]))
