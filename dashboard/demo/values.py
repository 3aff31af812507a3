"""Python values as DynamoDB's typed ones, and the three ways the shop writes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Item = dict[str, Any]


@dataclass(frozen=True)
class Put:
    table: str
    item: Item


@dataclass(frozen=True)
class Update:
    """Set attributes, by top-level name, of an item that exists; add to numbers; drop others."""

    table: str
    key: Item
    values: Item = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delete:
    table: str
    key: Item


Write = Put | Update | Delete


def typed(value: Any) -> dict[str, Any]:
    """The value as the wire wants it: `Decimal("1.50")` is {"N": "1.50"}."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case list():
            return {"L": [typed(each) for each in value]}
        case dict():
            return {"M": typed_item(value)}
        case set() | frozenset():
            return _typed_set(value)
    raise TypeError(f"DynamoDB has no type for {type(value).__name__}")


def typed_item(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: typed(value) for name, value in item.items()}


def _typed_set(members: set[Any] | frozenset[Any]) -> dict[str, Any]:
    """Sorted, so that one seed always writes the same bytes."""
    ordered = sorted(members)
    match ordered[0]:
        case str():
            return {"SS": ordered}
        case bytes():
            return {"BS": ordered}
        case _:
            return {"NS": [str(each) for each in ordered]}
