"""Rates: what is out of the usual, and what is usual."""

from typing import Any

from streams.alerting.evaluate import Opened, Step, evaluator_of
from streams.alerting.rate import RateEvaluator
from streams.tests.unit.evaluating import SECOND, WEEK, at, hit, rule, told, words


def usual_of(*, direction: str = "both", **params: int) -> RateEvaluator:
    """Of 300 s windows, twice the usual."""
    given: dict[str, Any] = {
        "ratio": 2,
        "window": 300,
        "weeks": 2,
        "least": 2,
        "direction": direction,
        **params,
    }
    evaluator = evaluator_of(rule("rate", **given))
    assert isinstance(evaluator, RateEvaluator)
    return evaluator


def begun(evaluator: RateEvaluator, *weeks: int) -> Step:
    """Each of the past weeks had so many in each window, the oldest first."""
    a_week = WEEK // 300
    counts = [count for count in weeks for _ in range(a_week)]
    return evaluator.begin_with(at(0) // (300 * SECOND) - len(counts), counts, at(0))


def test_more_than_usual_opens_within_the_window_and_resolves_after_a_usual_one() -> None:
    evaluator = usual_of(direction="above")
    fed = [hit(n) for n in range(8)]
    happenings, _ = told(evaluator, fed, 1_000, begin=begun(evaluator, 2, 4))
    assert words(happenings) == [("Opened", 6), ("Grew", 7), ("Resolved", 660)]
    first = happenings[0]
    assert isinstance(first, Opened)
    assert (first.count, first.refs) == (7, [0, 1, 2, 3, 4, 5, 6])
    assert "7, usually 3.0" in first.sentence


def test_fewer_than_usual_opens_when_the_window_is_over_and_late_ones_resolve_it() -> None:
    evaluator = usual_of(direction="below")
    fed = [hit(0), hit(400, occurred=200), hit(401, occurred=201)]
    happenings, _ = told(evaluator, fed, 500, begin=begun(evaluator, 6, 6))
    assert words(happenings) == [("Opened", 360), ("Resolved", 401)]


def test_a_rate_is_not_asked_where_little_is_known() -> None:
    fed = [hit(n) for n in range(50)]
    for evaluator, weeks in (
        (usual_of(), (1, 1)),  # below the least
        (usual_of(weeks_needed=2), (4,)),  # one week only
    ):
        assert told(evaluator, fed, 900, begin=begun(evaluator, *weeks))[0] == []
    assert told(usual_of(), fed, 900, begin=usual_of().begin(at(0)))[0] == []


def test_a_rate_learns_and_forgets() -> None:
    evaluator = usual_of(direction="above", weeks=1)
    first = [hit(n) for n in range(3)]
    later = [hit(WEEK + n) for n in range(7)]
    happenings, state = told(evaluator, [*first, *later], WEEK + 10, begin=evaluator.begin(at(0)))
    assert words(happenings) == [("Opened", WEEK + 6)]
    happenings, state = told(evaluator, [], 5 * WEEK, begin=evaluator.begin(at(0)))
    assert state is not None and len(state["counts"]) == 0
    assert state["first"] > at(3 * WEEK) // (300 * SECOND)
