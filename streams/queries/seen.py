"""Which attributes a stream's changes have, from a bounded sample of its newest ones.

Suggestions, warnings about misspelled names and the choice of columns are made from it. What is
rare may be missing, so nothing is ever refused because it was not seen.
"""

import json
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import orjson
from django.db.models import Max

from streams.models import Batch, Shard
from streams.queries.rows import Extent, changes_of
from streams.queries.search_statement import LeafGone, rows
from streams.rules.expressions.operands import asked
from streams.rules.expressions.tokens import is_number
from streams.rules.operators import Exact
from streams.rules.spelling.value_text import test_text

# So many changes of a stream, of so many streams: a few milliseconds each.
_CHANGES, _STREAMS, _BATCHES = 80, 8, 80
# Larger changes are left out; their attributes are mostly those of the others.
_LARGEST = 16_384  # bytes
# Of one image: how deep, and how many of a list's elements.
_DEEPEST, _ELEMENTS = 6, 3
# Of a stream: paths, examples of each, and how long an example may be.
_PATHS, _EXAMPLES, _LONGEST = 400, 12, 60
_FRESH_SECONDS = 60.0
# Nobody waits for suggestions: a stream that takes longer has none for a while.
_SECONDS = 0.25


class SeenPath(NamedTuple):
    """An attribute, or what lies in one: `path` is such as "status" or "address.city", without
    an image in front, through lists without an index. `types` are DynamoDB's. `examples` are
    values as an expression spells them, the most frequent first. `in_key`: it is part of the key.
    """

    path: str
    types: frozenset[str]
    examples: tuple[str, ...]
    in_key: bool


class _Found:
    def __init__(self) -> None:
        self.times = 0
        self.types: set[str] = set()
        self.values: Counter[str] = Counter()
        self.in_key = False


_Tally = dict[str, _Found]
_remembered: dict[int, tuple[float, _Tally]] = {}


def seen_paths(stream_ids: Collection[int] | None) -> list[SeenPath]:
    """What the newest changes of these streams (None: of all) have, the most frequent first.

    Of many streams those that changed last are asked. The answer may be a minute old.
    """
    joined: _Tally = {}
    for stream_id in _latest(stream_ids):
        for path, found in _of_stream(stream_id).items():
            into = joined.setdefault(path, _Found())
            into.times += found.times
            into.types |= found.types
            into.values.update(found.values)
            into.in_key |= found.in_key
    ordered = sorted(joined.items(), key=lambda item: (-item[1].times, item[0]))
    return [
        SeenPath(
            path,
            frozenset(found.types),
            tuple(value for value, _ in found.values.most_common(_EXAMPLES)),
            found.in_key,
        )
        for path, found in ordered
    ]


def known_names(stream_ids: Collection[int] | None) -> frozenset[str] | None:
    """The seen paths, for `compile_text(…, known=…)`; None if nothing was seen at all, when every
    name would be a doubtful one."""
    return frozenset(seen.path for seen in seen_paths(stream_ids)) or None


def forget() -> None:
    """Look anew the next time."""
    _remembered.clear()


def _latest(stream_ids: Collection[int] | None) -> list[int]:
    """The streams that changed last, at most so many as are asked."""
    if stream_ids is not None and len(stream_ids) <= _STREAMS:
        return sorted(stream_ids)
    shards = Shard.objects.filter(newest_change_at__isnull=False)
    if stream_ids is not None:
        shards = shards.filter(stream__in=stream_ids)
    streams = shards.values("stream").annotate(at=Max("newest_change_at")).order_by("-at")
    return [row["stream"] for row in streams[:_STREAMS]]


def _of_stream(stream_id: int) -> _Tally:
    now = time.monotonic()
    known = _remembered.get(stream_id)
    if known and now - known[0] < _FRESH_SECONDS:
        return known[1]
    tally: _Tally = {}
    for keys, images in _sample(stream_id):
        for path, typed in keys:
            _take(tally, path, typed).in_key = True
        for image in images:
            for path, typed in image:
                _take(tally, path, typed)
    _remembered[stream_id] = now, tally
    return tally


_Leaves = list[tuple[str, Any]]


def _sample(stream_id: int) -> Iterator[tuple[_Leaves, list[_Leaves]]]:
    """The values in the key and in both images of each of the newest changes."""
    batches = (
        Batch.objects.filter(stream=stream_id, feed_position__isnull=False)
        .exclude(oldest_change_at=None)
        .order_by("-feed_position")
        .values_list(*_EXTENT, "inserts", "modifies", "removes")
    )
    extents, total = [], 0
    for *extent, inserts, modifies, removes in batches[:_BATCHES]:
        extents.append(Extent(*extent))
        total += inserts + modifies + removes
        if total >= _CHANGES:
            break
    arms, given = changes_of(extents)
    if not arms:
        return
    try:
        found = rows(
            f"""SELECT c.keys::text, c.old::text, c.new::text FROM ({arms}) c
                WHERE greatest(c.size, pg_column_size(c.old), pg_column_size(c.new)) <= {_LARGEST}
                ORDER BY c.batch_id DESC, c.ordinal DESC
                LIMIT {_CHANGES}""",
            given,
            _SECONDS,
        )
    except LeafGone:
        return
    for keys, old, new in found or ():
        key = _decoded(keys)
        images = [_decoded(image) for image in (old, new) if image]
        own = [{n: v for n, v in image.items() if n not in key} for image in images]
        yield list(_leaves(key, "", 0)), [list(_leaves(image, "", 0)) for image in own]


_EXTENT = ("id", "stream_id", "oldest_change_at", "newest_change_at")


def _decoded(text: str) -> dict[str, Any]:
    try:
        image = orjson.loads(text)
    except orjson.JSONDecodeError:
        image = json.loads(text)  # takes lone surrogates, which DynamoDB can send
    return image if isinstance(image, dict) else {}


def _leaves(image: dict[str, Any], above: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Every path of an image with its typed value; a map's own path comes before what is in it."""
    for name, typed in image.items():
        if not (isinstance(typed, dict) and len(typed) == 1 and name):
            continue
        path = f"{above}{name}"
        yield path, typed
        if depth < _DEEPEST:
            yield from _within(typed, path, depth + 1)


def _within(typed: dict[str, Any], path: str, depth: int) -> Iterator[tuple[str, Any]]:
    ((type_, content),) = typed.items()
    if type_ == "M" and isinstance(content, dict):
        yield from _leaves(content, f"{path}.", depth)
    elif type_ == "L" and isinstance(content, list):
        for element in content[:_ELEMENTS]:
            if isinstance(element, dict) and len(element) == 1:
                yield from _within(element, path, depth + 1)


def _take(tally: _Tally, path: str, typed: dict[str, Any]) -> _Found:
    found = tally.get(path)
    if found is None:
        found = _Found()
        if len(tally) < _PATHS:
            tally[path] = found
    ((type_, content),) = typed.items()
    found.times += 1
    found.types.add(type_)
    for value in _scalars(type_, content):
        found.values[value] += 1
    return found


def _scalars(type_: str, content: Any) -> Sequence[str]:
    """The scalars of a value, as an expression spells them."""
    if type_ in ("SS", "NS") and isinstance(content, list):
        members = content[:_ELEMENTS]
        return [text for member in members if (text := _spelled(type_[0], member))]
    text = _spelled(type_, content)
    return [text] if text else []


def _spelled(type_: str, content: Any) -> str:
    """A scalar as a value of an expression; "" for what is no scalar, or too long to be shown."""
    if type_ == "BOOL":
        return "true" if content else "false"
    if type_ == "NULL":
        return "null"
    if not isinstance(content, str) or not 0 < len(content) <= _LONGEST:
        return ""
    if type_ == "N":
        return content if is_number(content) else ""
    return test_text(Exact(content), _OF) if type_ == "S" else ""


_OF = asked("new.attribute")
