"""What an expression expects where somebody is typing: which kind of word, and how much of it is
there already. It reads on over what the compiler refuses, because a text is wrong until it is done.
"""

import re
from typing import NamedTuple

from streams.rules.errors import PatternError
from streams.rules.expressions.fields import IMAGES
from streams.rules.expressions.operands import COMPARISONS, TEXT_TESTS
from streams.rules.expressions.tokens import CONNECTIVES, Scanner

# Functions that take the path of an attribute without an image, and those that take any path.
COMPARING = ("changed", "appeared", "disappeared")
FUNCTIONS = (*COMPARING, "exists", "missing", "length", "type")
_arrow = re.compile(r"\s*->\s*").match
_path = re.compile(r'\.?(?:[\w#@/](?:[\w#@/.]|-(?!>))*|"(?:[^"\\]|\\.)*"\.?)+').match
_rest_of_word = re.compile(r"(?:[^\s,()\"<>:-]|-(?!>))*").match
_open_string = re.compile(r'"(?:[^"\\]|\\.)*\Z', re.DOTALL).match


class Expected(NamedTuple):
    """What may stand at the caret.

    `kind` is "condition", "attribute" (a path without image), "path" (any path), "value", "type",
    "operator" (behind the path `path`), or "nothing". `start` and `end` are the characters, from 0,
    that an option replaces, and `typed` those of them before the caret. `path` is the field that a
    value is for, as it is written; `image` that from which a value of it comes: "old", "new" or "".
    """

    kind: str
    start: int
    end: int
    typed: str
    path: str = ""
    image: str = ""


def expected_at(text: str, caret: int) -> Expected:
    """What may stand at a caret (characters before it) of a text expression."""
    caret = max(0, min(caret, len(text)))
    try:
        return _Reader(text, caret).read()
    except PatternError:
        return Expected("nothing", caret, caret, "")


class _Reader:
    """Goes over the text up to the caret, condition by condition."""

    def __init__(self, text: str, caret: int) -> None:
        self._text, self._caret = text, caret
        self._scanner = Scanner(text[:caret])

    def read(self) -> Expected:
        scanner = self._scanner
        while True:
            self._between()
            place, found = scanner.place, _path(scanner.text, scanner.place)
            if found is None:
                at_end = scanner.at_end()
                return self._word("condition", place) if at_end else self._nothing()
            if found.end() == self._caret:
                return self._word("condition", place)
            scanner.place = found.end()
            answer = self._behind(found.group(), place)
            if answer:
                return answer

    def _between(self) -> None:
        """Passes what may stand between two conditions; a word that the caret is at the end of may
        still become another one."""
        scanner = self._scanner
        while True:
            scanner.skip()
            place = scanner.place
            if scanner.take_word(*CONNECTIVES):
                if scanner.place == self._caret:
                    scanner.place = place
                    return
            elif not (scanner.take("(") or scanner.take(")") or scanner.take("-")):
                return

    def _behind(self, path: str, start: int) -> Expected | None:
        """What follows a path: the arguments of a function, or an operator and values."""
        scanner = self._scanner
        if path in FUNCTIONS and scanner.take("("):
            return self._function(path)
        scanner.skip()
        sign = scanner.operator()
        if sign is None:
            return self._word("operator", self._caret, path=path) if scanner.at_end() else None
        return self._values(path, sign)

    def _function(self, name: str) -> Expected | None:
        scanner = self._scanner
        scanner.skip()
        place, found = scanner.place, _path(scanner.text, scanner.place)
        end = found.end() if found else place
        if end == self._caret:
            return self._word("attribute" if name in COMPARING else "path", place)
        scanner.place = end
        scanner.skip()
        if not scanner.take(")"):
            return self._nothing()
        if name == "type":
            scanner.skip()
            return self._values(name, ":") if scanner.take(":") else None
        if name == "length":
            scanner.skip()
            if scanner.operator():
                scanner.skip()
                scanner.word()
        return None

    def _values(self, path: str, sign: str) -> Expected | None:
        """The values behind an operator, up to the caret or to what follows them."""
        scanner, side = self._scanner, "old"
        while side:
            scanner.skip()
            any(scanner.take(comparison) for comparison in COMPARISONS)
            place = scanner.place
            if _open_string(scanner.text, place) or scanner.at_end():
                return self._value(path, place, side)
            word = scanner.word()
            if word is None:
                return self._nothing()
            if scanner.place == self._caret:
                return self._value(path, place, side)
            if not word.quoted and word.text in _CALLS and scanner.take("("):
                if answer := self._values(path, ":"):
                    return answer
                scanner.take(")")
            side = self._next_side(side, sign)
        return None

    def _next_side(self, side: str, sign: str) -> str:
        """Which image the next value is one of, "" if none follows."""
        arrow = _arrow(self._scanner.text, self._scanner.place)
        if arrow and sign == ":":
            self._scanner.place = arrow.end()
            return "new"
        return side if self._comma() else ""

    def _comma(self) -> bool:
        place = self._scanner.place
        self._scanner.skip()
        if self._scanner.take(","):
            return True
        self._scanner.place = place
        return False

    def _value(self, path: str, start: int, side: str) -> Expected:
        first, dot, _ = path.partition(".")
        if path == "type":
            return self._word("type", start)
        image = first if first in IMAGES and dot else ""
        if not image and side == "new":
            image = "new"
        return self._word("value", start, path=path, image=image)

    def _nothing(self) -> Expected:
        return Expected("nothing", self._caret, self._caret, "")

    def _word(self, kind: str, start: int, *, path: str = "", image: str = "") -> Expected:
        """The word from `start` on, to its end behind the caret."""
        rest = _rest_of_word(self._text, self._caret)
        end = rest.end() if rest and kind != "operator" else self._caret
        if kind == "value" and self._text.startswith('"', start):
            closing = self._text.find('"', self._caret)
            end = closing + 1 if closing >= 0 and self._caret > start else self._caret
        return Expected(kind, start, end, self._text[start : self._caret], path, image)


_CALLS = {*TEXT_TESTS, "number", "not"}
