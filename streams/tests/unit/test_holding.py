"""How long something must last before its alert follows."""

from datetime import UTC, datetime, timedelta

from streams.alerting.holding import UNSEEN, Wait, waiting

START = datetime(2026, 11, 22, 10, tzinfo=UTC)
HOLD = timedelta(seconds=30)


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def looks(*seen: tuple[float, bool]) -> list[bool]:
    """After which of these looks (a second, and whether something is there) the alert follows."""
    wait: Wait | None = None
    followed = []
    for second, opens in seen:
        wait = waiting(wait, opens, after(second), HOLD)
        followed.append(wait is None)
    return followed


def test_what_lasts_is_told() -> None:
    assert looks((0, True), (10, True), (29, True), (30, True)) == [False, False, False, True]


def test_without_a_hold_it_is_told_at_once() -> None:
    assert waiting(None, True, START, timedelta(0)) is None


def test_the_wait_begins_anew_after_the_opposite() -> None:
    assert looks((0, True), (20, False), (31, True), (50, True)) == [False] * 4


def test_the_wait_begins_anew_when_nobody_looked() -> None:
    """What was so before a shutdown says nothing about the time after it."""
    later = 10 + UNSEEN.total_seconds()
    assert looks((0, True), (10, True), (later + 1, True)) == [False] * 3
    assert looks((0, True), (10, True), (later, True)) == [False, False, True]
