"""What each kind of rule makes of its matches."""

import pytest

from streams.alerting.definition import define
from streams.alerting.evaluate import Grew, Opened, Suppressed, evaluator_of
from streams.tests.unit.evaluating import at, hit, refs, rule, told, words

# Each match


def test_a_match_opens_an_alert_that_later_ones_join_until_it_is_quiet() -> None:
    evaluator = evaluator_of(rule("match", resolve=60))
    happenings, state = told(evaluator, [hit(0), hit(30), hit(200)], 230)
    assert words(happenings) == [("Opened", 0), ("Grew", 30), ("Resolved", 90), ("Opened", 200)]
    first = happenings[0]
    assert isinstance(first, Opened)
    assert first.sentence == "A change matches: new.status is paid."
    assert state is not None


def test_without_a_time_to_resolve_an_alert_stays_open() -> None:
    evaluator = evaluator_of(rule("match", resolve=0))
    happenings, _ = told(evaluator, [hit(0), hit(100_000)], 200_000)
    assert words(happenings) == [("Opened", 0), ("Grew", 100_000)]


def test_the_cool_down_counts_from_when_the_alert_opened() -> None:
    evaluator = evaluator_of(rule("match", resolve=10, cool_down=100))
    happenings, _ = told(evaluator, [hit(0), hit(50), hit(99), hit(100)], 105)
    assert words(happenings) == [
        ("Opened", 0),
        ("Resolved", 10),
        ("Suppressed", 50),
        ("Suppressed", 99),
        ("Opened", 100),
    ]


def test_what_was_resolved_by_hand_opens_anew() -> None:
    evaluator = evaluator_of(rule("match", resolve=0))
    step = evaluator.feed(None, hit(0))
    state = evaluator.settle(step.state)
    assert state is None
    assert words(evaluator.feed(state, hit(5)).happenings) == [("Opened", 5)]


def test_nothing_is_remembered_of_a_group_that_is_quiet() -> None:
    for definition in (
        rule("match"),
        rule("count", threshold=2, window=5),
        rule("match", cool_down=9),
    ):
        _, state = told(evaluator_of(definition), [hit(0), hit(1)], 200_000)
        assert state is None


# Count


def test_a_count_opens_with_the_hit_that_fills_its_window() -> None:
    evaluator = evaluator_of(rule("count", threshold=3, window=10))
    happenings, _ = told(evaluator, [hit(0), hit(9), hit(11), hit(19)], 20)
    assert words(happenings) == [("Opened", 19)]
    (opened,) = happenings
    assert isinstance(opened, Opened)
    assert (opened.refs, opened.count) == ([9, 11, 19], 3)
    assert opened.sentence == "3 changes within 10 s: new.status is paid."


def test_late_hits_count_where_they_belong() -> None:
    evaluator = evaluator_of(rule("count", threshold=3, window=10))
    late = [
        hit(100, "a", occurred=20),
        hit(5_000, "b", occurred=90),
        hit(5_001, "c", occurred=25),
        hit(80_000, "d", occurred=16),
    ]
    happenings, _ = told(evaluator, late, 80_001)
    assert words(happenings) == [("Opened", 80_000)]
    assert refs(happenings) == ["d", "a", "c"]


def test_hits_of_an_alert_are_not_counted_for_the_next() -> None:
    evaluator = evaluator_of(rule("count", threshold=2, window=100, resolve=10))
    happenings, _ = told(evaluator, [hit(0), hit(1), hit(20), hit(21)], 22)
    assert words(happenings) == [("Opened", 1), ("Resolved", 11), ("Opened", 21)]


def test_a_count_resolves_when_the_window_was_not_full_for_so_long() -> None:
    evaluator = evaluator_of(rule("count", threshold=3, window=10, resolve=30))
    burst = [hit(n) for n in (0, 1, 2, 3)]
    happenings, _ = told(evaluator, [*burst, hit(20), hit(32)], 40)
    assert words(happenings) == [
        ("Opened", 2),
        ("Grew", 3),
        ("Grew", 20),
        ("Grew", 32),
        ("Resolved", 33),
    ]


def test_held_back_by_the_cool_down_its_hits_are_told_once() -> None:
    evaluator = evaluator_of(rule("count", threshold=2, window=10, resolve=5, cool_down=60))
    happenings, _ = told(evaluator, [hit(n) for n in (0, 1, 20, 21, 22, 61, 62)], 63)
    assert words(happenings) == [
        ("Opened", 1),
        ("Resolved", 6),
        ("Suppressed", 21),
        ("Opened", 62),
    ]
    assert refs(happenings) == [0, 1, 20, 21, 61, 62]


def test_what_a_count_keeps_is_bounded() -> None:
    evaluator = evaluator_of(rule("count", threshold=5, window=1, resolve=0))
    step = evaluator.feed(None, hit(0))
    for n in range(1, 5_000):
        step = evaluator.feed(step.state, hit(n * 0.5))
    assert step.state is not None and len(step.state["hits"]) <= 110
    assert step.happenings == []


# Absence


def test_silence_opens_an_alert_and_the_next_change_resolves_it() -> None:
    evaluator = evaluator_of(rule("absence", seconds=60))
    begin = evaluator.begin(at(0))
    assert begin.due == at(60)
    happenings, _ = told(evaluator, [hit(50), hit(200)], 300, begin=begin)
    assert words(happenings) == [("Opened", 110), ("Resolved", 200), ("Opened", 260)]
    first = happenings[0]
    assert isinstance(first, Opened)
    assert first.sentence == "No change for 1 min of: new.status is paid."
    assert first.refs == []


def test_a_late_change_does_not_end_a_silence_that_goes_on() -> None:
    evaluator = evaluator_of(rule("absence", seconds=60))
    fed = [hit(100, occurred=20), hit(130, occurred=80)]
    happenings, _ = told(evaluator, fed, 139, begin=evaluator.begin(at(0)))
    assert words(happenings) == [("Opened", 60), ("Resolved", 130)]


def test_a_silence_that_lasts_through_the_cool_down_is_told_at_its_end() -> None:
    evaluator = evaluator_of(rule("absence", seconds=10, cool_down=100))
    happenings, _ = told(evaluator, [hit(12)], 200, begin=evaluator.begin(at(0)))
    assert words(happenings) == [
        ("Opened", 10),
        ("Resolved", 12),
        ("Suppressed", 22),
        ("Opened", 110),
    ]


def test_a_silence_that_was_resolved_by_hand_is_not_told_again() -> None:
    evaluator = evaluator_of(rule("absence", seconds=60))
    step = evaluator.advance(evaluator.begin(at(0)).state, at(60))
    assert words(step.happenings) == [("Opened", 60)]
    state = evaluator.settle(step.state)
    assert evaluator.advance(state, at(9_000)).happenings == []
    step = evaluator.feed(state, hit(9_001))
    assert words(evaluator.advance(step.state, at(9_100)).happenings) == [("Opened", 9_061)]


# Sequence


def test_then_opens_when_the_second_follows_in_time() -> None:
    evaluator = evaluator_of(rule("sequence", within=60))
    fed = [hit(0, "A"), hit(60, "B", part=2), hit(61, "b", part=2), hit(70, "a"), hit(131, part=2)]
    happenings, _ = told(evaluator, fed, 140)
    assert words(happenings) == [("Opened", 60), ("Resolved", 120)]
    assert refs(happenings) == ["A", "B"]
    assert isinstance(happenings[0], Opened)
    assert happenings[0].sentence == (
        "For the same item, within 1 min: new.status is paid; then new.status is shipped."
    )


def test_then_goes_by_the_changes_own_times() -> None:
    evaluator = evaluator_of(rule("sequence", within=60))
    fed = [hit(5_000, "A", occurred=0), hit(9_000, "B", occurred=50, part=2)]
    assert refs(told(evaluator, fed, 9_001)[0]) == ["A", "B"]
    fed = [hit(5_000, "A", occurred=0), hit(5_001, "B", occurred=61, part=2)]
    assert refs(told(evaluator, fed, 9_001)[0]) == []


def test_a_change_does_not_follow_itself() -> None:
    """One that is both comes with its second part first."""
    evaluator = evaluator_of(rule("sequence", within=60))
    twice = [hit(0, "1", part=2), hit(0, "1"), hit(9, "2", part=2), hit(9, "2")]
    happenings, _ = told(evaluator, twice, 10)
    assert words(happenings) == [("Opened", 9)]
    assert refs(happenings) == ["1", "2"]


def test_missing_opens_when_the_second_has_not_come() -> None:
    evaluator = evaluator_of(rule("sequence", within=60, expect="missing", resolve=0))
    fed = [hit(0, "A"), hit(30, "B", part=2), hit(40, "lost"), hit(50, "too"), hit(300, part=2)]
    happenings, _ = told(evaluator, fed, 400)
    assert words(happenings) == [("Opened", 100), ("Grew", 110), ("Resolved", 300)]
    assert refs(happenings) == ["lost", "too"]


def test_after_an_outage_missing_waits_for_what_comes_late_too() -> None:
    evaluator = evaluator_of(rule("sequence", within=60, expect="missing"))
    fed = [hit(5_000, occurred=0), hit(5_010, occurred=50, part=2)]
    assert told(evaluator, fed, 9_000) == ([], None)


# First seen


def test_each_new_thing_is_an_alert_that_names_it() -> None:
    evaluator = evaluator_of(rule("first-seen", what="attributes", resolve=60))
    new = hit(0)._replace(seen="address.city:S")
    happenings, state = told(evaluator, [new], 100)
    assert words(happenings) == [("Opened", 0), ("Resolved", 60)]
    assert isinstance(happenings[0], Opened)
    assert happenings[0].sentence == "First seen: the attribute address.city with the type S."
    assert state is None


def test_a_health_rule_is_not_made_of_matches() -> None:
    with pytest.raises(ValueError):
        evaluator_of(define({"kind": "health", "params": {"what": "gap"}}))


def test_happenings_say_what_they_are_made_of() -> None:
    evaluator = evaluator_of(rule("match", resolve=10, cool_down=100))
    happenings, _ = told(evaluator, [hit(0, "a"), hit(1, "b"), hit(50, "c")], 51)
    assert [each for each in happenings if isinstance(each, Grew)] == [Grew(at(1), "b")]
    assert [each for each in happenings if isinstance(each, Suppressed)] == [
        Suppressed(at(50), ["c"], 1)
    ]
