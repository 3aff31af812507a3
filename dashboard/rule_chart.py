"""The charts of rules: one bar a day, and a preview's matches with the times it would have fired
above them. Geometry by charts.py, drawn by `templates/rules/`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from dashboard.charts import stacked
from streams.bins import Bin
from streams.change import MODIFY

_ANY = datetime.min.replace(tzinfo=UTC)


class Bars(NamedTuple):
    """`path` is an SVG path of all bars, "" for none; `highest` is what the full height is."""

    path: str
    highest: int
    width: int
    height: int
    summary: str


class Interval(NamedTuple):
    """A stretch in which an alert would have been open."""

    x: float
    width: float


def bars(counts: Sequence[int], summary: str, *, width: int = 600, height: int = 80) -> Bars:
    """Bars of one kind, from left to right."""
    chart = stacked([Bin(_ANY, {MODIFY: n}) for n in counts], width=width, height=height)
    return Bars("".join(path for _, path in chart.paths), chart.highest, width, height, summary)


def week_chart(counts: Sequence[int]) -> Bars:
    """The alerts of the last days, today last."""
    total = sum(counts)
    said = f"{total:,} alert{'' if total == 1 else 's'} in {len(counts)} days, {counts[-1]:,} today"
    return bars(counts, said, width=len(counts) * 8, height=20)


def intervals(
    spans: Sequence[tuple[datetime, datetime | None]],
    since: datetime,
    until: datetime,
    *,
    width: int = 600,
) -> list[Interval]:
    """Where alerts were open, those that touch joined; an open end is `until`. Each is at least
    two units wide, or nobody saw it."""
    whole = (until - since).total_seconds() or 1.0
    places = sorted(
        (
            max(0.0, (begin - since).total_seconds() / whole * width),
            min(float(width), ((end or until) - since).total_seconds() / whole * width),
        )
        for begin, end in spans
    )
    joined: list[tuple[float, float]] = []
    for left, right in places:
        right = max(right, left + 2)
        if joined and left <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], right))
        else:
            joined.append((left, right))
    return [Interval(round(left, 1), round(right - left, 1)) for left, right in joined]
