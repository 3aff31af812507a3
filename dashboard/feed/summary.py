"""A stored change as the feed's row: a few short texts, made once for all viewers."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from dashboard.feed.preview import Image, decode, key_label, preview, visible
from dashboard.feed.protocol import Summary
from streams import item_key
from streams.queries.feed import StoredChange

SNIPPETS = 3
# Larger images are not decoded for the feed (up to 4 ms each): their names are shown without
# values, and the change's page has them all.
_LARGE = 32 * 1024

Field = tuple[str, str | None, str | None]


def summarise(change: StoredChange) -> Summary:
    keys = decode(change.keys)
    fields, more = _fields(change, keys)
    return Summary(
        cursor=str(change.cursor or ""),
        id=change.id,
        received=iso(change.stored_at, "milliseconds"),
        occurred=iso(change.occurred_at, "seconds"),
        stream=change.stream,
        operation=change.operation,
        key=key_label(keys),
        token=item_key.token(item_key.canonical(keys)),
        fields=tuple(fields),
        more=more,
        ttl=change.ttl,
    )


def iso(moment: datetime, precision: str) -> str:
    """A moment in UTC as `<time datetime>` and JavaScript read it."""
    return moment.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _fields(change: StoredChange, keys: Image) -> tuple[list[Field], int]:
    if max(len(change.old or b""), len(change.new or b"")) > _LARGE:
        names: Sequence[str] = change.changed or ()
        return [(visible(name), None, None) for name in names[:SNIPPETS]], _over(names)
    old, new = decode(change.old) or {}, decode(change.new) or {}
    if change.changed is not None:
        names = change.changed
    else:
        names = [name for name in (new or old) if name not in keys]
    return list(_snippets(names, old, new)), _over(names)


def _snippets(names: Sequence[str], old: Image, new: Image) -> Iterator[Field]:
    for name in names[:SNIPPETS]:
        before, after = old.get(name), new.get(name)
        yield (
            visible(name[:80]),
            None if before is None else preview(before),
            None if after is None else preview(after),
        )


def _over(names: Sequence[str]) -> int:
    return max(0, len(names) - SNIPPETS)
