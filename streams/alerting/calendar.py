"""Maintenance windows: times that come again every week, by the clock of a time zone.

A window begins at a time of the day as its zone's clocks show it, and lasts for minutes that really
pass. On the days when the clocks change it is as long as on all others: in the hour that is left
out it begins at the moment the clocks jump, and in the hour that comes twice it begins once, with
the first. Plain Python.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
# A window that is longer would be a mute that never ends.
LONGEST_MINUTES = 7 * 1440
# How far ahead windows that follow each other without a break are looked at.
_HORIZON = timedelta(days=60)


class Window(NamedTuple):
    """`weekdays` are the days on which it begins, Monday being 0, by the zone's calendar."""

    name: str
    weekdays: tuple[int, ...]
    begins: time
    minutes: int
    zone: str = "UTC"


class Span(NamedTuple):
    """From `begin` until just before `end`, in UTC."""

    begin: datetime
    end: datetime


def doubts(window: Window) -> list[str]:
    """What is wrong with a window, a sentence each; none if it can be used."""
    found = []
    if not window.weekdays or not set(window.weekdays) <= set(range(7)):
        found.append("Choose at least one weekday.")
    if not 1 <= window.minutes <= LONGEST_MINUTES:
        found.append("A window lasts from 1 minute to 7 days.")
    try:
        ZoneInfo(window.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found.append(f"{window.zone!r} is no time zone. Write one as Europe/Berlin, or UTC.")
    return found


def covering(window: Window, now: datetime) -> Span | None:
    """The span of the window in which `now` lies; the one that ends last if there are several."""
    reach = timedelta(minutes=window.minutes)
    spans = [span for span in spans_of(window, now - reach, now) if span.begin <= now < span.end]
    return max(spans, key=lambda span: span.end, default=None)


def spans_of(window: Window, since: datetime, until: datetime) -> Iterator[Span]:
    """The window's spans that begin at `since` or later and not after `until`, in their order."""
    zone = ZoneInfo(window.zone)
    day, last = since.astimezone(zone).date() - DAY, until.astimezone(zone).date() + DAY
    while day <= last:
        if day.weekday() in window.weekdays:
            begin = begin_on(day, window.begins, zone)
            if since <= begin <= until:
                yield Span(begin, begin + timedelta(minutes=window.minutes))
        day += DAY


def following(window: Window, now: datetime) -> Span | None:
    """The next span that has not begun at `now`; None for a window without weekdays."""
    return next(spans_of(window, now + timedelta.resolution, now + 8 * DAY), None)


def free_of(windows: Iterable[Window], now: datetime) -> datetime:
    """The first moment from `now` on that lies in none of the windows."""
    windows, moment = list(windows), now
    while moment < now + _HORIZON:
        spans = [span for window in windows if (span := covering(window, moment))]
        if not spans:
            break
        moment = max(span.end for span in spans)
    return moment


def begin_on(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """When the clocks of the zone show this time on this day, in UTC."""
    local = datetime.combine(day, clock.replace(fold=0), zone)
    begin = local.astimezone(UTC)
    if begin.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return begin
    # The clocks never show it. Read with the offset of after the jump it lies before the jump,
    # with the one of before the jump it lies after it.
    return _jump(local.replace(fold=1).astimezone(UTC), begin, zone)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment between the two at which the zone's offset changes."""
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
