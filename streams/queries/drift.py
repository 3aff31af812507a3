"""The drift journal: what first-seen rules met for the first time, the newest first.

Attributes and types of attributes, or values of a field. What a rule knew from the history when it
began is no news and not listed.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from streams.models import Rule, Sighting, Stream
from streams.queries.place import Place
from streams.queries.seen import seen_paths

ATTRIBUTES = "attributes"
_TYPES = ("S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS")
_TYPE_WORDS = {
    "S": "text",
    "N": "number",
    "B": "binary",
    "BOOL": "true or false",
    "NULL": "null",
    "M": "map",
    "L": "list",
    "SS": "set of texts",
    "NS": "set of numbers",
    "BS": "set of binaries",
}
_MOST_RULES = 100
# A stream with more attributes than this has names that are data: none of them is missed.
_MOST_ATTRIBUTES = 300
# A name that a path of the sample spells just so.
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Asked(NamedTuple):
    stream: Stream | None = None
    rule: Rule | None = None
    before: Place | None = None


class Seen(NamedTuple):
    """One line. `kind` is "attribute", "type" or "value"; `name` the attribute, or the path whose
    value it is; `value` its type in a word, or the value; `before` the types it had until then."""

    sighting: Sighting
    kind: str
    name: str
    value: str
    before: tuple[str, ...] = ()


class Page(NamedTuple):
    rows: list[Seen]
    following: Place | None


class Missing(NamedTuple):
    """An attribute that was seen once and is in none of the newest changes."""

    name: str
    first_at: datetime


def page(asked: Asked, limit: int) -> Page:
    # Asked with the very condition of the indexes.
    found = Sighting.objects.filter(~Q(change=""))
    if asked.stream:
        found = found.filter(stream=asked.stream)
    if asked.rule:
        found = found.filter(rule=asked.rule)
    if asked.before:
        at, number = asked.before
        found = found.filter(Q(first_at__lt=at) | Q(first_at=at, pk__lt=number))
    found = found.select_related("rule", "stream").order_by("-first_at", "-pk")
    rows = list(found[: limit + 1])
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(_lines(rows[:limit]), Place(last.first_at, last.pk) if last else None)


def rules() -> list[Rule]:
    """The rules that write the journal, by name; also those that are switched off."""
    return list(Rule.objects.filter(kind=Rule.Kind.FIRST_SEEN)[:_MOST_RULES])


def missing(stream: Stream) -> list[Missing]:
    """The attributes of a stream that are in none of its newest changes, the newest first.

    The changes are a sample, so an attribute that is rare may be listed wrongly.
    """
    asking = [rule.pk for rule in rules() if _what(rule) == ATTRIBUTES]
    found = Sighting.objects.filter(rule__in=asking, stream=stream).order_by("-first_at")
    known: dict[str, datetime] = {}
    for what, first_at in found.values_list("what", "first_at")[: _MOST_ATTRIBUTES + 1]:
        known[split(what)[0]] = first_at  # the oldest of its types comes last
    lately = {path.path for path in seen_paths([stream.pk])}
    if not lately or len(known) > _MOST_ATTRIBUTES:
        return []
    return [
        Missing(name, at)
        for name, at in known.items()
        if name not in lately and _PLAIN_NAME.fullmatch(name)
    ]


def split(what: str) -> tuple[str, str]:
    """An attribute's name and type, as a sighting spells them; the type is "" where a very long
    name was cut."""
    name, _, kind = what.rpartition(":")
    return (name, kind) if kind in _TYPES else (what, "")


def _lines(rows: Sequence[Sighting]) -> list[Seen]:
    named = {row.pk: split(row.what) for row in rows if _what(row.rule) == ATTRIBUTES}
    earlier = _types_before([row for row in rows if row.pk in named])
    lines = []
    for row in rows:
        if row.pk not in named:
            lines.append(Seen(row, "value", _what(row.rule), row.what))
            continue
        name, kind = named[row.pk]
        before = tuple(
            _TYPE_WORDS[type_]
            for at, number, type_ in earlier[row.rule_id, row.stream_id, name]
            if (at, number) < (row.first_at, row.pk)
        )
        word = _TYPE_WORDS.get(kind, "")
        lines.append(Seen(row, "type" if before else "attribute", name, word, before))
    return lines


def _what(rule: Rule) -> str:
    # Without it, a rule looks for attributes (streams/alerting/definition.py).
    return str(rule.params.get("what", ATTRIBUTES))


_Known = dict[tuple[int, int, str], list[tuple[datetime, int, str]]]


def _types_before(rows: Sequence[Sighting]) -> _Known:
    """The types of these rows' attributes with when they were met, the first in front."""
    wanted = Q(pk__in=[])
    for row in rows:
        name, kind = split(row.what)
        if kind:
            names = [f"{name}:{type_}" for type_ in _TYPES]
            wanted |= Q(rule=row.rule_id, stream=row.stream_id, what__in=names)
    known: _Known = defaultdict(list)
    for found in Sighting.objects.filter(wanted).order_by("first_at", "pk") if rows else ():
        name, kind = split(found.what)
        known[found.rule_id, found.stream_id, name].append((found.first_at, found.pk, kind))
    return known
