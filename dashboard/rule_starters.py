"""Rules to begin with, made from the tables that are watched: an attribute that became a rare
value, many deletions, and silence."""

from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from django.urls import reverse

from streams.change import MODIFY
from streams.models import Stream
from streams.queries.rows import StoredChange
from streams.queries.seen import SeenPath, seen_paths
from streams.rules.expressions.operands import asked
from streams.rules.operators import Exact
from streams.rules.spelling.expression_text import attribute_text
from streams.rules.spelling.value_text import test_text

# Names that mostly hold the state of something, the likeliest first.
_STATES = ("status", "state", "stage", "phase")
# An attribute with more values than this is no state.
_MOST_VALUES = 10


class Starter(NamedTuple):
    """A rule that is filled in and not saved; `url` opens it in the builder."""

    title: str
    sentence: str
    query: str
    url: str


def starters() -> list[Starter]:
    """Three rules on up to three of the streams; none without a stream."""
    streams = list(Stream.objects.order_by("name").values_list("pk", "name")[:3])
    if not streams:
        return []
    of = [streams[place % len(streams)] for place in range(3)]
    return [_becoming(*of[0]), _deletions(of[1][1]), _silence(of[2][1])]


def rule_of(change: StoredChange) -> str:
    """The address of a new rule, filled in for changes like this one: of its stream, with its
    operation, and of the same attribute where only one was changed."""
    query = f"{_in(change.stream)} op:{change.operation}"
    if change.operation == MODIFY and change.changed and len(change.changed) == 1:
        query += f" changed:{test_text(Exact(change.changed[0]), asked('changed'))}"
    return f"{reverse('rule-new')}?{urlencode({'query': query}, quote_via=quote)}"


def _becoming(stream_id: int, stream: str) -> Starter:
    seen = _state(seen_paths([stream_id]))
    if seen is None:
        return _starter(
            f"Something is deleted in {stream}",
            "An alert for each item that is deleted, but not by time to live.",
            kind="match",
            query=f"{_in(stream)} op:REMOVE -actor:ttl",
            group_by="item",
        )
    name, value = attribute_text(seen.path), seen.examples[-1]
    return _starter(
        f"{seen.path} of {stream} becomes {value}",
        "An alert for each item in which it does.",
        kind="match",
        query=f"{_in(stream)} {name}: * -> {value}",
        group_by="item",
    )


def _deletions(stream: str) -> Starter:
    return _starter(
        f"Many deletions in {stream}",
        "An alert when at least 20 items are deleted within 5 minutes, but not by time to live.",
        kind="count",
        query=f"{_in(stream)} op:REMOVE -actor:ttl",
        count_threshold=20,
        count_window="5 min",
        severity="critical",
    )


def _silence(stream: str) -> Starter:
    return _starter(
        f"Nothing happens in {stream}",
        "An alert when for an hour nothing was changed.",
        kind="absence",
        query=_in(stream),
        absence_seconds="1 h",
    )


def _starter(title: str, sentence: str, **given: Any) -> Starter:
    address = urlencode({"name": title[:120], **given}, quote_via=quote)
    return Starter(title, sentence, given["query"], f"{reverse('rule-new')}?{address}")


def _in(stream: str) -> str:
    return f"stream:{test_text(Exact(stream), asked('stream'))}"


def _state(seen: list[SeenPath]) -> SeenPath | None:
    """The attribute that most likely holds a state: text with a few values."""
    few = [
        path
        for path in seen
        if not path.in_key and path.types == {"S"} and 1 < len(path.examples) <= _MOST_VALUES
    ]
    known = sorted((p for p in few if p.path in _STATES), key=lambda p: _STATES.index(p.path))
    return next(iter([*known, *few]), None)
