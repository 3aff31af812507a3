"""Rules that must know the past: backtests of them, and how they are made ready."""

from typing import Any

import pytest

from streams import rulebook
from streams.alerting.definition import define
from streams.alerting.rate import WEEK
from streams.change import microseconds
from streams.models import Match, Rule, RuleState, Shard, Sighting
from streams.queries import past
from streams.queries.backtest import backtest, explain_change
from streams.queries.backtest_result import Result
from streams.queries.feed_time import head_position
from streams.stages.make_ready import make_ready
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.history_of_rules import BEGIN, Writer, at
from streams.tests.integration.storing import last_batch

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = 3_600
DAYS_7 = 7 * 86_400
BY_STATUS = {"kind": "first-seen", "params": {"what": "new.status"}, "resolve_seconds": 60}
RATE: dict[str, Any] = {
    "kind": "rate",
    "query": "new.status:paid",
    "params": {"ratio": 3, "window": HOUR, "direction": "both", "weeks": 2, "least": 2},
}


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream("orders"))


def opened(result: Result) -> list[tuple[float, str, str]]:
    return [
        ((alert.opened_at - BEGIN).total_seconds(), alert.group, alert.sentence)
        for alert in reversed(result.alerts)
    ]


def paid(writer: Writer, hour: float, number: int) -> None:
    """So many paid orders in an hour, counted from the Monday."""
    for n in range(number):
        seconds = hour * HOUR + 60 + n
        writer.write(seconds, (f"order-{n}", "paid", seconds))


# First seen


def test_what_was_seen_before_the_time_is_not_new(shard: Shard) -> None:
    writer = Writer(shard)
    writer.write(0, ("order-1", "open", 0), ("order-2", "paid", 0))
    writer.write(100, ("order-1", "paid", 100), ("order-2", "lost", 100), ("order-3", "lost", 100))
    writer.write(110, ("order-1", "odd", 90), ("order-1", "open", 110))
    result = backtest(define(BY_STATUS), since=at(50), until=at(300))
    assert opened(result) == [
        (100, "lost", "First seen: lost in new.status."),
        (110, "odd", "First seen: odd in new.status."),
    ]
    assert [alert.resolved_at for alert in result.alerts] == [at(170), at(160)]
    assert result.matched == 2


def test_new_attributes_and_types_of_them_are_told(shard: Shard) -> None:
    writer = Writer(shard)
    writer.write(0, ("order-1", "open", 0))
    definition = define({"kind": "first-seen", "params": {"what": "attributes"}})
    result = backtest(definition, since=at(0), until=at(10))
    assert [group for _, group, _ in opened(result)] == ["n:N", "pk:S", "status:S"]
    assert opened(result)[2][2] == "First seen: the attribute status with the type S."


def test_it_says_if_the_past_could_not_be_looked_up(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    from streams.queries.matched import Pace

    monkeypatch.setattr(Pace, "batches", 1)
    writer = Writer(shard)
    for seconds in (0, 10, 20):
        writer.write(seconds, ("order-1", "open", seconds))
    writer.write(100, ("order-1", "lost", 100))
    result = backtest(define(BY_STATUS), since=at(50), until=at(300), budget_seconds=0)
    assert result.verdict == "partial"
    assert result.sentence == (
        "Partial: what was seen before was looked up back to 2025-11-17 00:00:20 UTC. "
        "Would have fired 1 time."
    )


def test_a_first_seen_rule_that_is_made_ready_knows_the_past(shard: Shard) -> None:
    writer = Writer(shard)
    writer.write(0, ("order-1", "open", 0), ("order-2", "paid", 5))
    rule = rulebook.save({"name": "new statuses", **BY_STATUS}, "alice")
    # Before it is ready, a poller finds one thing that is new and one that is not.
    writer.write(100, ("order-1", "paid", 100), ("order-2", "lost", 100))
    assert {m.seen for m in Match.objects.all()} == {"paid", "lost"}
    assert make_ready(rule.pk)
    assert [m.seen for m in Match.objects.all()] == ["lost"]
    sightings = {s.what: (s.first_at, bool(s.change)) for s in Sighting.objects.all()}
    assert sightings == {
        "open": (at(0), False),
        "paid": (at(5), False),
        "lost": (at(100), True),
    }
    rule.refresh_from_db()
    assert rule.ready_at is not None
    writer.write(200, ("order-1", "paid", 200), ("order-2", "odd", 200))
    assert {m.seen for m in Match.objects.all()} == {"lost", "odd"}
    assert not make_ready(rule.pk)


def test_what_was_saved_anew_meanwhile_is_not_made_ready_by_what_it_was(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    Writer(shard).write(0, ("order-1", "open", 0))
    rule = rulebook.save({"name": "new statuses", **BY_STATUS}, "alice")
    reading = past.first_places

    def read(*given: Any, **more: Any) -> Any:
        rulebook.save({"query": "op:REMOVE"}, "bob", rule=rule)
        return reading(*given, **more)

    monkeypatch.setattr("streams.stages.make_ready.first_places", read)
    assert not make_ready(rule.pk)
    rule.refresh_from_db()
    assert rule.ready_at is None
    assert not Sighting.objects.exists()


# Rate


def test_a_rate_is_compared_with_the_same_hour_of_past_weeks(shard: Shard) -> None:
    writer = Writer(shard)
    paid(writer, 0, 1)
    paid(writer, 10, 4)
    paid(writer, 7 * 24 + 10, 8)
    paid(writer, 14 * 24 + 9.5, 9)  # nothing usual is known of that hour
    paid(writer, 14 * 24 + 10, 19)
    writer.write((14 * 24 + 13) * HOUR, ("order-1", "open", 0))
    since, until = at(14 * 86_400), at(14 * 86_400 + 20 * HOUR)
    result = backtest(define(RATE), since=since, until=until)
    assert opened(result) == [
        (
            (14 * 24 + 10) * HOUR + 60 + 18,
            "",
            "More than usual in the 1 h from 2025-12-01 10:00:00 UTC: 19, usually 6.0. "
            "Counted is: new.status is paid.",
        )
    ]
    (alert,) = result.alerts
    assert alert.matches == 19
    assert alert.resolved_at == at((14 * 24 + 12) * HOUR + 60)


def test_too_few_are_told_when_the_hour_is_over(shard: Shard) -> None:
    writer = Writer(shard)
    paid(writer, 0, 1)
    paid(writer, 10, 12)
    paid(writer, 7 * 24 + 10, 3)
    since, until = at(DAYS_7), at(DAYS_7 + 12 * HOUR)
    result = backtest(define(RATE), since=since, until=until)
    assert [(seconds, sentence[:16]) for seconds, _, sentence in opened(result)] == [
        (DAYS_7 + 11 * HOUR + 60, "Fewer than usual")
    ]


def test_it_says_how_far_the_usual_numbers_are_known(shard: Shard) -> None:
    writer = Writer(shard)
    paid(writer, 10, 4)
    paid(writer, 7 * 24 + 10, 19)
    result = backtest(define(RATE), since=at(DAYS_7), until=at(2 * DAYS_7), budget_seconds=0)
    assert result.sentence.startswith("Partial: the usual numbers were looked up back to 2025-11-2")


def test_a_rate_rule_that_is_made_ready_goes_on_where_the_past_ended(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Writer(shard)
    paid(writer, 0, 1)
    paid(writer, 10, 4)
    paid(writer, 7 * 24 + 10, 2)
    rule = rulebook.save({"name": "rate", **RATE}, "alice")
    paid(writer, 7 * 24 + 10.5, 1)  # a match, which the past counts too
    assert Match.objects.count() == 1
    now = at((7 * 24 + 10.9) * HOUR)
    monkeypatch.setattr("streams.stages.make_ready.feed_now", lambda: (now, head_position()))
    assert make_ready(rule.pk)
    assert [m.outcome for m in Match.objects.all()] == ["counted"]
    state = RuleState.objects.get(rule=rule).state
    window = HOUR * 1_000_000
    first = state["first"]
    assert first == microseconds(BEGIN) // window + 1
    counts = {first + n: count for n, count in enumerate(state["counts"]) if count}
    tenth = microseconds(BEGIN) // window + 10
    assert counts == {tenth: 4, tenth + WEEK // window: 3}
    assert state["next"] == tenth + WEEK // window
    assert Rule.objects.get().ready_at is not None


# Explaining


def test_a_change_is_explained_condition_by_condition(shard: Shard) -> None:
    Writer(shard).write(0, ("order-1", "paid", 0))
    change = f"{last_batch(shard).pk}-0"
    definition = define(
        {
            "kind": "sequence",
            "query": "new.status:paid new.n>5",
            "then_query": "op:REMOVE",
            "params": {"within": 60},
        }
    )
    explained = explain_change(definition, change)
    assert explained is not None and explained.group == "order-1"
    first, second = explained.parts[1], explained.parts[2]
    assert (first.matched, second.matched) == (False, False)
    assert [one.holds for one in first.conditions] == [True, False]
    assert first.conditions[0].found == ("paid",)
    assert explain_change(definition, "99-0") is None
    assert explain_change(definition, "nonsense") is None
