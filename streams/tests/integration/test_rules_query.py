"""The list of rules: states, what fired lately, and going on from page to page."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from streams import rulebook
from streams.models import Alert, Destination, Mute, Rule
from streams.queries import rules as query

pytestmark = pytest.mark.django_db


def make(name: str, **content: Any) -> Rule:
    return rulebook.save({"name": name, "query": "op:REMOVE", **content}, "alice")


def fired(rule: Rule, *, days: int = 0, **given: Any) -> Alert:
    at = timezone.now() - timedelta(days=days)
    about = {"rule_name": rule.name, "rule_version": 1, "kind": "match", "severity": "info"}
    return Alert.objects.create(
        **{**about, "rule": rule, "sentence": "It fired.", "opened_at": at, "last_at": at, **given}
    )


def mute(rule: Rule | None, **given: Any) -> Mute:
    until = timezone.now() + timedelta(hours=1)
    return Mute.objects.create(
        **{"rule": rule, "reason": "Test", "who": "anna", "until": until, **given}
    )


def state(rule: Rule) -> str:
    found = query.find(rule.pk)
    assert found is not None
    return found.state


def test_a_rule_that_is_well_says_so_in_words() -> None:
    Destination.objects.create(name="mail", kind="email")
    rule = make("Deleted", destinations=["mail"])
    found = query.find(rule.pk)
    assert found is not None
    assert (found.state, found.open, found.last_at, found.fired) == ("ok", 0, None, 0)
    assert found.sentence.startswith("Alerts on each change on REMOVE")
    assert [destination.name for destination in found.destinations] == ["mail"]


def test_what_fired_is_counted_by_day() -> None:
    rule, other = make("Deleted"), make("Other")
    newest = fired(rule, group="a")
    fired(rule, days=1, group="b", state="resolved")
    fired(rule, days=1, group="c", state="resolved")
    fired(rule, days=8, group="d", state="resolved")
    fired(other, group="a", state="resolved")
    found = query.find(rule.pk)
    assert found is not None
    assert (found.state, found.open, found.last_at) == ("firing", 1, newest.opened_at)
    assert found.week == [0, 0, 0, 0, 0, 2, 1]


def test_the_state_is_the_first_that_holds() -> None:
    rule = make("Deleted")
    fired(rule)
    assert state(rule) == "firing"
    muted = mute(rule)
    assert state(rule) == "muted"
    Mute.objects.filter(pk=muted.pk).update(ended_at=timezone.now())
    mute(rule, group="one")
    assert state(rule) == "firing", "a mute of one group is none of the rule"
    mute(None)
    assert state(rule) == "muted"
    rulebook.save({"enabled": False}, "alice", rule=rule)
    assert state(rule) == "disabled"
    Rule.objects.filter(pk=rule.pk).update(error="It raised.")
    assert state(rule) == "error"


def test_a_rule_that_reads_the_past_is_preparing() -> None:
    assert state(make("New", kind="first-seen")) == "preparing"


def test_a_rule_that_cannot_work_still_has_a_line() -> None:
    rule = make("Deleted")
    Rule.objects.filter(pk=rule.pk).update(query="tabel:orders")
    found = query.find(rule.pk)
    assert found is not None and "cannot work" in found.sentence


def test_pages_go_on_by_name() -> None:
    Rule.objects.all().delete()
    for name in ("c", "a", "e", "b", "d"):
        make(name)
    first = query.page(size=2)
    second = query.page(after=first.following, size=2)
    last = query.page(after=second.following, size=2)
    names = [status.rule.name for page in (first, second, last) for status in page.rows]
    assert names == ["a", "b", "c", "d", "e"] and last.following == ""


def test_a_text_is_looked_for_in_name_filter_and_owner() -> None:
    make("Deleted", owner="anna")
    make("Paid", query="status: * -> paid")
    found = {text: [s.rule.name for s in query.page(text=text).rows] for text in ("ANNA", "paid")}
    assert found == {"ANNA": ["Deleted"], "paid": ["Paid"]}


def test_health_rules_are_not_somebody_s_own() -> None:
    Rule.objects.exclude(kind="health").delete()
    make("Lag", kind="health", params={"what": "lag", "limit": 60})
    assert not query.own_rules()
    make("Deleted")
    assert query.own_rules()


def test_a_list_of_any_length_asks_the_same_number_of_questions(
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(12):
        fired(make(f"rule {number}"))
    with django_assert_max_num_queries(5):
        assert len(query.page().rows) >= 12
