"""Maintenance windows by the clocks of a time zone, the days on which they change included.

In Berlin they jump from 02:00 to 03:00 on 2026-03-29 (01:00 UTC), and from 03:00 back to 02:00 on
2026-10-25 (01:00 UTC): 02:30 never comes on the first day, and twice on the second.
"""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.alerting.calendar import (
    Window,
    begin_on,
    covering,
    doubts,
    following,
    free_of,
    spans_of,
)

EVERY_DAY = tuple(range(7))
SUNDAY = 6
BERLIN = "Europe/Berlin"
YEAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def window(
    begins: str,
    minutes: int = 60,
    weekdays: tuple[int, ...] = EVERY_DAY,
    zone: str = BERLIN,
    name: str = "backup",
) -> Window:
    return Window(name, weekdays, time.fromisoformat(begins), minutes, zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span_around(some: Window, text: str) -> tuple[str, str] | None:
    span = covering(some, utc(text))
    return (f"{span.begin:%d %H:%M}", f"{span.end:%d %H:%M}") if span else None


def test_it_follows_its_zones_clock_in_winter_and_summer() -> None:
    nightly = window("02:00")
    assert span_around(nightly, "2026-01-15 01:30") == ("15 01:00", "15 02:00")
    assert span_around(nightly, "2026-07-15 00:30") == ("15 00:00", "15 01:00")


def test_it_holds_from_its_begin_until_just_before_its_end() -> None:
    nightly = window("02:00", zone="UTC")
    second = timedelta(seconds=1)
    begin = utc("2026-01-15 02:00")
    held = [begin - second, begin, begin + HOUR - second, begin + HOUR]
    assert [covering(nightly, moment) is not None for moment in held] == [False, True, True, False]


def test_it_begins_only_on_its_weekdays_by_its_own_calendar() -> None:
    # Monday 00:30 in Auckland is Sunday 11:30 UTC.
    monday = window("00:30", weekdays=(0,), zone="Pacific/Auckland")
    assert span_around(monday, "2026-06-14 12:45") == ("14 12:30", "14 13:30")
    assert span_around(monday, "2026-06-15 12:45") is None


def test_over_midnight_it_belongs_to_the_day_on_which_it_begins() -> None:
    sunday = window("23:00", minutes=120, weekdays=(SUNDAY,), zone="UTC")
    assert span_around(sunday, "2026-03-02 00:30") == ("01 23:00", "02 01:00")
    assert span_around(sunday, "2026-03-01 00:30") is None


def test_in_the_missing_hour_it_begins_when_the_clocks_jump() -> None:
    assert span_around(window("02:30"), "2026-03-29 01:10") == ("29 01:00", "29 02:00")
    assert span_around(window("02:30"), "2026-03-29 00:59:59") is None
    # The hour's edges: 02:00 is missing too, 03:00 is the jump itself.
    assert span_around(window("02:00"), "2026-03-29 01:10") == ("29 01:00", "29 02:00")
    assert span_around(window("03:00"), "2026-03-29 01:10") == ("29 01:00", "29 02:00")


def test_in_the_doubled_hour_it_begins_once_with_the_first() -> None:
    half_past = window("02:30")
    assert span_around(half_past, "2026-10-25 00:45") == ("25 00:30", "25 01:30")
    assert span_around(half_past, "2026-10-25 01:45") is None
    day = list(spans_of(half_past, utc("2026-10-25 00:00"), utc("2026-10-25 22:59")))
    assert len(day) == 1


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_over_a_change_of_the_clocks_as_much_time_passes_as_always(day: str) -> None:
    long = window("01:00", minutes=240)
    span = covering(long, utc(f"{day} 01:00"))
    assert span and span.end - span.begin == timedelta(minutes=240)


def test_over_midnight_into_the_day_on_which_the_clocks_change() -> None:
    late = window("23:30", minutes=240, weekdays=(5,))
    # 23:30 to 03:30 by the clocks would be three hours in spring: it ends at 04:30 there, and at
    # 02:30, the second one, in autumn.
    assert span_around(late, "2026-03-29 02:00") == ("28 22:30", "29 02:30")
    assert span_around(late, "2026-10-25 01:00") == ("24 21:30", "25 01:30")


def test_a_zone_whose_clocks_change_by_half_an_hour() -> None:
    # Lord Howe jumps from 02:00 to 02:30 on 2026-10-04 (15:30 UTC the day before).
    assert span_around(window("02:15", zone="Australia/Lord_Howe"), "2026-10-03 15:40") == (
        "03 15:30",
        "03 16:30",
    )


def test_a_zone_that_skips_midnight() -> None:
    # Cairo's clocks jump from 00:00 to 01:00 on 2026-04-24 (22:00 UTC the day before).
    midnight = window("00:00", weekdays=(4,), zone="Africa/Cairo")
    assert span_around(midnight, "2026-04-23 22:30") == ("23 22:00", "23 23:00")


def test_windows_that_follow_each_other_are_one_quiet_time() -> None:
    first = window("22:00", minutes=120, zone="UTC")
    second = window("00:00", minutes=60, zone="UTC")
    assert free_of([first, second], utc("2026-01-15 22:30")) == utc("2026-01-16 01:00")
    assert free_of([first, second], utc("2026-01-15 12:00")) == utc("2026-01-15 12:00")


def test_windows_that_never_end_are_not_looked_through_for_ever() -> None:
    always = window("00:00", minutes=1440, zone="UTC")
    now = utc("2026-01-15 12:00")
    assert free_of([always], now) >= now + timedelta(days=60)


def test_it_tells_when_it_begins_next() -> None:
    sunday = window("02:30", weekdays=(SUNDAY,))
    span = following(sunday, utc("2026-03-23 00:00"))
    assert span and span.begin == utc("2026-03-29 01:00")
    running = following(sunday, utc("2026-03-29 01:00"))
    assert running and running.begin == utc("2026-04-05 00:30")
    assert following(window("02:30", weekdays=()), utc("2026-03-23 00:00")) is None


@pytest.mark.parametrize(
    ("some", "said"),
    [
        (window("02:00"), ""),
        (window("02:00", weekdays=()), "weekday"),
        (window("02:00", weekdays=(7,)), "weekday"),
        (window("02:00", minutes=0), "1 minute to 7 days"),
        (window("02:00", zone="Mars/Olympus"), "no time zone"),
        (window("02:00", zone="../etc/passwd"), "no time zone"),
    ],
)
def test_it_says_what_is_wrong_with_a_window(some: Window, said: str) -> None:
    assert said in " ".join(doubts(some))
    assert bool(doubts(some)) == bool(said)


ZONES = st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "UTC"])


@given(clock=st.times(), zone=ZONES, minutes=st.integers(1, 1440))
def test_on_every_day_of_a_year_there_is_exactly_one_begin(
    clock: time, zone: str, minutes: int
) -> None:
    daily = Window("daily", EVERY_DAY, clock, minutes, zone)
    spans = list(spans_of(daily, *YEAR))
    for before, after in pairwise(spans):
        assert DAY - HOUR <= after.begin - before.begin <= DAY + HOUR
    for span in spans:
        assert covering(daily, span.begin) is not None


@given(
    day=st.dates(min_value=datetime(2000, 1, 1).date(), max_value=datetime(2037, 1, 1).date()),
    clock=st.times(),
    zone=ZONES,
)
def test_the_clocks_show_the_time_or_have_jumped_over_it(
    day: datetime, clock: time, zone: str
) -> None:
    there = ZoneInfo(zone)
    begin = begin_on(day, clock, there)
    shown = begin.astimezone(there).replace(tzinfo=None)
    wanted = datetime.combine(day, clock)
    before = (begin - timedelta(seconds=1)).astimezone(there).replace(tzinfo=None)
    assert shown == wanted or before < wanted < shown or before < wanted <= shown
