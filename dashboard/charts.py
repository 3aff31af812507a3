"""Charts as plain geometry: numbers in, places in a box out. The templates in `templates/charts/`
draw them as SVG, so that a page needs neither a script nor a style attribute for them.

The box has its origin in the upper left corner, as SVG has; all places are in its units.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.bins import Bin
from streams.change import OPERATIONS

__all__ = ["Bar", "Bin", "Line", "Stacked", "in_one_unit", "line", "stacked"]

# A bar that stands for anything is at least so high, or one REMOVE among thousands were not seen.
_LEAST = 1.0
# Bars narrower than this touch each other.
_NARROW = 3.0


@dataclass(frozen=True)
class Bar:
    """A rectangle: the changes of one operation in one bin."""

    x: float
    y: float
    width: float
    height: float
    operation: str
    bin: Bin


@dataclass(frozen=True)
class Stacked:
    """Stacked bars. `highest` is what the full height stands for, `total` the sum of all bins;
    `summary` says in words what the picture shows."""

    bars: list[Bar]
    highest: int
    total: int
    width: int
    height: int
    summary: str

    @property
    def empty(self) -> bool:
        return self.total == 0

    @property
    def paths(self) -> list[tuple[str, str]]:
        """(operation, SVG path of all its bars): a quarter of the bytes of as many rectangles."""
        drawn = {
            name: "".join(
                f"M{bar.x:g} {bar.y:g}h{bar.width:g}v{bar.height:g}h-{bar.width:g}z"
                for bar in self.bars
                if bar.operation == name
            )
            for name in OPERATIONS
        }
        return [(name, path) for name, path in drawn.items() if path]


@dataclass(frozen=True)
class Line:
    """A line with breaks: each segment is the value of an SVG `points` attribute. `highest` is
    what the full height stands for; `summary` says in words what the picture shows."""

    segments: list[str]
    highest: float
    width: int
    height: int
    summary: str

    @property
    def empty(self) -> bool:
        return not self.segments


def stacked(
    bins: Sequence[Bin], *, width: int = 600, height: int = 80, highest: int | None = None
) -> Stacked:
    """Bars from left to right, one a bin, INSERT at the bottom and REMOVE at the top.

    `highest` is the scale that several charts share; None is the highest of these bins. A bin above
    it is cut off at the top. `height` is at least 3.
    """
    top = max((bin_.total for bin_ in bins), default=0) if highest is None else highest
    step = width / len(bins) if bins else 0.0
    bars = [
        bar
        for index, bin_ in enumerate(bins)
        for bar in _bars(bin_, index * step, step if step < _NARROW else step - 1, height, top)
    ]
    total = sum(bin_.total for bin_ in bins)
    return Stacked(bars, top, total, width, height, _counted(bins))


def _bars(bin_: Bin, x: float, width: float, height: int, highest: int) -> list[Bar]:
    counts = {name: bin_.counts[name] for name in OPERATIONS if bin_.counts.get(name, 0) > 0}
    if not counts:
        return []
    scaled = height * min(1.0, bin_.total / highest) if highest > 0 else height
    left, rest = max(scaled, _LEAST * len(counts)), bin_.total
    heights = {}
    # The fewest first: what they get more than their share is taken from the others.
    for name in sorted(counts, key=lambda name: counts[name]):
        heights[name] = max(_LEAST, left * counts[name] / rest)
        left, rest = left - heights[name], rest - counts[name]
    bars, bottom = [], float(height)
    for name in counts:
        bottom = max(0.0, bottom - heights[name])
        # A tenth is enough where one unit is a pixel, and short: a day is 1,440 bars or more.
        high = round(heights[name], 1)
        bars.append(Bar(_place(x), round(bottom, 1), _place(width), high, name, bin_))
    return bars


def line(
    points: Sequence[float | None],
    *,
    width: int = 600,
    height: int = 80,
    highest: float | None = None,
    unit: str = "",
) -> Line:
    """A line through the points, each in the middle of its share of the width; None breaks it.

    `highest` is as for `stacked`; `unit` stands behind the numbers of the summary.
    """
    known = [point for point in points if point is not None]
    top = max(known, default=0.0) if highest is None else highest
    step = width / len(points) if points else 0.0
    segments: list[str] = []
    current: list[str] = []
    for index, point in enumerate([*points, None]):
        if point is not None:
            share = min(1.0, max(0.0, point / top)) if top > 0 else 0.0
            current.append(f"{_place((index + 0.5) * step):g},{_place(height * (1 - share)):g}")
        elif current:
            # SVG draws nothing for one point, but a dot for a line to itself.
            segments.append(" ".join(current * 2 if len(current) == 1 else current))
            current = []
    return Line(segments, top, width, height, _ranged(known, unit))


def _counted(bins: Sequence[Bin]) -> str:
    totals = [bin_.total for bin_ in bins]
    if not any(totals):
        return "No changes."
    sums = [
        f"{n:,} {operation}"
        for operation in OPERATIONS
        if (n := sum(bin_.counts.get(operation, 0) for bin_ in bins))
    ]
    span = ""
    if len(bins) > 1:
        span = f" of {in_one_unit((bins[1].start - bins[0].start).total_seconds())}"
    return (
        f"{sum(totals):,} changes ({', '.join(sums)}) in {len(bins)} "
        f"bar{'s' if len(bins) > 1 else ''}{span}: {min(totals):,} to {max(totals):,} a bar, "
        f"{totals[-1]:,} in the last."
    )


def _ranged(known: Sequence[float], unit: str) -> str:
    if not known:
        return "No values."
    behind = f" {unit}" if unit else ""
    low, high, last = (f"{value:,.1f}{behind}" for value in (min(known), max(known), known[-1]))
    return f"{low} to {high}, at last {last}."


def in_one_unit(seconds: float) -> str:
    """`30 s`, `5 min`, `1.5 h`, `1 d`."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def _place(value: float) -> float:
    return round(value, 2)
