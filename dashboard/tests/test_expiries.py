"""An item that DynamoDB's time to live deleted is told apart from one that somebody deleted: by
rules, and on the alert's page."""

from collections.abc import Callable

import pytest

from dashboard.tests.seeding import Shop, order
from streams import rulebook
from streams.change import REMOVE
from streams.models import Alert, Match
from streams.stages.evaluate import evaluate
from streams.stages.publish import number_batches
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)

Get = Callable[..., str]


def test_a_rule_tells_expiries_from_deletes(page_of: Get, shop: Shop) -> None:
    for name, query in {
        "Expired": "op:remove ttl:true",
        "Expired, as a pattern": '{"ttl": [true]}',
        "Deleted": "op:remove -actor:ttl",
        "Gone": "op:remove",
    }.items():
        rulebook.save({"name": name, "query": query, "group_by": ["item"]}, "alice")
    changes = [
        shop.change(key, REMOVE, order("new"), None, ttl=key == "expired")
        for key in ("deleted", "expired")
    ]
    store_in(shop.shard, *changes)
    number_batches()
    found = Match.objects.order_by("rule__name", "group").values_list("rule__name", "group")
    assert list(found) == [
        ("Deleted", "deleted"),
        ("Expired", "expired"),
        ("Expired, as a pattern", "expired"),
        ("Gone", "deleted"),
        ("Gone", "expired"),
    ]
    evaluate()
    for alert in Alert.objects.all():
        shown = "Deleted by DynamoDB's time to live" in page_of(f"/alerts/{alert.pk}")
        assert shown == (alert.group == "expired"), alert.rule_name
    assert Alert.objects.count() == 5
