"""An event's text, read no further than the filters ask.

The decoder skips in C what lies off the wanted paths, and keeps the spelling of numbers. Of doubled
keys, all of which count, it keeps the last; so it is used where no wanted name is doubled, which
counting the names in the text shows. Other texts are read with care, and whole (json_text.py).
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypedDict, Union

import msgspec

from streams.rules.filter_form import Form, has_conditions, paths_of
from streams.rules.json_text import Pairs, read_event
from streams.rules.matching.tree import MOST_SEGMENTS, Node, Tree
from streams.rules.values import Number

# Looking for so many names costs what reading a whole event of 900 bytes does.
_MOST_NAMES = 64
# Leaves where only objects lead on: nobody asks for them.
_LEAVES = (str, int, float, bool, None)
_REFUSED = (msgspec.MsgspecError, UnicodeError, RecursionError)

Event = dict[str, Any] | Pairs


def event_reader(forms: Collection[Form]) -> Callable[[str | bytes], Event]:
    """What reads the text of an event as far as these forms ask; EventError, with the position, if
    the text is no JSON object."""
    paths: set[str] = set()
    for form in forms:
        paths |= paths_of(form)
    if any(path.count(".") >= MOST_SEGMENTS for path in paths) or any(map(has_conditions, forms)):
        return read_event
    tree = Tree(paths)
    names = sorted({name for node in tree.nodes for name in node.children})
    if len(names) > _MOST_NAMES or not all(map(_plainly_spelled, names)):
        return read_event
    return _reader(_object(tree.root, {}), [f'"{name}"' for name in names])


def _reader(kept: Any, quoted: Sequence[str]) -> Callable[[str | bytes], Event]:
    decode = msgspec.json.Decoder(kept, float_hook=Number).decode
    decode_quickly = msgspec.json.Decoder(kept).decode

    def is_doubled(text: str) -> bool:
        # A key may be spelled with \u; no other escape spells a plain name.
        if r"\u" in text:
            return True
        counts = [text.count(name) for name in quoted]
        if max(counts, default=0) <= 1:
            return False
        # None was doubled if what is kept has all of them.
        again = msgspec.json.encode(decode_quickly(text)).decode()
        return counts != [again.count(name) for name in quoted]

    def read(given: str | bytes) -> Event:
        try:
            text = given if isinstance(given, str) else given.decode()
            event: Event = read_event(text) if is_doubled(text) else decode(text)
        except _REFUSED:
            return read_event(given)
        return event

    return read


def _object(node: Node, made: dict[Node, Any]) -> Any:
    """The type of an object at the node: its wanted keys, all others skipped."""
    fields = {name: _value(child, made) for name, child in node.children.items()}
    return TypedDict("Wanted", fields, total=False)  # type: ignore[operator]


def _value(node: Node, made: dict[Node, Any]) -> Any:
    if node.wanted or not node.children:
        return Any
    if node not in made:
        either = (_object(node, made), *_LEAVES)
        element: Any = Union[(list[Any], *either)]
        made[node] = Union[(list[element], *either)]
    return made[node]


def _plainly_spelled(name: str) -> bool:
    """True if JSON has no other spelling for the name than itself and with \\u. (ASCII also because
    msgspec does not find other keys of a TypedDict.)"""
    return name.isprintable() and name.isascii() and not set(name) & set('"\\/')
