"""A stored change as the feed's row: a few short texts, made once for all viewers."""

from collections.abc import Iterator, Sequence

from dashboard.feed.preview import decode, key_label, preview, visible
from dashboard.feed.protocol import Summary
from streams import item_key
from streams.diff import Image, differing_names
from streams.queries.feed import StoredChange
from streams.when import iso

SNIPPETS = 3
# Larger images are not decoded for the feed (up to 4 ms each): their names are shown without
# values, and the change's page has them all.
_LARGE = 32 * 1024

Field = tuple[str, str | None, str | None]


def summarise(change: StoredChange) -> Summary:
    keys = decode(change.keys)
    fields, more = changed_fields(change.old, change.new, change.changed, keys)
    return Summary(
        cursor=str(change.cursor or ""),
        id=change.id,
        received=iso(change.stored_at, "milliseconds"),
        occurred=iso(change.occurred_at),
        stream=change.stream,
        operation=change.operation,
        key=key_label(keys),
        token=item_key.token_of(keys),
        fields=tuple(fields),
        more=more,
        ttl=change.ttl,
    )


def changed_fields(
    old: bytes | None,
    new: bytes | None,
    changed: Sequence[str] | None,
    keys: Image,
    most: int = SNIPPETS,
) -> tuple[list[Field], int]:
    """The first top-level fields that differ, as (name, old, new), and how many more there are.

    Where only one image is known, its fields: what the item now is, or was. The key has a place
    of its own and is left out; short values come before lists and maps, which would hide them.
    """
    if max(len(old or b""), len(new or b"")) > _LARGE:
        names = [name for name in changed or () if name not in keys]
        return [(visible(name), None, None) for name in names[:most]], max(0, len(names) - most)
    before, after = decode(old) or {}, decode(new) or {}
    differing = differing_names(before, after) if changed is None else changed
    names = [name for name in differing if name not in keys]
    names.sort(key=lambda name: not {"L", "M"}.isdisjoint(after.get(name) or before.get(name, ())))
    return list(_snippets(names[:most], before, after)), max(0, len(names) - most)


def _snippets(names: Sequence[str], before: Image, after: Image) -> Iterator[Field]:
    for name in names:
        old, new = before.get(name), after.get(name)
        yield (
            visible(name[:80]),
            None if old is None else preview(old),
            None if new is None else preview(new),
        )
