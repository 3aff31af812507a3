"""The overview's small charts: an hour of a stream as three areas, one an operation.

Not charts.py's bars: with 200 streams on one page each byte and each microsecond counts 12,000
times, so an area is one path of whole numbers, and minutes that look alike are one step.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from streams.change import INSERT, MODIFY, REMOVE
from streams.queries.hour import Hour

HEIGHT = 24
_STEP = 2


class Spark(NamedTuple):
    """`areas` are (operation, SVG path), to be drawn in this order; `summary` says it in words."""

    areas: list[tuple[str, str]]
    width: int
    height: int
    summary: str


def highest(hours: Iterable[Hour]) -> int:
    """The most changes a minute of all of these."""
    return max((max(hour.totals()) for hour in hours), default=0)


@lru_cache(maxsize=2_048)  # from one renewal to the next most streams have nothing new
def spark(hour: Hour, top: int = 0) -> Spark:
    """The chart of one stream; `top` is the number of changes a minute at its upper edge, 0 for
    the most of this hour."""
    width = _STEP * len(hour.inserts)
    totals = hour.totals()
    most = max(totals)
    if not most:
        return Spark([], width, HEIGHT, "No change in the last hour.")
    low, middle, high = _heights(hour, top or most)
    # An area reaches down to the axis, so the tallest is drawn first.
    drawn = ((REMOVE, hour.removes, high), (MODIFY, hour.modifies, middle))
    areas = [(name, _area(found, width)) for name, own, found in drawn if any(own)]
    if any(hour.inserts):
        areas.append((INSERT, _area(low, width)))
    summary = f"Last hour: {sum(totals):,} changes, at most {most:,} a minute."
    return Spark(areas, width, HEIGHT, summary)


def _heights(hour: Hour, top: int) -> tuple[list[int], list[int], list[int]]:
    """How high each area reaches, by the minute: INSERT, MODIFY on it, REMOVE on top. What happened
    at all is one unit high at least."""
    scale = HEIGHT / top
    low, middle, high = [], [], []
    for inserts, modifies, removes in zip(*hour, strict=True):
        height = int(inserts * scale + 0.5) or 1 if inserts else 0
        low.append(min(height, HEIGHT))
        if modifies:
            height += int(modifies * scale + 0.5) or 1
        middle.append(min(height, HEIGHT))
        if removes:
            height += int(removes * scale + 0.5) or 1
        high.append(min(height, HEIGHT))
    return low, middle, high


def _area(heights: list[int], width: int) -> str:
    """Steps from left to right, minutes of one height together."""
    path, run, last = [f"M0 {HEIGHT}"], 0, 0
    for height in heights:
        if height != last:
            path.append(f"h{run}V{HEIGHT - height}" if run else f"V{HEIGHT - height}")
            run, last = 0, height
        run += _STEP
    return "".join([*path, f"H{width}V{HEIGHT}z"])
