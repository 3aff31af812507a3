"""The charts of rules as geometry."""

from datetime import UTC, datetime, timedelta

from dashboard.rule_chart import Interval, bars, intervals, week_chart

BEGIN = datetime(2026, 11, 21, 10, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def test_a_week_is_one_bar_a_day() -> None:
    chart = week_chart([0, 0, 4, 0, 0, 0, 1])
    assert (chart.highest, chart.path.count("M")) == (4, 2)
    assert chart.summary == "5 alerts in 7 days, 1 today"
    assert week_chart([0] * 7).path == ""


def test_bars_reach_the_full_height() -> None:
    chart = bars([1, 10], "", width=20, height=50)
    assert chart.path == "M0 45h9v5h-9zM10 0h9v50h-9z"


def test_open_alerts_lie_where_they_were_open() -> None:
    found = intervals([(at(15), at(30)), (at(45), None)], at(0), at(60), width=600)
    assert found == [Interval(150, 150), Interval(450, 150)]


def test_alerts_that_overlap_are_one_stretch_and_each_can_be_seen() -> None:
    spans = [(at(20), at(40)), (at(10), at(30)), (at(50), at(50))]
    assert intervals(spans, at(0), at(60), width=60) == [Interval(10, 30), Interval(50, 2)]


def test_what_began_before_the_period_is_cut() -> None:
    assert intervals([(at(-30), at(30))], at(0), at(60), width=60) == [Interval(0, 30)]
