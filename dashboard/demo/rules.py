"""A few rules on the sample shop, so that alerts can be seen opening and resolving."""

from typing import Any

RULES: tuple[dict[str, Any], ...] = (
    {
        "name": "Orders are cancelled",
        "kind": "count",
        "query": "stream:orders status: * -> cancelled",
        "params": {"threshold": 3, "window": 300},
        "resolve_seconds": 120,
        "note": "Three in five minutes. One now and then is no news.",
    },
    {
        "name": "A refund",
        "severity": "info",
        "query": "stream:orders status: * -> refunded",
        "group_by": ["item"],
        "resolve_seconds": 120,
    },
    {
        "name": "Stock is low",
        "query": "stream:stock new.pieces<20",
        "group_by": ["keys.sku", "keys.warehouse"],
        "resolve_seconds": 180,
    },
    {
        "name": "Something new in orders",
        "kind": "first-seen",
        "severity": "info",
        "query": "stream:orders",
        "params": {"what": "attributes"},
        "resolve_seconds": 600,
        "note": "A new attribute, or a new type of one: the drift journal.",
    },
)
