"""Stored items whose key begins like one that is not stored: for somebody who mistyped it."""

import json

from streams.item_key import Key, canonical
from streams.models import Stream
from streams.queries.search import search
from streams.rules import compile_text

# So many are named, and so long is looked for them.
_MOST, _SECONDS = 8, 0.06


def near_keys(stream: Stream, key: Key) -> list[Key]:
    """Keys that share the beginning of the partition key, longest beginning first; those of deleted
    items too. Empty where the partition key is a number: that has no beginning."""
    name, typed = next(iter(key.items()))
    text = typed.get("S", "")
    found: dict[str, Key] = {}
    for length in _lengths(len(text)):
        prefix = json.dumps(text[:length])
        page = search(
            compile_text(f"keys.{json.dumps(name)}^={prefix}"),
            streams=[stream],
            limit=_MOST * 4,
            budget_seconds=_SECONDS / 4,
        )
        for change in page.changes:
            near: Key = json.loads(change.keys)
            found.setdefault(canonical(near), near)
        if len(found) >= _MOST:
            break
    found.pop(canonical(key), None)
    return list(found.values())[:_MOST]


def _lengths(whole: int) -> list[int]:
    """The whole text (other sort keys may have it), then shorter beginnings, never a mere letter
    of a long key."""
    tried = [whole, whole - 1, whole - 2, whole // 2]
    return sorted({length for length in tried if length >= 1}, reverse=True)
