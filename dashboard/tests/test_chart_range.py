"""The time that charts show: whole bins, whatever was asked for."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.chart_range import RANGES, chart_range

NOW = datetime(2026, 11, 21, 10, 7, 42, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
moments = st.datetimes(datetime(2001, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def test_without_a_wish_it_is_the_last_hour() -> None:
    chosen = chart_range({}, NOW)
    assert (chosen.name, chosen.step, chosen.bins) == ("1h", MINUTE, 60)
    assert chosen.until == datetime(2026, 11, 21, 10, 8, tzinfo=UTC)
    assert chart_range({"range": "99y"}, NOW) == chosen


@pytest.mark.parametrize(("name", "step"), [("1h", 1), ("6h", 1), ("24h", 1), ("7d", 10)], ids=str)
def test_a_day_is_shown_by_the_minute(name: str, step: int) -> None:
    chosen = chart_range({"range": name}, NOW)
    assert chosen.step == step * MINUTE
    assert chosen.since <= NOW - RANGES[name][1] + 10 * MINUTE and chosen.until >= NOW


def test_moments_win_over_a_named_range() -> None:
    chosen = chart_range({"range": "7d", "since": "2026-11-21T09:00Z", "until": "15m"}, NOW)
    assert (chosen.name, chosen.bins) == ("", 53)


@pytest.mark.parametrize(
    ("since", "until"), [("soon", ""), ("", "late"), ("1h", "2h"), ("now", "now"), ("", "2026-13")]
)
def test_what_is_not_understood_gives_the_last_hour_and_says_so(since: str, until: str) -> None:
    chosen = chart_range({"since": since, "until": until}, NOW)
    assert chosen.wrong.endswith("The last hour is shown.")
    assert (chosen.name, chosen.bins) == ("1h", 60)


@given(moments, moments)
def test_bins_are_whole_cover_the_wish_and_are_never_too_many(a: datetime, b: datetime) -> None:
    since, until = sorted([a, b])
    chosen = chart_range({"since": since.isoformat(), "until": until.isoformat()}, NOW)
    if since == until:
        assert chosen.wrong
        return
    assert chosen.bins >= 1
    assert chosen.since + chosen.bins * chosen.step == chosen.until >= until
    assert chosen.since <= max(since, until - timedelta(days=400))
    assert chosen.bins <= 1_442
    assert -(-chosen.bins // chosen.per_row) <= 60
