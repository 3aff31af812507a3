"""1,000 rules for the recorded pages of `ingest.py`: what a shop's people would watch for.

Every operator on the attributes that the orders have. Each rule matches few changes or none: an
order in a million, a part of the stock, a total in a narrow range. All from one seed.
"""

import json
import random
from collections.abc import Callable
from typing import Any

from streams.alerting.definition import define

STREAM = "canned"
# The recording has 8,000 orders, with one of 10,000 articles each and totals of 5 to 500.
ORDERS, ARTICLES = 1_000_000, 10_000
_CITIES = ("Hamburg", "München", "Köln", "Frankfurt am Main", "Leipzig", "Zürich", "Wien")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

Dice = random.Random


def rules(count: int, seed: int = 6) -> list[dict[str, Any]]:
    """So many rules as `define` takes them, checked; all different."""
    dice = Dice(seed)
    made = []
    for number in range(count):
        query = _QUERIES[number % len(_QUERIES)](dice)
        rule: dict[str, Any] = {"kind": "match", "params": {}, "group_by": [], "query": query}
        if number % 7 == 3:
            rule |= {"kind": "count", "params": {"threshold": 100, "window": 300}}
            rule["group_by"] = ["new.city"]
        elif number % 50 == 4:
            rule |= {"kind": "sequence", "params": {"within": 600, "expect": "missing"}}
            rule["then_query"] = f"{_order(dice)} status: packed -> shipped"
        define(rule)
        made.append(rule)
    return made


def _order(dice: Dice) -> str:
    return f'new.pk:"ORDER#{dice.randrange(ORDERS):08}"'


def _article(dice: Dice) -> str:
    return f'"SKU-{dice.randrange(ARTICLES):05}"'


def _city(dice: Dice) -> str:
    return json.dumps(dice.choice(_CITIES), ensure_ascii=False)


def _total(dice: Dice) -> float:
    return dice.randrange(500, 50_000) / 100


def _between(dice: Dice) -> str:
    low = _total(dice)
    return f"{low}..{low + 0.02:.2f}"


def _part(dice: Dice, length: int) -> str:
    return "".join(dice.choices(_LETTERS, k=length))


def _pattern(**fields: Any) -> str:
    return json.dumps(fields, ensure_ascii=False)


_QUERIES: list[Callable[[Dice], str]] = [
    # one order, one article, a part of them
    _order,
    lambda dice: f'key:"ORDER#{dice.randrange(ORDERS):08}"',
    lambda dice: f'new.pk^="ORDER#{dice.randrange(ORDERS // 10):07}"',
    lambda dice: f"new.lines.sku:{_article(dice)}",
    lambda dice: f"new.lines.sku:{_article(dice)},{_article(dice)} op:MODIFY new.total>250",
    lambda dice: f"new.lines.sku:{_article(dice)} -new.city:{_city(dice)}",
    lambda dice: f"lines.sku:{_article(dice)} new.gift:true",
    # what a change does
    lambda dice: f"status: paid -> packed {_order(dice)}",
    lambda dice: f"status: shipped -> delivered new.city:{_city(dice)}",
    lambda dice: f"status: * -> packed new.city:{_city(dice)} new.total:{_between(dice)}",
    lambda dice: f"changed:total new.total>{_total(dice)}",
    lambda dice: f"changed(total) by > {dice.randrange(5, 90)}%",
    lambda dice: f"changed:status new.total:{_between(dice)}",
    lambda dice: f"changed:city,gift new.city:{_city(dice)}",
    lambda dice: f"op:REMOVE old.city:{_city(dice)} old.total>{_total(dice)}",
    lambda dice: f"op:INSERT new.total>{_total(dice)}",
    # numbers
    lambda dice: f"new.total:{_between(dice)}",
    lambda dice: f"new.total:{_total(dice)} new.gift:true",
    lambda dice: f"new.version>{dice.randrange(3, 90)} new.total<{_total(dice)}",
    lambda dice: f"old.total>={500 - dice.randrange(1, 9) / 100} new.city:{_city(dice)}",
    # texts
    lambda dice: f"new.note^={_part(dice, 4)}",
    lambda dice: f"new.note$={_part(dice, 4)}",
    lambda dice: f"new.note~{_part(dice, 6)}",
    lambda dice: f'new.pk:wildcard("ORDER#*{dice.randrange(10_000):04}")',
    lambda dice: f'new.city:nocase("wien") new.total:{_between(dice)}',
    # what is there, and what it is
    lambda dice: f"exists(new.refund) new.city:{_city(dice)}",
    lambda dice: f"disappeared(city) old.city:{_city(dice)}",
    lambda dice: f"length(new.lines)>{dice.randrange(5, 90)} {_order(dice)}",
    lambda dice: f"type(new.total):S {_order(dice)}",
    lambda dice: f"missing(new.city) new.lines.sku:{_article(dice)}",
    # event patterns, in both shapes
    lambda dice: _pattern(new={"total": [{"numeric": ["=", _total(dice)]}]}, changed=["status"]),
    lambda dice: _pattern(
        dynamodb={"NewImage": {"pk": {"S": [f"ORDER#{dice.randrange(ORDERS):08}"]}}}
    ),
    lambda dice: _pattern(
        eventName=["MODIFY"],
        dynamodb={
            "OldImage": {"city": {"S": [{"anything-but": list(_CITIES)}]}},
            "NewImage": {"total": {"N": [str(_total(dice))]}},
        },
    ),
    # other streams
    lambda dice: f"stream:customers-{dice.randrange(100)} new.country:DE",
]
