"""What of a change is indexed, so that search finds it: terms of attribute values, the key's text.

Plain Python: no Django, no network. A term is 32 bits of an attribute's name and value, so an index
narrows and never decides. How a value is spelled does not matter; its type does.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any
from zlib import crc32

from streams.change import EPOCH
from streams.item_key import canonical_number

# The last word of a name that looks like an id: order_id, customerId, sku, contact-email, OrderARN.
_LOOKS_LIKE_ID = re.compile(
    r"(?:.*[^A-Za-z0-9])?(?i:id|uuid|guid|email|mail|sku|arn|ref|reference)\Z"
    r"|.*[a-z0-9](?:Id|ID|Uuid|UUID|Guid|GUID|Email|Sku|SKU|Arn|ARN|Ref|Reference)\Z",
    re.DOTALL,
)
# Members of a list or set that get a term each; with more, one term stands for "too many".
_MOST_MEMBERS = 64
_SIMPLE = re.compile(rb'\{"([SB])":"([^"\\]*)"\}')
_SETS = {"SS": "S", "NS": "N", "BS": "B"}
# Names whose spelling in JSON is themselves. Another partition key has no index of its text.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.:#/ -]{1,255}")
KEY_CHARACTERS = 48
# Sets of names that an item may have, remembered.
_KNOWN = 1_024
_DAY = 86_400_000_000  # microseconds


def looks_like_id(name: str) -> bool:
    return _LOOKS_LIKE_ID.match(name) is not None


class Indexed:
    """Which top-level attributes of a stream get terms.

    `names` None stands for those that look like ids, but for `served`, the partition key, if its
    text has an index; changes that happened before `since` (microseconds since 1970) have none.
    """

    __slots__ = ("_chosen", "_names", "_served", "in_key", "since")

    def __init__(
        self, names: frozenset[str] | None, since: int, served: str, key: Iterable[str]
    ) -> None:
        self._names, self._served, self.since = names, served, since
        self._chosen: dict[tuple[str, ...], tuple[str, ...]] = {}
        # A change without images still has its key.
        self.in_key = any(self._has(name) for name in key)

    def covers(self, name: str, from_at: datetime) -> bool:
        """True if all changes from then on have terms of this attribute."""
        return (from_at - EPOCH) // timedelta(microseconds=1) >= self.since and self._has(name)

    def of(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the names that get terms."""
        chosen = self._chosen.get(names)
        if chosen is None:
            if len(self._chosen) >= _KNOWN:
                self._chosen.clear()
            chosen = self._chosen[names] = tuple(name for name in names if self._has(name))
        return chosen

    def _has(self, name: str) -> bool:
        if self._names is not None:
            return name in self._names
        return looks_like_id(name) and name != self._served


def indexed_of(
    names: Sequence[str] | None, since: date | None, key_schema: Sequence[Sequence[str]]
) -> Indexed:
    """What a stream with these settings indexes."""
    served = key_schema[0][0] if key_expression(key_schema) else ""
    return _indexed(
        None if names is None else frozenset(names),
        (since - EPOCH.date()).days * _DAY if since else 0,
        served,
        tuple(name for name, _ in key_schema),
    )


def next_day(now: datetime) -> date:
    """The first day (UTC) on which every poller knows a choice that is made now."""
    return (now.astimezone(UTC) + timedelta(hours=1, days=1)).date()


# The same object for the same settings: it remembers.
_indexed = lru_cache(maxsize=1_024)(Indexed)
NOTHING = Indexed(frozenset(), 0, "", ())


def term(name: str, typed: Mapping[str, Any]) -> int:
    """The term of an attribute's scalar value, {"S": "x"}: a signed number of 32 bits."""
    ((type_, value),) = typed.items()
    return _term(_head(name, type_), _text(type_, value))


def too_many(name: str) -> int:
    """The term of an attribute with more members than get terms of their own."""
    return _term(_head(name, "*"), b"")


def terms(values: Iterable[tuple[str, bytes]]) -> tuple[int, ...]:
    """The terms of attributes, as (name, DynamoDB JSON as bytes); each term once.

    A list or set has one for each scalar in it; a map has none.
    """
    found: dict[int, None] = {}
    for name, raw in values:
        simple = _SIMPLE.fullmatch(raw)
        if simple:  # as nearly all are; the text is the value
            found[_term(_head(name, simple[1].decode()), simple[2])] = None
        else:
            found.update(dict.fromkeys(_members(name, json.loads(_decoded(raw)))))
    return tuple(found)


def stored_name(name: str) -> str:
    """A name as `changed` holds it: Postgres' text takes neither NUL nor lone surrogates."""
    return name.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()


def key_expression(key_schema: Sequence[Sequence[str]]) -> str:
    """The SQL of the partition key's text as a leaf indexes it, "" if the stream has no such
    index: the first characters of a string or binary, and what follows it; "" for a key that is
    spelled in another way than compact JSON without escapes."""
    if not key_schema:
        return ""
    name, type_ = key_schema[0]
    if type_ not in ("S", "B") or not _PLAIN_NAME.fullmatch(name):
        return ""
    # In JSON text a quote inside a string has a backslash before it, so this can stand nowhere
    # but at the attribute itself.
    mark = f'"{name}":{{"{type_}":"'
    return (
        r"CASE WHEN strpos(keys::text, '\') = 0"
        f" THEN left(split_part(keys::text, '{mark}', 2), {KEY_CHARACTERS}) ELSE '' END"
    )


def _term(head: int, text: bytes) -> int:
    number = crc32(text, head)
    return number - (1 << 32) if number >> 31 else number


@lru_cache(maxsize=1_024)
def _head(name: str, type_: str) -> int:
    return crc32(name.encode("utf-8", "surrogatepass") + b"\0" + type_.encode() + b"\0")


def _text(type_: str, value: Any) -> bytes:
    if type_ == "N":
        with suppress(ArithmeticError):  # no number DynamoDB can hold: its spelling is its value
            value = canonical_number(value)
    return str(value).encode("utf-8", "surrogatepass")


def _members(name: str, typed: Any) -> list[int]:
    """The terms of a value's scalars, lists and sets opened."""
    try:
        scalars = list(islice(_scalars(typed), _MOST_MEMBERS + 1))
        if len(scalars) <= _MOST_MEMBERS:
            return [_term(_head(name, type_), _text(type_, value)) for type_, value in scalars]
    except (ValueError, TypeError, AttributeError):
        pass  # no DynamoDB JSON: search must look for itself
    return [too_many(name)]


def _scalars(typed: Any) -> Iterable[tuple[str, Any]]:
    ((type_, value),) = typed.items()
    if type_ in _SETS:
        for member in value:
            yield _SETS[type_], member
    elif type_ == "L":
        for member in value:
            yield from _scalars(member)
    elif type_ != "M":
        yield type_, value


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")
