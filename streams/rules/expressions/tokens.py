r"""Reading an expression's text piece by piece. What a piece means is decided by who asks for it:
`a.b` is a path before an operator and text behind it, so there is no separate list of tokens.
"""

import json
import re
from collections.abc import Callable
from typing import NamedTuple, NoReturn

from streams.rules.errors import PatternError
from streams.rules.expressions.limits import LONGEST_EXPRESSION

# Words between conditions, never a name or a value without quotes.
CONNECTIVES = ("AND", "OR", "NOT")

_space = re.compile(r"\s*").match
_name = re.compile(r"[\w#@/](?:[\w#@/]|-(?!>))*").match
# A "-" right before a ">" begins an arrow.
_word = re.compile(r"(?:[^\s,()\"<>-]|-(?!>))+").match
_quoted = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL).match
_number = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# Longest first, so that `>=` is not read as `>`.
_operator = re.compile(r"!=|\^=|\$=|:~|>=|<=|:|~|>|<").match
# What stands at a place, to be named in an error.
_anything = re.compile(r"[\w#@/.:*-]{1,24}|->|[<>=!^$~]{1,2}|.", re.DOTALL).match


class Piece(NamedTuple):
    """A part of the text: what it says, where it begins, and whether it stood in quotes."""

    text: str
    position: int
    quoted: bool = False


class Scanner:
    """A place in the text that only moves forward."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        if len(text) > LONGEST_EXPRESSION:
            most = LONGEST_EXPRESSION
            self.fail(f"An expression has at most {most:,} characters", most)

    def fail(self, reason: str, position: int | None = None) -> NoReturn:
        raise PatternError(reason, self.place if position is None else position, self.text)

    def expected(self, what: str) -> NoReturn:
        self.fail(f"Expected {what}, found {self.found()}")

    def found(self) -> str:
        here = _anything(self.text, self.place)
        return f"`{here.group()}`" if here else "the end of the text"

    def skip(self) -> None:
        space = _space(self.text, self.place)
        self.place = space.end() if space else self.place

    def at_end(self) -> bool:
        return self.place >= len(self.text)

    def at(self, sign: str) -> bool:
        return self.text.startswith(sign, self.place)

    def take(self, sign: str) -> bool:
        """Passes the sign if it stands right here."""
        found = self.at(sign)
        self.place += len(sign) if found else 0
        return found

    def take_word(self, *words: str) -> bool:
        """Passes one of these whole words."""
        here = _name(self.text, self.place)
        if not here or here.group() not in words or self.text.startswith(".", here.end()):
            return False
        self.place = here.end()
        return True

    def operator(self) -> str | None:
        here = _operator(self.text, self.place)
        self.place = here.end() if here else self.place
        return here.group() if here else None

    def name(self) -> Piece | None:
        """A segment of a path, or a function's name."""
        return self._plain(_name) if not self.at('"') else self._string()

    def word(self) -> Piece | None:
        """A value: a bare word or a quoted text."""
        return self._plain(_word) if not self.at('"') else self._string()

    def _plain(self, match: Callable[[str, int], re.Match[str] | None]) -> Piece | None:
        here = match(self.text, self.place)
        if not here:
            return None
        self.place = here.end()
        return Piece(here.group(), here.start())

    def _string(self) -> Piece:
        start, here = self.place, _quoted(self.text, self.place)
        if not here:
            self.fail('This quoted text has no closing `"`')
        try:
            value = json.loads(here.group(), strict=False)
        except json.JSONDecodeError as error:
            self.fail(
                r"In quotes `\` begins an escape, as in JSON: write `\\` for itself,"
                r" `\"` for a quote",
                start + error.pos,
            )
        self.place = here.end()
        return Piece(str(value), start, quoted=True)


def is_number(text: str) -> bool:
    """True for a number as JSON spells it."""
    return _number.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """True if the text can stand in a path without quotes, whatever follows it."""
    found = _name(text)
    return found is not None and found.end() == len(text) and not text.endswith("-")
