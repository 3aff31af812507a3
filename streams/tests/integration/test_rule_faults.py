"""A rule that cannot work says so at itself; nothing else suffers from it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from msgspec.structs import replace

from streams import rulebook
from streams.change import INSERT, Change
from streams.models import Match, Rule, Shard
from streams.rules.operators import Prefix
from streams.stages import match, rule_faults
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import store_in, stored_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream("orders"))


def save(query: str, **fields: Any) -> Rule:
    return rulebook.save({"name": f"rule {query}", "query": query, **fields}, "alice")


def order(shard: Shard, sequence: int, status: str) -> Change:
    new = {"pk": {"S": "a"}, "status": {"S": status}}
    return make_change(shard.stream_id, sequence, operation=INSERT, new=new)


def error_of(rule: Rule) -> str:
    rule.refresh_from_db()
    assert bool(rule.error) == bool(rule.fix) == bool(rule.error_at)
    return rule.error


def test_a_rule_that_raises_loses_one_change_and_nobody_else_any(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepts = Prefix.accepts

    def raise_for_bad(self: Prefix, leaf: object) -> bool:
        if leaf == "paibad":
            raise ZeroDivisionError("a mistake")
        return accepts(self, leaf)  # type: ignore[arg-type]

    monkeypatch.setattr(Prefix, "accepts", raise_for_bad)
    raising, other = save("new.status^=pai new.pk^=a"), save("new.status:paid,bad")
    store_in(shard, order(shard, 1, "paid"), order(shard, 2, "paibad"), order(shard, 3, "bad"))
    store_in(shard, order(shard, 4, "paid"), order(shard, 5, "paibad"))
    assert len(stored_in(shard.stream)) == 5
    places = Match.objects.order_by("batch_id", "ordinal", "rule_id")
    assert list(places.values_list("rule_id", "ordinal")) == [
        *((raising.pk, 0), (other.pk, 0), (other.pk, 2)),
        *((raising.pk, 0), (other.pk, 0)),
    ]
    sentence = error_of(raising)
    assert "Matching failed on change 000000000000000000002 of stream orders" in sentence
    assert "ZeroDivisionError: a mistake" in sentence
    assert error_of(other) == ""


def test_a_rule_that_raised_is_well_after_a_while(shard: Shard) -> None:
    rule = save("new.status:paid")
    rule_faults.note_raised(rule.pk, 1, "orders", order(shard, 1, "x"), ValueError("odd"))
    rule_faults.check()
    assert "ValueError: odd" in error_of(rule)
    Rule.objects.update(error_at=F("error_at") - timedelta(minutes=16))
    rule_faults.check()
    assert error_of(rule) == ""


def test_a_pattern_that_no_longer_compiles_matches_nothing_and_says_why(shard: Shard) -> None:
    rule, other = save("new.status:paid"), save("new.pk:a")
    # As a language would that has lost a word.
    Rule.objects.filter(pk=rule.pk).update(query="new.status:paid)", version=2)
    rulebook.save({"note": "so that the rules are read anew"}, "alice", rule=other)
    store_in(shard, order(shard, 1, "paid"))
    assert list(Match.objects.values_list("rule_id", flat=True)) == [other.pk]
    assert error_of(rule).startswith("The rule cannot be used: Expected a condition")
    assert "Edit its query" in rule.fix
    rulebook.save({"query": "new.status:paid"}, "alice", rule=rule)
    assert error_of(rule) == ""


def test_a_rule_for_a_stream_that_is_not_there_says_so_until_it_is(shard: Shard) -> None:
    rule, fine = save("stream:ordres new.status:paid"), save("stream:orders,later")
    rule_faults.check()
    sentence = "There is no stream ordres, which the rule names. Did you mean orders?"
    assert error_of(rule) == sentence
    assert error_of(fine) == "There is no stream later, which the rule names."
    make_stream("ordres")
    make_stream("later")
    rule_faults.check()
    assert error_of(rule) == error_of(fine) == ""


def test_a_rule_for_a_region_without_streams_says_so(shard: Shard) -> None:
    rule = save("region:mars-1 new.status:paid")
    rule_faults.check()
    assert error_of(rule) == "No stream is what the rule asks for, so it cannot match."


def test_a_health_rule_for_a_stream_that_is_not_there_says_so(shard: Shard) -> None:
    params = {"what": "stalled", "streams": ["orders", "gone"]}
    rule = save("", kind="health", params=params)
    rule_faults.check()
    assert error_of(rule).startswith("There is no stream gone")


def test_what_others_say_at_a_rule_stays(shard: Shard) -> None:
    rule = save("new.status:paid")
    Rule.objects.filter(pk=rule.pk).update(error="Its matches could not be evaluated", fix="Wait.")
    rule_faults.check()
    rule.refresh_from_db()
    assert rule.error == "Its matches could not be evaluated"


def test_an_older_version_is_not_blamed_on_the_newer(shard: Shard) -> None:
    rule = save("new.status:paid")
    rulebook.save({"query": "new.status:new"}, "alice", rule=rule)
    rule_faults.note_raised(rule.pk, 1, "orders", order(shard, 1, "x"), ValueError("odd"))
    assert error_of(rule) == ""


def test_a_change_that_is_nested_too_deep_is_stored(shard: Shard) -> None:
    rule, other = save("new.status:nocase(paid)"), save("op:INSERT")
    new = b'{"status":' + b'{"L":[' * 2_000 + b'{"S":"x"}' + b"]}" * 2_000 + b"}"
    found = match.find(shard.stream, [replace(order(shard, 1, "x"), new=new)])
    assert [one.rule_id for one in found] == [other.pk]
    assert "too deep" in error_of(rule)
    assert error_of(other) == ""
