"""Python values as DynamoDB's typed ones, and the three ways the shop writes."""

from collections.abc import Callable, Mapping
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
    if value is None:
        return {"NULL": True}
    for kinds, name, convert in WIRE:
        if isinstance(value, kinds):
            return {name: convert(value)}
    if isinstance(value, set):
        return _typed_set(value)
    raise TypeError(f"DynamoDB has no type for {type(value).__name__}")


def typed_item(item: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: typed(value) for name, value in item.items()}


def _typed_set(members: set[Any]) -> dict[str, Any]:
    """Sorted, so that one seed always writes the same bytes."""
    kinds = {str: "SS", bytes: "BS", int: "NS", Decimal: "NS"}
    name = kinds[type(next(iter(members)))]
    ordered = sorted(members)
    return {name: [str(each) for each in ordered] if name == "NS" else ordered}


# In this order: to Python, True is an int.
WIRE: tuple[tuple[type | tuple[type, ...], str, Callable[[Any], Any]], ...] = (
    (bool, "BOOL", bool),
    ((int, Decimal), "N", str),
    (str, "S", str),
    (bytes, "B", bytes),
    (list, "L", lambda members: [typed(each) for each in members]),
    (dict, "M", typed_item),
)
