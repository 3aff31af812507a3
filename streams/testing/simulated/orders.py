"""A shop's orders in DynamoDB's typed JSON: what the canned pages and `fill` are made of."""

import random
from collections.abc import Iterator
from typing import Any

_CITIES = ("Hamburg", "München", "Köln", "Frankfurt am Main", "Leipzig", "Zürich", "Wien")
_STATUSES = ("placed", "paid", "packed", "shipped", "delivered")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


def order(number: int, version: int, note_bytes: int = 60) -> dict[str, Any]:
    """Version by version the same order moves on; the same arguments give the same order."""
    dice = random.Random(number)  # noqa: S311 - reproducible on purpose
    line = {"sku": {"S": f"SKU-{dice.randrange(10_000):05}"}, "qty": {"N": "2"}}
    note = "".join(dice.choices(_LETTERS, k=note_bytes))
    return {
        "pk": {"S": f"ORDER#{number:08}"},
        "status": {"S": _STATUSES[version % len(_STATUSES)]},
        "version": {"N": str(version)},
        "total": {"N": f"{dice.randrange(500, 50_000) / 100:.2f}"},
        "city": {"S": dice.choice(_CITIES)},
        "gift": {"BOOL": dice.random() < 0.1},
        "lines": {"L": [{"M": line}]},
        "note": {"S": note},
    }


def writes(count: int, keys: int, first: int = 0) -> Iterator[dict[str, Any]]:
    """So many writes over so many orders, round and round; each changes its order."""
    for number in range(first, first + count):
        yield order(number % keys, number // keys)
