"""Every kind of rule in words."""

from typing import Any

import pytest

from streams.alerting.definition import define
from streams.alerting.rule_sentence import sentence_of

PAID = "stream:orders status: * -> paid"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (
            {"kind": "match", "query": PAID, "group_by": ["item"]},
            "Alerts on each change where in stream orders, status changes from another value to"
            " paid, apart for each value of item. It resolves 15 min after the last one.",
        ),
        (
            {"query": "op:REMOVE -actor:ttl", "resolve_seconds": 0},
            "Alerts on each change where on REMOVE, unless DynamoDB's time to live deleted it."
            " It is resolved by hand.",
        ),
        ({"kind": "match", "resolve_seconds": 0}, "Alerts on each change. It is resolved by hand."),
        (
            {
                "kind": "count",
                "query": "op:REMOVE",
                "params": {"threshold": 20, "window": 300},
                "cool_down_seconds": 3600,
            },
            "Alerts on at least 20 changes within 5 min on REMOVE. The next one comes 1 h"
            " later at the earliest.",
        ),
        (
            {"kind": "rate", "params": {"ratio": 2}},
            "Alerts when within 1 h there are more than 2 times the usual number of changes; usual"
            " is the mean of the same time in the past 4 weeks, where that is at least 10.",
        ),
        (
            {"kind": "absence", "query": "stream:orders", "params": {"seconds": 600}},
            "Alerts when for 10 min there was no change in stream orders. It resolves with"
            " the next such change.",
        ),
        (
            {"kind": "first-seen", "params": {"what": "new.status"}},
            "Alerts on a value of new.status that was never seen before. It resolves"
            " 15 min after the last one.",
        ),
        (
            {
                "kind": "sequence",
                "query": "op:INSERT",
                "then_query": "op:REMOVE",
                "params": {"within": 60, "expect": "missing"},
            },
            "Alerts when a change on INSERT is not followed within 1 min by one of the same"
            " item on REMOVE. It resolves 15 min after the last one.",
        ),
        (
            {"kind": "health", "params": {"what": "lag", "limit": 300, "streams": ["orders"]}},
            "Alerts when orders lags by more than 5 min. It resolves when that is over.",
        ),
    ],
)
def test_a_rule_is_said_in_words(rule: dict[str, Any], said: str) -> None:
    assert sentence_of(define(rule)) == said
