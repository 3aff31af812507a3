from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.when import parse_moment

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21T10:00Z", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21 10:00", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T10:00:00.123456+02:00", datetime(2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("1700000000123", datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)),
        ("45s", NOW - timedelta(seconds=45)),
        ("15m", NOW - timedelta(minutes=15)),
        (" 2 h ago ", NOW - timedelta(hours=2)),
        ("1d", NOW - timedelta(days=1)),
        ("0s", NOW),
        ("now", NOW),
        ("yesterday 14:00", datetime(2026, 11, 20, 14, tzinfo=UTC)),
        ("Yesterday", datetime(2026, 11, 20, tzinfo=UTC)),
        ("today at 9:30:15", datetime(2026, 11, 21, 9, 30, 15, tzinfo=UTC)),
    ],
)
def test_it_reads_moments_as_people_write_them(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text", ["", "yesterday 25:00", "tomorrow", "15 minutes", "-5m", "10:00", "17000000000"]
)
def test_another_text_is_told_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="Write 2026-11-21T10:00Z, epoch seconds, or 15m"):
        parse_moment(text, NOW)


def test_a_moment_before_the_calendar_is_its_first_day() -> None:
    assert parse_moment("999999d", NOW) == datetime.min.replace(tzinfo=UTC)


@given(st.text(max_size=25) | st.from_regex(r"\d{1,7} ?[smhd]|\d{9,14}|today \d\d:\d\d"))
def test_every_text_is_a_moment_with_a_zone_or_a_value_error(text: str) -> None:
    try:
        moment = parse_moment(text, NOW)
    except ValueError:
        return
    assert moment.tzinfo
