"""When people are told of an alert, by a clock that the tests turn."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.alerting.calendar import Window
from streams.alerting.telling import (
    ACKNOWLEDGED,
    OPEN,
    RESOLVED,
    Plan,
    Quiet,
    Silence,
    Terms,
    Times,
    due,
    notice_at,
    opened,
    quiet_at,
    resolved,
    settled,
)

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
NEVER = Times()


def after(**span: float) -> datetime:
    return NOON + timedelta(**span)


class Life:
    """An alert that opens at noon, and a clock: what was sent, with the minute it was sent at."""

    def __init__(self, terms: Terms, *silences: Silence, windows: tuple[Window, ...] = ()) -> None:
        self.terms, self.silences, self.windows = terms, list(silences), windows
        self.now, self.state = NOON, OPEN
        self.sent: list[tuple[int, str]] = []
        self.times = NEVER
        self._take(opened(terms, NOON, self._quiet()))

    def until(self, **span: float) -> "Life":
        """Turn the clock on, to each minute."""
        while self.now < after(**span):
            self.now += timedelta(minutes=1)
            self._take(due(self.terms, self.state, self.times, self.now, self._quiet()))
        return self

    def acknowledge(self) -> "Life":
        self.state = ACKNOWLEDGED
        self.times = settled(self.terms, self.state, self.times)
        return self

    def resolve(self) -> "Life":
        self.state = RESOLVED
        told = bool(self.sent)
        self._take(resolved(self.terms, self.times, self.now, told=told, quiet=self._quiet()))
        return self

    def _quiet(self) -> Quiet | None:
        return quiet_at(self.now, self.silences, self.windows)

    def _take(self, plan: Plan) -> None:
        self.times = plan.times
        if plan.send:
            self.sent.append(((self.now - NOON) // timedelta(minutes=1), plan.send))


def minutes(number: int) -> int:
    return number * 60


# At once, and to the end


def test_it_is_told_at_once_and_again_when_it_is_over() -> None:
    life = Life(Terms()).until(minutes=10).resolve().until(days=1)
    assert life.sent == [(0, "opened"), (10, "resolved")]


def test_it_is_repeated_until_somebody_acknowledges_it() -> None:
    life = Life(Terms(repeat=minutes(5))).until(minutes=12)
    assert life.sent == [(0, "opened"), (5, "repeat"), (10, "repeat")]
    assert life.acknowledge().until(days=1).sent[3:] == []
    assert life.times == NEVER


def test_it_is_repeated_until_it_is_over() -> None:
    life = Life(Terms(repeat=minutes(5))).until(minutes=7).resolve().until(days=1)
    assert life.sent == [(0, "opened"), (5, "repeat"), (7, "resolved")]


def test_it_escalates_once_and_the_repeats_begin_anew() -> None:
    life = Life(Terms(repeat=minutes(10), escalate=minutes(15))).until(minutes=40)
    repeats = [(25, "repeat"), (35, "repeat")]
    assert life.sent == [(0, "opened"), (10, "repeat"), (15, "escalation"), *repeats]


def test_acknowledged_in_time_it_does_not_escalate() -> None:
    life = Life(Terms(escalate=minutes(15))).until(minutes=14).acknowledge().until(days=1)
    assert life.sent == [(0, "opened")]


def test_an_escalation_comes_before_a_repeat_of_the_same_moment() -> None:
    life = Life(Terms(repeat=minutes(5), escalate=minutes(5))).until(minutes=5)
    assert life.sent == [(0, "opened"), (5, "escalation")]


def test_the_acknowledged_one_is_told_of_its_end() -> None:
    life = Life(Terms()).acknowledge().until(minutes=3).resolve()
    assert life.sent == [(0, "opened"), (3, "resolved")]


# Digests


def test_a_digest_waits_and_tells_once() -> None:
    life = Life(Terms(digest=minutes(10))).until(minutes=30)
    assert life.sent == [(10, "digest")]


def test_a_second_alert_joins_the_digest_that_collects() -> None:
    running = after(minutes=10)
    plan = opened(Terms(digest=minutes(10)), after(minutes=4), None, running)
    assert plan.times == Times(digest_at=running)
    # One that was sent collects no more.
    later = opened(Terms(digest=minutes(10)), after(minutes=11), None, running)
    assert later.times == Times(digest_at=after(minutes=21))


def test_what_is_over_before_its_digest_is_told_in_it_once() -> None:
    life = Life(Terms(digest=minutes(10))).until(minutes=5).resolve().until(hours=1)
    assert life.sent == [(10, "digest")]


def test_the_end_of_what_was_told_comes_in_the_next_digest() -> None:
    life = Life(Terms(digest=minutes(10))).until(minutes=30).resolve().until(hours=1)
    assert life.sent == [(10, "digest"), (40, "digest")]


def test_repeats_and_escalation_count_from_the_digest() -> None:
    terms = Terms(digest=minutes(10), repeat=minutes(20), escalate=minutes(30))
    life = Life(terms).until(minutes=65)
    assert life.sent == [(10, "digest"), (30, "repeat"), (40, "escalation"), (60, "repeat")]


# Mutes


def muted(until: datetime) -> Silence:
    return Silence(until, "Muted by Alice: deploy")


def test_under_a_mute_it_is_told_when_the_mute_is_over_if_it_still_is_open() -> None:
    life = Life(Terms(repeat=minutes(5)), muted(after(minutes=20))).until(minutes=26)
    assert life.sent == [(20, "opened"), (25, "repeat")]


@pytest.mark.parametrize("deed", [Life.acknowledge, Life.resolve])
def test_what_somebody_looked_after_under_a_mute_is_not_told(
    deed: Callable[[Life], Life],
) -> None:
    life = Life(Terms(), muted(after(minutes=20))).until(minutes=10)
    assert deed(life).until(hours=1).sent == []


def test_a_mute_holds_repeats_and_the_escalation_back_and_not_for_ever() -> None:
    life = Life(Terms(repeat=minutes(5), escalate=minutes(7)))
    life.silences.append(muted(after(minutes=60)))
    assert life.until(minutes=60).sent == [(0, "opened"), (60, "escalation")]


def test_the_end_is_not_told_under_a_mute() -> None:
    life = Life(Terms())
    life.silences.append(muted(after(minutes=60)))
    assert life.until(minutes=5).resolve().until(hours=2).sent == [(0, "opened")]


def test_a_mute_that_ends_early_is_no_mute_any_more() -> None:
    life = Life(Terms(), muted(after(minutes=60))).until(minutes=10)
    life.silences.clear()
    life.times = Times(digest_at=life.now)
    assert life.until(minutes=12).sent == [(11, "opened")]


def test_mutes_that_follow_each_other_hold_as_one() -> None:
    quiet = quiet_at(NOON, [muted(after(minutes=10)), muted(after(minutes=30))])
    assert quiet == Quiet(after(minutes=30), "Muted by Alice: deploy")
    assert quiet_at(after(minutes=30), [muted(after(minutes=30))]) is None


def test_a_notice_comes_a_quarter_of_an_hour_before_the_end_or_a_quarter_of_the_mute() -> None:
    assert notice_at(NOON, after(hours=8)) == after(hours=7, minutes=45)
    assert notice_at(NOON, after(minutes=20)) == after(minutes=15)


# Maintenance windows

NIGHTLY = Window("backup", tuple(range(7)), time(14), 90, "Europe/Berlin")


def test_in_a_window_it_is_told_when_the_window_is_over() -> None:
    # 14:00 in Berlin is 13:00 UTC on this day; noon is an hour before.
    begun = Window("backup", (5,), time(12, 30), 90, "Europe/Berlin")
    life = Life(Terms(), windows=(begun,)).until(hours=3)
    assert life.sent == [(60, "opened")]


def test_a_window_that_begins_later_holds_back_the_repeats() -> None:
    life = Life(Terms(repeat=minutes(45)), windows=(NIGHTLY,)).until(hours=4)
    assert [at for at, _ in life.sent] == [0, 45, 150, 195, 240]


def test_a_mute_that_ends_in_a_window_ends_with_it() -> None:
    quiet = quiet_at(NOON, [muted(after(minutes=75))], [NIGHTLY])
    assert quiet and quiet.until == after(minutes=150)


@pytest.mark.parametrize(
    ("day", "told"),
    [
        # 02:30 to 03:30 by the clocks of Berlin: the clocks jump over its begin…
        ("2026-03-29", "2026-03-29 02:00"),
        # …and show it twice: the first counts.
        ("2026-10-25", "2026-10-25 01:30"),
        ("2026-06-01", "2026-06-01 01:30"),
        ("2026-01-15", "2026-01-15 02:30"),
    ],
)
def test_on_the_days_when_the_clocks_change_it_is_told_after_the_window(
    day: str, told: str
) -> None:
    nightly = Window("backup", tuple(range(7)), time(2, 30), 60, "Europe/Berlin")
    moment = datetime.fromisoformat(f"{day} 00:00").replace(tzinfo=UTC)
    while not (quiet := quiet_at(moment, [], [nightly])):
        moment += timedelta(minutes=1)
    plan = opened(Terms(), moment, quiet)
    assert plan.send == "" and plan.times.digest_at == quiet.until
    assert f"{quiet.until:%Y-%m-%d %H:%M}" == told
    assert due(Terms(), OPEN, plan.times, quiet.until).send == "opened"


# Nothing is forgotten


def test_the_end_of_what_nobody_was_told_of_is_not_told() -> None:
    assert resolved(Terms(), NEVER, NOON, told=False).send == ""


def test_nothing_is_due_before_its_time() -> None:
    times = Times(None, after(minutes=1), after(minutes=2))
    assert due(Terms(repeat=60), OPEN, times, NOON).send == ""
    assert due(Terms(repeat=60), OPEN, times, NOON).times == times


# Whatever a rule says

_MINUTES = st.integers(0, 40)
_SECONDS = st.sampled_from([0, minutes(3), minutes(7), minutes(10)])


@given(
    terms=st.builds(Terms, digest=_SECONDS, repeat=_SECONDS, escalate=_SECONDS),
    mute=st.tuples(_MINUTES, _MINUTES),
    acknowledged=_MINUTES,
    over=_MINUTES,
)
def test_it_is_quiet_in_a_mute_and_after_somebody_looks_after_it(
    terms: Terms, mute: tuple[int, int], acknowledged: int, over: int
) -> None:
    begin, length = mute
    life = Life(terms, *([muted(after(minutes=length))] if begin == 0 else []))
    for minute in range(1, 60):
        if minute == begin:
            life.silences.append(muted(after(minutes=begin + length)))
        if minute == acknowledged and life.state == OPEN:
            life.acknowledge()
        if minute == over:
            life.resolve()
        life.until(minutes=minute)
    found = Counter(what for _, what in life.sent)
    assert found["opened"] <= 1 and found["escalation"] <= 1 and found["resolved"] <= 1
    assert not any(begin <= at < begin + length for at, _ in life.sent)
    ended = min((at for at in (acknowledged, over) if at), default=60)
    late = {what for at, what in life.sent if at > ended}
    assert not late & {"opened", "repeat", "escalation"}
