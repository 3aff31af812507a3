"""The stretch of time that a page's charts show: a named range, or from a moment to another."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from streams.when import parse_moment

RANGES = {
    "1h": ("1 h", timedelta(hours=1)),
    "6h": ("6 h", timedelta(hours=6)),
    "24h": ("24 h", timedelta(hours=24)),
    "7d": ("7 d", timedelta(days=7)),
}
_MINUTE = timedelta(minutes=1)
# The finest that gives no more bins than a wide screen has room for.
_STEPS = [timedelta(minutes=n) for n in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)]
_MOST_BINS = 1_440
# So that nobody asks for more minutes than are kept.
_LONGEST = timedelta(days=400)
# A table beside a chart has at most so many rows.
_MOST_ROWS = 60


@dataclass(frozen=True)
class ChartRange:
    """`bins` bins of `step` each from `since` to `until`; `name` is "" if it was given by its
    moments, `wrong` says in words why those were not understood."""

    name: str
    since: datetime
    until: datetime
    step: timedelta
    wrong: str = ""

    @property
    def bins(self) -> int:
        return (self.until - self.since) // self.step

    @property
    def per_row(self) -> int:
        """How many bins one row of the table sums up."""
        return next(
            size
            for size in (1, 2, 3, 5, 6, 10, 12, 15, 18, 20, 30, 60, 1_440)
            if self.bins <= _MOST_ROWS * size
        )


def chart_range(given: Mapping[str, str], now: datetime) -> ChartRange:
    """What an address asks for; what is not understood gives the last hour, and says so."""
    name = given.get("range", "")
    texts = given.get("since", "").strip(), given.get("until", "").strip()
    if not any(texts):
        name = name if name in RANGES else "1h"
        end = _up(now, _MINUTE)
        return _fitting(name, end - RANGES[name][1], end)
    try:
        until = parse_moment(texts[1], now) if texts[1] else now
        since = parse_moment(texts[0], now) if texts[0] else until - timedelta(hours=1)
        if since >= until:
            raise ValueError("The range ends before it begins.")
    except (ValueError, OverflowError) as error:
        end = _up(now, _MINUTE)
        return _fitting("1h", end - RANGES["1h"][1], end, f"{error} The last hour is shown.")
    return _fitting("", max(since, until - _LONGEST), until)


def _fitting(name: str, since: datetime, until: datetime, wrong: str = "") -> ChartRange:
    step = next((step for step in _STEPS if (until - since) / step <= _MOST_BINS), _STEPS[-1])
    return ChartRange(name, _down(since, step), _up(until, step), step, wrong)


def _down(moment: datetime, step: timedelta) -> datetime:
    """The moment or the step before it, as counted from midnight (UTC)."""
    moment = moment.astimezone(UTC)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (moment - midnight) // step * step


def _up(moment: datetime, step: timedelta) -> datetime:
    down = _down(moment, step)
    return down if down == moment else down + step
