"""Matches go with the changes they name; alerts stay, with what they kept of them."""

import pytest
from django.utils import timezone

from streams.models import Match
from streams.queries import alerts as query
from streams.tests.integration.alerting import alerts_of, evaluated, make_rule, matches_of
from streams.tests.integration.retaining import change_at, retain_now, watched
from streams.tests.integration.storing import last_batch, store_in

pytestmark = pytest.mark.django_db(transaction=True)


def test_old_matches_are_dropped_with_their_changes_and_the_alert_stays() -> None:
    shard, rule = watched(7), make_rule(group_by=["item"])
    for number, days_ago in enumerate((20, 1)):
        store_in(shard, *[change_at(shard, days_ago, 10 * number + n) for n in (1, 2)])
        matches_of(last_batch(shard), rule, 2, group=f"{days_ago} days ago")
    evaluated()
    old, new = alerts_of(rule)
    retain_now(shard.stream)
    assert set(Match.objects.values_list("group", flat=True)) == {"1 days ago"}
    old.refresh_from_db()
    assert (old.count, query.changes_of(old, 0, 10)) == (2, ([], None))
    assert query.find(old.pk, timezone.now())
    assert len(query.changes_of(new, 0, 10)[0]) == 2


def test_a_match_whose_change_is_gone_before_its_batch_says_so() -> None:
    shard, rule = watched(7), make_rule()
    store_in(shard, change_at(shard, 20, 1), change_at(shard, 1, 2))
    matches_of(last_batch(shard), rule, 2)
    evaluated()
    retain_now(shard.stream)
    (alert,) = alerts_of(rule)
    rows, _ = query.changes_of(alert, 0, 10)
    assert [row.change is None for row in rows] == [True, False]
