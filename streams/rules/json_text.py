"""Reading JSON so that nothing is lost: places, duplicate keys, the spelling of numbers.

`read_pattern` keeps the place of every node for its errors. `read_event` is fast and keeps what
matching needs: dicts and lists, or Pairs for an object that has a key twice, and Numbers.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from streams.rules.errors import EventError, PatternError
from streams.rules.values import Leaf, Number

# Names in a path. Each costs stack frames. DynamoDB stops at 32 levels, which a record has as 67.
DEEPEST = 100
# An array and a match expression stand below the last name.
_DEEPEST_TEXT = DEEPEST + 5

_space = re.compile(r"[ \t\n\r]*").match
_string = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"').match
_number = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch
_bare = re.compile(r"[0-9A-Za-z_.+-]+").match
_WORDS: dict[str, Leaf] = {"true": True, "false": False, "null": None}


class Pairs(tuple[tuple[str, Any], ...]):
    """An object that has a key more than once, as its pairs in order."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it begins. Objects are pairs, arrays are lists of nodes."""

    value: "Leaf | tuple[tuple[Key, Node], ...] | list[Node]"
    position: int


def read_pattern(text: str) -> Node:
    """The text as nodes; PatternError says what is wrong, and where."""
    return _Reader(text).read()


class _Reader:
    """Recursive descent over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def read(self) -> Node:
        node = self._value(0)
        self._skip()
        if self.at < len(self.text):
            self._fail("The JSON ends here, but the text goes on")
        return node

    def _fail(self, reason: str, position: int | None = None) -> NoReturn:
        raise PatternError(reason, self.at if position is None else position, self.text)

    def _skip(self) -> str:
        """Passes white space; the character that follows, or nothing at the end."""
        found = _space(self.text, self.at)
        self.at = found.end() if found else self.at
        return self.text[self.at : self.at + 1]

    def _value(self, depth: int) -> Node:
        if depth > _DEEPEST_TEXT:
            self._fail(f"This is nested more than {DEEPEST} levels deep")
        first, position = self._skip(), self.at
        if first == "{":
            return Node(self._object(depth), position)
        if first == "[":
            return Node(self._array(depth), position)
        if first == '"':
            return Node(self._text(), position)
        return Node(self._word(), position)

    def _object(self, depth: int) -> tuple[tuple[Key, Node], ...]:
        pairs: list[tuple[Key, Node]] = []
        self.at += 1
        if self._skip() == "}":
            self.at += 1
            return ()
        while True:
            if self._skip() != '"':
                self._fail("Expected a key in double quotes")
            key = Key(position=self.at, name=self._text())
            if self._skip() != ":":
                self._fail('Expected ":" after the key')
            self.at += 1
            pairs.append((key, self._value(depth + 1)))
            if self._ends_with("}"):
                return tuple(pairs)

    def _array(self, depth: int) -> list[Node]:
        nodes: list[Node] = []
        self.at += 1
        if self._skip() == "]":
            self.at += 1
            return nodes
        while True:
            nodes.append(self._value(depth + 1))
            if self._ends_with("]"):
                return nodes

    def _ends_with(self, end: str) -> bool:
        """Passes a comma, or the end: then True."""
        found = self._skip()
        if found not in (",", end) or not found:
            self._fail(f'Expected "," or "{end}"')
        self.at += 1
        return found == end

    def _text(self) -> str:
        found = _string(self.text, self.at)
        if not found:
            self._fail("This string does not end, or has a raw control character")
        try:
            value = json.loads(found.group())
        except json.JSONDecodeError as error:
            self._fail("This string has an escape that JSON does not know", self.at + error.pos)
        self.at = found.end()
        return str(value)

    def _word(self) -> Leaf:
        found = _bare(self.text, self.at)
        if not found:
            self._fail("Expected a JSON value")
        word = found.group()
        if word not in _WORDS and not _number(word):
            self._fail(f"{word[:40]} is no JSON value")
        self.at = found.end()
        return _WORDS[word] if word in _WORDS else Number(word)


def read_event(text: str | bytes, doubled: bool = True) -> "dict[str, Any] | Pairs":
    """The object that the text spells; EventError, with the position, if it spells none.

    Doubled keys are all kept, or, if `doubled` is False, the last of each.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError as error:
            raise EventError("The event is not UTF-8", error.start) from error
    try:
        event = (_decode if doubled else _decode_last)(text)
    except (ValueError, RecursionError) as error:
        raise _event_error(text) from error
    if not isinstance(event, (dict, Pairs)):
        raise EventError("An event is a JSON object", 0)
    return event


def _object_of(pairs: list[tuple[str, Any]]) -> "dict[str, Any] | Pairs":
    event = dict(pairs)
    return event if len(event) == len(pairs) else Pairs(pairs)


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


_decode = json.JSONDecoder(
    object_pairs_hook=_object_of, parse_float=Number, parse_int=Number, parse_constant=_refuse
).decode
_decode_last = json.JSONDecoder(parse_float=Number, parse_int=Number, parse_constant=_refuse).decode


def _event_error(text: str) -> EventError:
    """What the careful reader has to say about a text that the fast one refused."""
    try:
        read_pattern(text)
    except PatternError as error:
        return EventError(error.reason, error.position)
    return EventError("The event is no JSON that can be read", 0)
