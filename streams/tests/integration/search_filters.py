"""Filters of every kind, in both spellings, made by dice."""

import json
import random
from collections.abc import Sequence
from typing import Any

from streams.rules.errors import PatternError
from streams.rules.expressions.compiler import compile_expression
from streams.rules.filter import Filter
from streams.rules.patterns.compiler import compile_pattern
from streams.rules.values import Number
from streams.tests.integration.searching import KEYS, NAMES, NUMBERS, TEXTS, Item

_ROOTS = ["old", "new", "keys"]
_RECORD_ROOTS = ["OldImage", "NewImage", "Keys"]
_ATTRIBUTES = [*NAMES, "order_id", "pk", "sk", "nobody"]


def random_filter(dice: random.Random, events: Sequence[Item] = ()) -> Filter:
    """A filter of either spelling, often one that one of the events matches."""
    while True:
        try:
            if events and dice.random() < 0.5:
                return compile_pattern(_like(dice, dice.choice(events)))
            if dice.random() < 0.5:
                return compile_pattern(_pattern(dice, deep=True))
            return compile_expression(_expression(dice, 2))
        except PatternError:
            continue  # not all that the dice put together is one


def _like(dice: random.Random, event: Item) -> str:
    """A pattern that asks for one of the event's values as it is."""
    root, name, value = dice.choice(
        [
            (root, name, value)
            for root in _ROOTS
            for name, value in event.get(root, {}).items()
            if isinstance(value, str | Number)
        ]
    )
    spelled = value.text if isinstance(value, Number) else json.dumps(value)
    changed = event.get("changed") if dice.random() < 0.3 else None
    also = f', "changed": [{json.dumps(changed[0])}]' if changed else ""
    return f'{{"{root}": {{{json.dumps(name)}: [{spelled}]}}{also}}}'


def _pattern(dice: random.Random, *, deep: bool) -> Item:
    pattern: Item = {}
    for _ in range(dice.choice([1, 1, 2, 3])):
        path, tests = _asked(dice)
        place = pattern
        for step in path[:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = tests
    if deep and dice.random() < 0.3:
        pattern["$or"] = [_pattern(dice, deep=False) for _ in range(dice.randint(2, 3))]
    return pattern


def _asked(dice: random.Random) -> tuple[list[str], list[Any]]:
    """A path and the tests of what is there, both as a pattern has them."""
    kind = dice.choice(["plain"] * 5 + ["record"] * 4 + ["changed", "changed", "fact", "fact"])
    if kind == "plain":
        return [dice.choice(_ROOTS), dice.choice(_ATTRIBUTES)], _tests(dice, TEXTS, NUMBERS)
    if kind == "record":
        types = ["S", "S", "N", "B", "SS", "NS", "BOOL", "NULL"]
        path = ["dynamodb", dice.choice(_RECORD_ROOTS), dice.choice(_ATTRIBUTES)]
        return [*path, dice.choice(types)], _tests(dice, [*TEXTS, *NUMBERS], [])
    if kind == "changed":
        return ["changed"], _tests(dice, _ATTRIBUTES, [])
    facts: dict[str, list[Any]] = {
        "operation": ["INSERT", "MODIFY"],
        "eventName": ["REMOVE", {"anything-but": "INSERT"}],
        "stream": ["shop0", {"prefix": "shop"}, {"suffix": "1"}],
        "table": [{"exists": True}, {"anything-but": {"suffix": "1"}}],
        "region": ["eu-central-1"],
        "ttl": [True, False],
        "size": [{"numeric": [">", 60]}],
    }
    name = dice.choice(sorted(facts))
    return [name], dice.sample(facts[name], 1)


def _tests(dice: random.Random, texts: Sequence[str], numbers: Sequence[str]) -> list[Any]:
    return [_test(dice, texts, numbers) for _ in range(dice.choice([1, 1, 2]))]


def _test(dice: random.Random, texts: Sequence[str], numbers: Sequence[str]) -> Any:
    text, kind = dice.choice(texts), dice.choice(["exact"] * 6 + ["number", "start", "other"])
    if kind == "exact":
        return text
    if kind == "number":
        number = json.loads(dice.choice(numbers or NUMBERS))
        return dice.choice([number, {"numeric": ["=", number]}, {"numeric": [">=", number]}])
    if kind == "start":
        begun = text[: dice.randint(0, 5)]
        return {"prefix": begun}
    return dice.choice(
        [
            *(True, False, None, {"exists": True}, {"exists": False}),
            *({"suffix": text[-2:]}, {"equals-ignore-case": text}, {"anything-but": [text]}),
            *({"cidr": "127.0.0.0/8"}, {"wildcard": "ORD#*"}, {"wildcard": "*a*"}),
        ]
    )


def _expression(dice: random.Random, depth: int) -> str:
    if depth and dice.random() < 0.5:
        joint = dice.choice([" ", " AND ", " OR ", " OR "])
        parts = [_expression(dice, depth - 1) for _ in range(2)]
        return f"({joint.join(parts)})"
    name, text = _quoted(dice.choice(_ATTRIBUTES)), _quoted(dice.choice(TEXTS))
    number, root = dice.choice(NUMBERS), dice.choice(_ROOTS)
    term = dice.choice(
        [
            *(f"{root}.{name}:{text}", f"{root}.{name}:{number}", f"{name}:{text}"),
            *(f"key:{_quoted(dice.choice(KEYS))}", f"{root}.{name}^={text}", f"key:{number}"),
            *(f"changed:{name}", f"changed({name})", f"changed({name}.{name})"),
            *(f"{name}: {text} -> *", f"changed({name}) by >{number.strip('-')}"),
            *(f"{root}.{name}>={number}", f"appeared({name})", f"disappeared({name})"),
            *(
                "op:INSERT",
                "op:MODIFY,REMOVE",
                "stream:shop1",
                "ttl:true",
                f"exists({root}.{name})",
            ),
            *(f"missing({root}.{name})", f"keys.order_id:{text}", f"keys.pk:{text}", "keys.sk:5"),
        ]
    )
    return f"-{term}" if dice.random() < 0.15 else term


def _quoted(text: str) -> str:
    return json.dumps(text)
