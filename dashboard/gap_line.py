"""The gaps of the last days on one line of time, for the overview."""

from typing import NamedTuple

from streams.queries.glance import GAP_DAYS, Gaps

WIDTH, HEIGHT = 700, 14
# A gap of a second is drawn, too.
_LEAST = 3.0


class Mark(NamedTuple):
    x: float
    width: float
    growing: bool


class GapLine(NamedTuple):
    """Places in a box of WIDTH by HEIGHT; `days` are where each further day begins."""

    marks: list[Mark]
    days: list[float]
    width: int
    height: int
    summary: str


def gap_line(gaps: Gaps) -> GapLine:
    """Where each gap lies between the first moment shown and now."""
    span = (gaps.now - gaps.since).total_seconds()
    marks = []
    for gap in gaps.marks:
        begin = max(gap.from_at or gap.to_at, gaps.since)
        # One that begins before the line, or ends after now, is cut at its edge.
        end = min(max(gap.to_at, begin), gaps.now)
        x = (begin - gaps.since).total_seconds() / span * WIDTH
        width = max(_LEAST, (end - begin).total_seconds() / span * WIDTH)
        marks.append(Mark(round(min(x, WIDTH - _LEAST), 1), round(width, 1), gap.growing))
    days = [round(WIDTH * day / GAP_DAYS, 1) for day in range(1, GAP_DAYS)]
    return GapLine(marks, days, WIDTH, HEIGHT, _summary(gaps))


def _summary(gaps: Gaps) -> str:
    if not gaps.marks:
        return f"No gap in the last {GAP_DAYS} days."
    streams = len({gap.stream for gap in gaps.marks})
    count = f"{'More than ' if gaps.more else ''}{len(gaps.marks)}"
    return (
        f"{count} gap{'s' if len(gaps.marks) > 1 else ''} of {streams} "
        f"stream{'s' if streams > 1 else ''} in the last {GAP_DAYS} days."
    )
