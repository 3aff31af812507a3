"""Columns that a viewer chooses: previews of attributes, by paths such as `new.status`.

A path leads through lists as it does in filters, without an index: it finds the values of all
elements.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from dashboard.feed.preview import decode, preview
from dashboard.feed.protocol import MOST_COLS
from streams.diff import Typed, typed
from streams.queries.feed import StoredChange
from streams.rules.expressions.fields import IMAGES
from streams.rules.expressions.paths import Paths
from streams.rules.expressions.tokens import Scanner

# What a viewer chose, as it was written; viewers with the same columns share their previews.
Columns = tuple[str, ...]
Steps = tuple[str, ...]

_LONGEST = 200
# Larger images are not decoded for the feed (see summary.py).
_LARGE = 32 * 1024
_TOO_LARGE = "(large item)"
# Of a list.
_MOST_ELEMENTS = 20


class Previews:
    """Makes the previews of some sets of columns. Each image is decoded once a change."""

    def __init__(self, sets: Iterable[Columns]) -> None:
        self._sets = {columns: [_steps(path) for path in columns] for columns in sets}

    def of(self, change: StoredChange) -> dict[Columns, msgspec.Raw]:
        """For each set of columns its previews, as a JSON array of texts and nulls."""
        if not self._sets:
            return {}
        images = _Images(change)
        return {
            columns: msgspec.Raw(msgspec.json.encode([images.preview(steps) for steps in paths]))
            for columns, paths in self._sets.items()
        }


def parse(paths: Sequence[str]) -> Columns:
    """The columns of their paths; ValueError says what a path looks like."""
    if len(paths) > MOST_COLS:
        raise ValueError(f"{len(paths)} columns were chosen; at most {MOST_COLS} can be shown.")
    for path in paths:
        _steps(path)
    return tuple(paths)


def _steps(path: str) -> Steps:
    """The image, then the names."""
    scanner = Scanner(path[:_LONGEST])
    segments = Paths(scanner, None).read("a path").segments
    image = segments[0]
    whole = scanner.at_end() and len(path) <= _LONGEST
    if not (whole and image.text in IMAGES and not image.quoted and len(segments) > 1):
        raise ValueError(
            f"{path[:60]!r} is no column. Write new.status, old.address.city or keys.pk."
        )
    return tuple(segment.text for segment in segments)


class _Images:
    """A change's images, decoded when they are first asked for."""

    def __init__(self, change: StoredChange) -> None:
        self._bytes = {"new": change.new, "old": change.old, "keys": change.keys}
        self._large = max(len(change.old or b""), len(change.new or b"")) > _LARGE
        self._decoded: dict[str, Any] = {}
        self._previews: dict[Steps, str | None] = {}

    def preview(self, steps: Steps) -> str | None:
        if steps not in self._previews:
            self._previews[steps] = self._preview(steps)
        return self._previews[steps]

    def _preview(self, steps: Steps) -> str | None:
        image, names = steps[0], steps[1:]
        if self._large and image != "keys":
            return _TOO_LARGE if self._bytes[image] else None
        if image not in self._decoded:
            self._decoded[image] = decode(self._bytes[image]) or {}
        found = list(_found(self._decoded[image], names))
        if not found:
            return None
        return preview(found[0] if len(found) == 1 else {"L": found})


def _found(image: Mapping[str, Typed], names: Steps) -> Iterator[Typed]:
    """The values at a path. A dot may also be part of a name, so the longest name comes first."""
    for count in range(len(names), 0, -1):
        value = image.get(".".join(names[:count]))
        if value is not None:
            yield from _within(value, names[count:])
            return


def _within(value: Typed, names: Steps) -> Iterator[Typed]:
    type_, content = typed(value)
    if not names:
        yield value
    elif type_ == "M":
        yield from _found(content, names)
    elif type_ == "L":
        for member in content[:_MOST_ELEMENTS]:
            yield from _within(member, names)
