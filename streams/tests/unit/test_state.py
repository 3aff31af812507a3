"""A stream's state: judged from clocks alone, and never better than what is proven."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streams.state import LEVEL, ORDER, Facts, State, state_of
from streams.state import spell as spelled

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HEALTHY = Facts(
    now=NOW,
    created_at=NOW - timedelta(days=9),
    retention=timedelta(hours=24),
    paused_at=None,
    paused_by="",
    readable=4,
    late=0,
    read_at=NOW - timedelta(seconds=1),
    complete_at=NOW - timedelta(seconds=1),
    unread_from=NOW - timedelta(seconds=1),
    last_change_at=NOW - timedelta(seconds=10),
)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def judged(**facts: Any) -> State:
    """The healthy stream, but for this. What is complete until a moment is unread from there."""
    if facts.get("complete_at"):
        facts.setdefault("unread_from", facts["complete_at"])
    return state_of(replace(HEALTHY, **facts))


def code(**facts: Any) -> str:
    return judged(**facts).code


def sentence(**facts: Any) -> str:
    return judged(**facts).sentence


def test_a_stream_that_is_read_to_the_end_is_healthy() -> None:
    state = state_of(HEALTHY)
    assert (state.code, state.level, state.lag) == ("healthy", "ok", timedelta(0))


def test_without_a_change_for_five_minutes_it_is_idle() -> None:
    assert code(last_change_at=ago(minutes=4, seconds=59)) == "healthy"
    assert code(last_change_at=ago(minutes=5, seconds=1)) == "idle"
    assert "5 min 1 s" in sentence(last_change_at=ago(minutes=5, seconds=1))


def test_without_any_change_yet_it_is_idle() -> None:
    assert code(last_change_at=None) == "idle"
    assert sentence(last_change_at=None) == "Reading; no change yet."


def test_more_than_a_minute_of_unread_changes_is_behind() -> None:
    assert code(complete_at=ago(seconds=59)) == "healthy"
    assert code(complete_at=ago(seconds=61)) == "behind"
    assert sentence(complete_at=ago(minutes=12, seconds=5)) == "Behind by 12 min 5 s."


def test_twenty_seconds_without_a_read_are_stalled() -> None:
    assert code(read_at=ago(seconds=20)) == "healthy"
    assert code(read_at=ago(seconds=21)) == "stalled"


def test_a_stalled_stream_says_why_if_anybody_knows() -> None:
    stalled = {"read_at": ago(seconds=45)}
    assert "No poller reports a reason." in sentence(**stalled)
    assert "Throttled." in sentence(**stalled, cause="Throttled.")
    assert sentence(**stalled, cause="Throttled.", system_cause="No worker.").endswith("No worker.")


def test_a_known_cause_that_must_be_mended_is_blocked() -> None:
    denied = {"cause": "Access denied. Allow it.", "blocking_cause": True}
    assert code(**denied, read_at=ago(seconds=45)) == "blocked"
    assert sentence(**denied, read_at=ago(seconds=45)) == "Access denied. Allow it."
    assert code(**denied, read_at=None, created_at=ago(seconds=5)) == "blocked"


def test_a_problem_does_not_matter_while_reading_goes_on() -> None:
    assert code(cause="Access denied.", blocking_cause=True) == "healthy"


def test_a_new_stream_is_starting_for_half_a_minute() -> None:
    new = {"read_at": None, "complete_at": None, "last_change_at": None}
    assert code(**new, created_at=ago(seconds=29)) == "starting"
    assert code(**new, created_at=ago(seconds=31)) == "stalled"
    assert "since it was added" in sentence(**new, created_at=ago(seconds=31))


def test_a_pause_says_who_paused_it_and_since_when() -> None:
    """The time left counts from what was read before, not from the pause."""
    paused = {"paused_at": ago(hours=1), "paused_by": "alice", "read_at": ago(hours=1)}
    state = judged(**paused, complete_at=ago(hours=2))
    assert (state.code, state.time_left) == ("paused", timedelta(hours=22))
    assert state.sentence == "Paused by alice since 2026-11-21 11:00 UTC."
    assert sentence(**{**paused, "paused_by": ""}).startswith("Paused by an operator")


def test_four_hours_before_the_source_deletes_it_is_losing() -> None:
    assert code(complete_at=ago(hours=20)) == "behind"
    assert code(complete_at=ago(hours=20, seconds=1)) == "losing"
    assert "lost in 3 h 30 min" in sentence(complete_at=ago(hours=20, minutes=30))
    assert "AWS keeps them 24 h" in sentence(complete_at=ago(hours=21))


def test_another_retention_is_lost_at_another_time() -> None:
    week = {"retention": timedelta(days=7)}
    assert code(**week, complete_at=ago(hours=100)) == "behind"
    assert code(**week, complete_at=ago(hours=165)) == "losing"
    assert "AWS keeps them 168 h" in sentence(**week, complete_at=ago(hours=165))


def test_losing_never_counts_below_nothing() -> None:
    assert "lost in 0 s" in sentence(complete_at=ago(days=3))
    assert judged(complete_at=ago(days=3)).time_left == timedelta(0)


def test_a_long_pause_is_losing_and_says_who_paused_it() -> None:
    at = ago(hours=21)
    paused = {"paused_at": at, "paused_by": "alice", "read_at": at, "complete_at": at}
    assert code(**paused) == "losing"
    assert sentence(**paused).endswith("Paused by alice.")


def test_a_stream_never_read_for_twenty_hours_is_losing() -> None:
    assert code(read_at=None, complete_at=None, unread_from=ago(hours=21)) == "losing"


def test_what_cannot_be_lost_is_not_losing() -> None:
    """All shards are read to their end, and the stream is off."""
    off = {"read_at": ago(days=9), "complete_at": None, "unread_from": None}
    assert code(**off, cause="It is off.", blocking_cause=True) == "blocked"
    assert judged(**off).time_left is None


# Time left


def test_time_left_is_the_retention_less_the_age_of_what_may_be_unread() -> None:
    assert judged(complete_at=ago(hours=2, minutes=5)).time_left == timedelta(hours=21, minutes=55)
    assert judged(read_at=ago(minutes=2)).time_left == timedelta(hours=24, seconds=-1)


def test_without_anything_unread_no_time_is_left_or_needed() -> None:
    assert judged().time_left is None
    assert judged(complete_at=ago(seconds=60)).time_left is None
    assert judged(complete_at=ago(seconds=61)).time_left is not None


def test_what_was_never_shown_to_be_read_has_its_time_left() -> None:
    new = {"read_at": ago(seconds=1), "complete_at": None, "unread_from": ago(hours=1)}
    assert judged(**new).time_left == timedelta(hours=23)


# Growing or shrinking


def behind(before: timedelta, **ago_: float) -> str:
    return sentence(complete_at=ago(minutes=4, seconds=10), earlier=(before, ago(**ago_)))


def test_a_lag_without_an_earlier_one_says_no_more() -> None:
    assert sentence(complete_at=ago(minutes=4, seconds=10)) == "Behind by 4 min 10 s."


def test_a_lag_that_grew_is_growing() -> None:
    assert behind(timedelta(minutes=3), minutes=1) == "Behind by 4 min 10 s, growing."


def test_a_lag_that_shrank_says_when_it_will_be_over() -> None:
    """125 s less in a minute: 250 s take two minutes."""
    said = behind(timedelta(minutes=4, seconds=10 + 125), minutes=1)
    assert said == "Behind by 4 min 10 s, shrinking: caught up in about 2 min."
    said = behind(timedelta(minutes=4, seconds=10 + 25), minutes=1)
    assert said.endswith("caught up in about 10 min.")
    said = behind(timedelta(minutes=4, seconds=10 + 6), minutes=2)
    assert said.endswith("caught up in about 84 min.")


@pytest.mark.parametrize("seconds", [-5, 0, 5])
def test_a_lag_that_hardly_moved_says_no_more(seconds: float) -> None:
    before = timedelta(minutes=4, seconds=10 + seconds)
    assert behind(before, minutes=1) == "Behind by 4 min 10 s."


# Shards


def test_a_shard_that_waits_is_not_stalled() -> None:
    waiting = {"read_at": None, "waits": "Waits for its parent.", "unread_from": ago(minutes=5)}
    assert (code(**waiting), sentence(**waiting)) == ("waiting", "Waits for its parent.")
    assert code(**{**waiting, "unread_from": ago(hours=21)}) == "losing"


def test_a_shard_that_ended_has_nothing_left() -> None:
    ended = judged(ended="Read to its end.", complete_at=ago(days=9), read_at=ago(days=9))
    assert (ended.code, ended.lag, ended.time_left) == ("ended", None, None)
    assert code(ended="Gone.", gap="Changes are missing.") == "lost"


def test_some_late_shards_are_not_called_all() -> None:
    said = sentence(read_at=ago(seconds=45), late=1)
    assert said.startswith("1 of 4 shards: nothing has been read for 45 s.")
    assert sentence(read_at=ago(seconds=45), late=4).startswith("Nothing has been read for 45 s.")


# Lost


def test_a_gap_is_lost_whatever_else_is_true() -> None:
    assert code(gap="Changes are missing.") == "lost"
    assert code(gap="x", paused_at=NOW, complete_at=ago(days=2), read_at=None) == "lost"
    assert sentence(gap="Changes are missing.") == "Changes are missing."


def test_lag_is_the_time_since_everything_was_stored() -> None:
    assert state_of(replace(HEALTHY, complete_at=ago(seconds=70))).lag == timedelta(seconds=70)
    assert state_of(replace(HEALTHY, complete_at=ago(seconds=2.9))).lag == timedelta(0)
    assert state_of(replace(HEALTHY, complete_at=None)).lag is None


def test_a_clock_that_is_ahead_makes_no_negative_lag() -> None:
    assert state_of(replace(HEALTHY, complete_at=ago(seconds=-30))).lag == timedelta(0)


def test_a_stream_that_stops_goes_from_healthy_to_losing() -> None:
    """What the overview shows while nobody reads, as time passes."""
    seen = []
    for seconds in (0, 10, 25, 60, 3600, 72_100):
        at = NOW + timedelta(seconds=seconds)
        seen.append(state_of(replace(HEALTHY, now=at)).code)
    assert seen == ["healthy", "healthy", "stalled", "stalled", "stalled", "losing"]


def test_every_state_has_its_place_and_level() -> None:
    assert set(ORDER) == set(LEVEL)
    assert [LEVEL[state] for state in ORDER] == sorted(
        LEVEL.values(), key=["bad", "warn", "info", "ok"].index
    )


def test_only_what_is_proven_is_green() -> None:
    green = {state for state, level in LEVEL.items() if level == "ok"}
    assert green == {"idle", "healthy", "ended"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (250, "4 min 10 s"),
        (3600, "1 h 0 min"),
        (11_100, "3 h 5 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_a_span_is_spelled_in_two_units(seconds: float, text: str) -> None:
    assert spelled(timedelta(seconds=seconds)) == text
