"""A backtest finds what the evaluator makes of the same changes one by one, whatever the kind."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import connection

from streams.alerting.definition import Definition, define
from streams.models import Batch, Shard
from streams.partitions import leaves_of
from streams.queries.backtest import backtest
from streams.queries.seen import forget
from streams.stages.publish import number_batches
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.history_of_rules import (
    BEGIN,
    Writer,
    at,
    lives_of,
    one_by_one,
    random_history,
)
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)

ITEM = ["item"]
RULES: dict[str, dict[str, Any]] = {
    "match": {"query": "new.status:paid", "group_by": ITEM},
    "match of all": {"resolve_seconds": 3, "cool_down_seconds": 30},
    "match of one stream": {"query": "stream:orders op:REMOVE OR new.status:lost"},
    "count": {
        "kind": "count",
        "query": "new.status:paid",
        "params": {"threshold": 3, "window": 60},
    },
    "count by two": {
        "kind": "count",
        "query": "new.n>0",
        "params": {"threshold": 2, "window": 30},
        "group_by": ["stream", "new.status"],
        "cool_down_seconds": 120,
    },
    "absence": {"kind": "absence", "query": "new.status:lost", "params": {"seconds": 30}},
    "then": {
        "kind": "sequence",
        "query": "new.status:paid",
        "then_query": "new.status:shipped OR new.status:paid",
        "params": {"within": 120},
    },
    "missing": {
        "kind": "sequence",
        "query": "new.status:open",
        "then_query": "new.status:paid",
        "params": {"within": 50, "expect": "missing"},
    },
}


def rule(name: str) -> Definition:
    return define({"resolve_seconds": 20, **RULES[name]})


@pytest.fixture
def shards() -> list[Shard]:
    forget()
    orders, others = make_stream("orders"), make_stream("others")
    return [make_shard(orders), make_shard(orders), make_shard(others)]


def test_it_finds_what_happens_change_by_change(shards: list[Shard]) -> None:
    until = at(random_history(Writer(*shards), 60, 3) + 100)
    for name in RULES:
        definition = rule(name)
        result = backtest(definition, since=BEGIN, until=until)
        expected = one_by_one(definition, until)
        assert lives_of(result) == expected, name
        assert (result.verdict, result.fired) == ("fired", len(expected)), name
        assert sum(each.matches for each in result.bins) == result.matched > 0


def test_it_takes_what_got_its_place_in_the_feed_in_that_time(shards: list[Shard]) -> None:
    writer = Writer(*shards)
    for seconds in (10, 20, 30, 40):
        writer.write(seconds, (f"order-{seconds}", "paid", seconds - 9))
    result = backtest(rule("match"), since=at(20), until=at(40))
    assert [match.group for match in result.last_matches] == ["order-30", "order-20"]
    assert [alert.opened_at for alert in result.alerts] == [at(30), at(20)]
    assert result.evaluated == 2
    assert result.last_matches[0].occurred_at == at(21)


def test_it_reads_in_many_portions(shards: list[Shard], monkeypatch: pytest.MonkeyPatch) -> None:
    from streams.queries.matched import Pace

    monkeypatch.setattr(Pace, "changes", 7)
    monkeypatch.setattr(Pace, "batches", 3)
    until = at(random_history(Writer(*shards), 40, 3, seed=2) + 100)
    definition = rule("count by two")
    assert lives_of(backtest(definition, since=BEGIN, until=until)) == one_by_one(definition, until)


def test_a_budget_that_is_over_says_how_far_it_looked(
    shards: list[Shard], monkeypatch: pytest.MonkeyPatch
) -> None:
    from streams.queries.matched import Pace

    monkeypatch.setattr(Pace, "batches", 1)
    writer = Writer(*shards)
    for seconds in (10, 20, 30):
        writer.write(seconds, ("order-1", "paid", seconds))
    result = backtest(rule("match"), since=BEGIN, until=at(60), budget_seconds=0)
    assert result.partial and result.looked_back_to == at(30)
    assert (
        result.sentence
        == "Partial: looked back to 2025-11-17 00:00:30 UTC. Would have fired 1 time."
    )
    assert (result.evaluated, result.matched) == (1, 1)


def test_no_match_nothing_stored_and_a_misspelled_field_are_told_apart(
    shards: list[Shard],
) -> None:
    def verdict(query: str, since: datetime = BEGIN) -> tuple[str, str]:
        result = backtest(define({"query": query}), since=since, until=at(60))
        return result.verdict, result.sentence

    assert verdict("op:INSERT") == (
        "no-data",
        "No changes are stored from 2025-11-17 00:00:00 UTC to 2025-11-17 00:01:00 UTC.",
    )
    Writer(*shards).write(5, ("order-1", "paid", 5), ("order-2", "open", 5))
    assert verdict("new.status:lost") == ("no-match", "Evaluated 2 changes, 0 matches.")
    assert verdict("new.statsu:paid") == (
        "no-data",
        "No data matched the filter. No attribute `statsu` was seen so far. Did you mean `status`?",
    )
    assert verdict('{"old": {"satus": ["paid"]}}')[1].endswith("Did you mean `status`?")
    assert verdict("stream:nowhere new.status:paid")[0] == "no-data"
    assert verdict("new.status:paid") == ("fired", "Would have fired 1 time.")


def test_matches_that_make_no_alert_are_told_apart(shards: list[Shard]) -> None:
    Writer(*shards).write(5, ("order-1", "paid", 5))
    result = backtest(rule("count"), since=BEGIN, until=at(60))
    assert result.verdict == "matched"
    assert result.sentence == "Evaluated 1 change, 1 match; no alert would have come of that."


def test_it_says_what_the_cool_down_and_a_digest_spare(shards: list[Shard]) -> None:
    writer = Writer(*shards)
    for seconds in (0, 10, 20, 30, 40, 50):
        writer.write(seconds, ("order-1", "paid", seconds), ("order-2", "paid", seconds))
    definition = define(
        {
            "query": "new.status:paid",
            "group_by": ["item"],
            "resolve_seconds": 1,
            "cool_down_seconds": 25,
        }
    )
    result = backtest(definition, since=BEGIN, until=at(60), digest_seconds=30)
    assert (result.fired, result.suppressed, result.notifications) == (4, 8, 1)
    assert result.sentence == (
        "Would have fired 4 times (8 more held back by the cool-down, "
        "1 notification after the digest)."
    )
    assert result.notifications_a_day == pytest.approx(1_440)


def test_history_that_begins_later_is_said(shards: list[Shard]) -> None:
    Writer(*shards).write(0, ("order-1", "paid", 0))
    result = backtest(rule("match"), since=BEGIN - timedelta(days=1), until=at(60))
    assert result.sentence.endswith("Nothing older than 2025-11-17 00:00:00 UTC is stored.")


def test_a_health_rule_and_an_empty_time_are_invalid(shards: list[Shard]) -> None:
    health = define({"kind": "health", "params": {"what": "gap"}})
    assert backtest(health, since=BEGIN).verdict == "invalid"
    assert backtest(rule("match"), since=at(60), until=at(60)).verdict == "invalid"


def test_changes_that_nobody_numbered_yet_or_before_rules_were_there(shards: list[Shard]) -> None:
    writer = Writer(*shards)
    writer.write(5, ("order-1", "paid", 5))
    writer.write(9, ("order-2", "paid", 9))
    Batch.objects.update(numbered_at=None)
    result = backtest(rule("match"), since=at(6), until=at(60))
    assert [alert.opened_at for alert in result.alerts] == [at(9)]


def test_a_leaf_that_goes_meanwhile_is_left_out(
    shards: list[Shard], monkeypatch: pytest.MonkeyPatch
) -> None:
    from streams.queries import matched

    writer, day = Writer(*shards), 86_400
    writer.write(5, ("order-1", "paid", 5))
    writer.write(8 * day, ("order-2", "paid", 8 * day))
    reading = matched._rows

    def read(sql: str, given: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {leaves_of(shards[0].stream_id)[0].name}")
        monkeypatch.setattr(matched, "_rows", reading)
        return reading(sql, given)

    monkeypatch.setattr(matched, "_rows", read)
    result = backtest(rule("match"), since=BEGIN, until=at(9 * day))
    assert [match.group for match in result.last_matches] == ["order-2"]


def test_a_change_that_is_too_deep_for_the_filter_is_no_match(shards: list[Shard]) -> None:
    deep = b'{"status":%b{"S":"paid"}%b}' % (b'{"M":{"a":' * 1_500, b"}}" * 1_500)
    plain = b'{"status":{"S":"paid"}}'
    changes = [
        msgspec.structs.replace(make_change(shards[0].stream_id, n, key=f"order-{n}"), new=new)
        for n, new in enumerate([deep, plain], 1)
    ]
    store_in(shards[0], *changes)
    number_batches()
    definition = define({"query": "NOT new.status:lost op:MODIFY", "group_by": ["item"]})
    result = backtest(definition, since=BEGIN)
    assert [match.group for match in result.last_matches] == ["order-2"]
