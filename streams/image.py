"""An image as it is stored, read and checked to be DynamoDB JSON. Plain Python."""

import json
from collections.abc import Callable
from typing import Any

import orjson

# DynamoDB nests 32 levels deep; other writers of streams may go further, but not without an end.
MOST_LEVELS = 100


class Unreadable(ValueError):
    """An image that is no DynamoDB JSON; the text says where and why."""


def read(image: bytes) -> dict[str, Any]:
    """The attributes of an image or a key; numbers stay the text DynamoDB spells them in.

    Unreadable if a value has not exactly one known type, with the content that belongs to it.
    """
    fields = _decoded(image)
    if not isinstance(fields, dict):
        raise Unreadable("It is not a JSON object of attributes.")
    pending = [(name, value, 1) for name, value in fields.items()]
    while pending:
        name, value, level = pending.pop()
        inner = _checked(name, value)
        if inner and level >= MOST_LEVELS:
            raise Unreadable(f"{name[:80]!r} is nested more than {MOST_LEVELS} levels deep.")
        pending += [(name, member, level + 1) for member in inner]
    return fields


def _decoded(image: bytes) -> object:
    try:
        return orjson.loads(image)
    except orjson.JSONDecodeError:
        pass  # orjson takes no lone surrogates, which DynamoDB can send
    try:
        return json.loads(image)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"It is not JSON ({error}).") from error


def _checked(name: str, value: object) -> list[Any]:
    """The values inside a value of the attribute `name`."""
    if not isinstance(value, dict) or len(value) != 1:
        raise Unreadable(f'{name[:80]!r} holds a value without one type, as in {{"S": "text"}}.')
    type_, content = next(iter(value.items()))
    fits = _CONTENT.get(type_)
    if fits is None:
        raise Unreadable(f"{name[:80]!r} holds a value of the unknown type {type_[:20]!r}.")
    if not fits(content):
        raise Unreadable(f"{name[:80]!r} holds a value of type {type_} that is no such value.")
    if type_ == "M":
        return list(content.values())
    return content if type_ == "L" else []


def _is(kind: type) -> Callable[[object], bool]:
    return lambda content: isinstance(content, kind)


def _is_set(content: object) -> bool:
    return isinstance(content, list) and all(isinstance(member, str) for member in content)


_CONTENT: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("S", "N", "B"), _is(str)),
    **dict.fromkeys(("SS", "NS", "BS"), _is_set),
    **dict.fromkeys(("BOOL", "NULL"), _is(bool)),
    "L": _is(list),
    "M": _is(dict),
}
