"""One walk over an event, along the paths that any filter asks for.

Keys and paths are joined by ".", so the attribute "a.b" and `b` in `a` are the same place: from
each node an edge leads to every node below it, named by all segments between.
"""

from collections.abc import Iterable
from typing import Any

from streams.rules.json_text import Pairs
from streams.rules.matching.lookups import Lookups

# A path of n segments needs n²/2 edges; clauses are not found by longer ones.
MOST_SEGMENTS = 16
_OBJECTS = (dict, Pairs)
# An object of an event: a dict, or Pairs.
Object = Any


class Node:
    __slots__ = ("children", "lookups", "wanted")

    def __init__(self) -> None:
        self.children: dict[str, Node] = {}
        # True if a filter asks for leaves at just this path.
        self.wanted = False
        self.lookups = Lookups()


class Tree:
    """Made of paths, filled through `at(path).lookups`, frozen, then shared by threads."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.root = Node()
        self._at: dict[str, Node] = {}
        for path in paths:
            self._add(path.split("."))

    @property
    def nodes(self) -> Iterable[Node]:
        return [self.root, *self._at.values()]

    def at(self, path: str) -> Node:
        return self._at[path]

    def freeze(self) -> None:
        for node in self._at.values():
            node.lookups.freeze()

    def find(self, event: Object) -> set[int]:
        """The numbers of all clauses that a leaf of the event may satisfy."""
        found: set[int] = set()
        pending = [(self.root, event)]
        while pending:
            node, value = pending.pop()
            children = node.children
            few = type(value) is dict and len(value) <= len(children)
            for key, below in value.items() if few else _pairs(value, children):
                child = children.get(key)
                if child is None:
                    continue
                if type(below) is str:
                    _look_text(child.lookups, below, found)
                elif type(below) in _OBJECTS:
                    pending.append((child, below))
                elif type(below) is list:
                    _spread(child, below, found, pending)
                else:
                    child.lookups.find(below, found)
        return found

    def _add(self, segments: list[str]) -> None:
        above, node = [self.root], self.root
        for last in range(1, len(segments) + 1):
            path = ".".join(segments[:last])
            if path not in self._at:
                self._at[path] = Node()
            node = self._at[path]
            for first, parent in enumerate(above):
                parent.children[".".join(segments[first:last])] = node
            above.append(node)
        node.wanted = True


def _pairs(value: Object, children: dict[str, Node]) -> Iterable[tuple[str, Any]]:
    """The pairs of an object that lead on."""
    if type(value) is Pairs:
        return [(key, below) for key, below in value if key in children]
    return [(key, value[key]) for key in children if key in value]


def _spread(
    node: Node, array: list[Any], found: set[int], pending: list[tuple[Node, Object]]
) -> None:
    """Every element of an array, and of arrays in it, lies where the array does."""
    arrays = [array]
    while arrays:
        for element in arrays.pop():
            if type(element) is str:
                _look_text(node.lookups, element, found)
            elif type(element) in _OBJECTS:
                pending.append((node, element))
            elif type(element) is list:
                arrays.append(element)
            else:
                node.lookups.find(element, found)


def _look_text(lookups: Lookups, text: str, found: set[int]) -> None:
    if text in lookups.texts:
        found.update(lookups.texts[text])
    for look in lookups.of_text:
        look(text, found)
