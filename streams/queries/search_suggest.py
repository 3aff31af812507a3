"""What to offer somebody who types a filter: names and values that the newest changes really have.

streams/rules/expressions/completion.py says what is expected at the caret; this finds it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from streams.models import Stream
from streams.queries.seen import SeenPath, seen_paths
from streams.rules.deciding.attribute_values import TYPES
from streams.rules.errors import PatternError
from streams.rules.expressions.completion import FUNCTIONS, Expected, expected_at
from streams.rules.expressions.fields import IMAGES, OPERATIONS
from streams.rules.expressions.operands import asked
from streams.rules.expressions.paths import Paths
from streams.rules.expressions.suggest import FilterWarning, nearest
from streams.rules.expressions.tokens import CONNECTIVES, Scanner
from streams.rules.operators import Exact
from streams.rules.spelling.expression_text import attribute_text, path_text
from streams.rules.spelling.value_text import test_text

MOST_OPTIONS, MOST_COLUMNS = 12, 200

_FIELDS = {
    "op:": "INSERT, MODIFY or REMOVE",
    "changed:": "an attribute that differs",
    "stream:": "by its name here",
    "table:": "by its name at AWS",
    "key:": "any value of the item's key",
    "actor:ttl": "deleted by time to live",
    "size": "bytes, as in size>1000",
    "region:": "of AWS",
    "account:": "of AWS",
}
_FUNCTIONS = {
    "changed": "differs, also deep inside",
    "appeared": "was not there before",
    "disappeared": "is not there any more",
    "exists": "has a value",
    "missing": "has none",
    "length": "of a text, list or set",
    "type": "S, N, BOOL, M, L, …",
}
_OPERATORS = {
    ":": "is",
    "!=": "is there, and is not",
    ">": "above",
    "<": "below",
    "~": "contains",
    "^=": "begins with",
    "$=": "ends with",
    ":~": "is, in any case of letters",
}
_CONNECTIVES = {"AND": "both hold", "OR": "either holds", "NOT": "does not hold"}
_TYPES = {"S": "text", "N": "number", "B": "binary", "BOOL": "true or false", "L": "list"}
_TYPES |= {"M": "map", "NULL": "null", "SS": "texts", "NS": "numbers", "BS": "binaries"}


class Option(NamedTuple):
    """`text` goes into the filter; `label` and `note` are shown."""

    text: str
    label: str
    note: str


class Suggestions(NamedTuple):
    """Each option's text replaces the characters from `start` up to, not including, `end`."""

    start: int
    end: int
    options: Sequence[Option]


def suggest(text: str, caret: int, stream_ids: Collection[int] | None) -> Suggestions:
    """What may stand at the caret of an expression, at most a dozen options, the likeliest first.

    Of an event pattern nothing is suggested.
    """
    if text.lstrip().startswith("{"):
        return Suggestions(caret, caret, ())
    expected = expected_at(text, caret)
    offers = _Offers(stream_ids, expected)
    options = list(dict.fromkeys(offers.options()))[:MOST_OPTIONS]
    already = text[expected.start : expected.end]
    if [option.text for option in options] == [already]:
        options = []
    return Suggestions(expected.start, expected.end, options)


def columns(stream_ids: Collection[int] | None) -> list[str]:
    """The paths of values that a list of these streams' changes can show, `keys.pk` first, then
    `new.status` and `old.status`."""
    seen = seen_paths(stream_ids)
    own = [found.path for found in seen if not found.in_key]
    found = [f"keys.{key.path}" for key in seen if key.in_key]
    found += [f"{image}.{path}" for image in ("new", "old") for path in own]
    return found[:MOST_COLUMNS]


def corrected(text: str, warning: FilterWarning) -> str | None:
    """An expression with the doubted attribute's name replaced by the one that was probably meant;
    None if there is none."""
    if not warning.suggestion:
        return None
    scanner = Scanner(text)
    scanner.place = warning.position
    path = Paths(scanner, None).read("a path")
    image = path.segments[0].text
    if path.begins_with(*IMAGES):
        meant = path_text(f"{image}.{warning.suggestion}")
    else:
        meant = attribute_text(warning.suggestion)
    return text[: warning.position] + meant + text[scanner.place :]


class _Offers:
    def __init__(self, stream_ids: Collection[int] | None, expected: Expected) -> None:
        self._ids, self._expected = stream_ids, expected
        self._typed = expected.typed
        self._seen: list[SeenPath] | None = None

    @property
    def seen(self) -> list[SeenPath]:
        if self._seen is None:
            self._seen = seen_paths(self._ids)
        return self._seen

    def options(self) -> Iterable[Option]:
        match self._expected.kind:
            case "condition":
                return self._conditions()
            case "attribute":
                return self._attributes()
            case "path":
                return self._paths("")
            case "value":
                return self._values()
            case "type":
                return self._of(TYPES, lambda name: _TYPES.get(name, ""))
            case "operator":
                return [Option(sign, sign, note) for sign, note in _OPERATORS.items()]
        return []

    def _conditions(self) -> Iterator[Option]:
        begun = self._typed.casefold()
        for field, note in _FIELDS.items():
            if field.startswith(begun):
                yield Option(field, field, note)
        for name in FUNCTIONS:
            if begun and name.startswith(begun):
                yield Option(f"{name}(", f"{name}(…)", _FUNCTIONS[name])
        for word in CONNECTIVES:
            if begun and word.startswith(begun.upper()) and (self._expected.start or word == "NOT"):
                yield Option(f"{word} ", word, _CONNECTIVES[word])
        yield from self._paths(":")

    def _paths(self, behind: str) -> Iterator[Option]:
        """Attributes in an image: those that begin as typed, then those that contain it, or else
        the one that was probably meant."""
        first, dot, rest = self._typed.partition(".")
        images = (first,) if dot and first in IMAGES else ("new", "keys", "old")
        wanted = rest if dot and first in IMAGES else self._typed
        found = False
        for image in images:
            for seen in self._like(wanted, in_key=image == "keys"):
                if image == "old" and len(images) > 1:
                    continue  # the same names again: new. first, old. when it is asked for
                found = True
                written = path_text(f"{image}.{seen.path}")
                yield Option(written + behind, written, _note(seen))
        if not found and len(wanted) > 1:
            near = nearest(wanted, [seen.path for seen in self.seen])
            if near:
                image = images[0] if len(images) == 1 else self._image_of(near)
                written = path_text(f"{image}.{near}")
                yield Option(written + behind, written, "did you mean this?")

    def _image_of(self, path: str) -> str:
        return "keys" if any(seen.in_key and seen.path == path for seen in self.seen) else "new"

    def _like(self, wanted: str, *, in_key: bool | None = None) -> list[SeenPath]:
        """Seen attributes that contain this, those that begin with it first."""
        begun = wanted.replace('"', "").casefold()
        some = [s for s in self.seen if in_key is None or s.in_key == in_key]
        first = [s for s in some if s.path.casefold().startswith(begun)]
        return first + [s for s in some if begun in s.path.casefold() and s not in first]

    def _attributes(self) -> Iterator[Option]:
        found = self._like(self._typed)
        for seen in found:
            written = attribute_text(seen.path)
            yield Option(f"{written})", written, _note(seen))
        if not found and len(self._typed) > 1:
            near = nearest(self._typed, [seen.path for seen in self.seen])
            if near:
                written = attribute_text(near)
                yield Option(f"{written})", written, "did you mean this?")

    def _values(self) -> Iterable[Option]:
        path = self._expected.path
        if path in ("op", "operation", "eventName"):
            return self._of(OPERATIONS)
        if path in ("stream", "table"):
            return self._of(_names(path, self._ids))
        if path == "actor":
            return self._of(["ttl"], lambda _: "time to live")
        if path == "ttl":
            return self._of(["true", "false"])
        if path == "changed":
            names = [seen.path for seen in self.seen if not seen.in_key and "." not in seen.path]
            return self._of([test_text(Exact(name), asked("changed")) for name in names])
        if path == "key":
            return self._of([e for seen in self.seen if seen.in_key for e in seen.examples])
        return self._of(self._examples(path))

    def _examples(self, path: str) -> list[str]:
        """Values that were seen in an attribute, however its path is written."""
        try:
            scanner = Scanner(path)
            whole = Paths(scanner, None).read("a path")
        except PatternError:
            return []
        in_image = whole.begins_with(*IMAGES) and len(whole.segments) > 1
        name = whole.text(1 if in_image else 0)
        return [e for seen in self.seen if seen.path == name for e in seen.examples]

    def _of(
        self, words: Iterable[str], note: Callable[[str], str] = lambda _: ""
    ) -> Iterator[Option]:
        begun = self._typed.strip('"').casefold()
        for word in words:
            if word.strip('"').casefold().startswith(begun):
                yield Option(word, word, note(word))


def _names(field: str, stream_ids: Collection[int] | None) -> list[str]:
    """The names of streams, or of their tables, as an expression spells them."""
    streams = Stream.objects.only("name", "options")
    if stream_ids is not None:
        streams = streams.filter(pk__in=stream_ids)
    names = [s.name if field == "stream" else s.options.get("table", "") for s in streams[:500]]
    return [test_text(Exact(name), asked(field)) for name in sorted(set(names)) if name]


def _note(seen: SeenPath) -> str:
    """`text: paid, open`."""
    kinds = ", ".join(_TYPES.get(type_, type_) for type_ in sorted(seen.types))
    examples = ", ".join(seen.examples[:2])
    return f"{kinds}: {examples}" if examples else kinds
