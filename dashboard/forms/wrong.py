"""What is wrong with a text that a person wrote into a page's filter."""

from typing import NamedTuple

from streams.rules import PatternError


class Wrong(NamedTuple):
    """A text that is not understood, cut where that shows."""

    field: str
    sentence: str
    before: str = ""
    after: str = ""

    @classmethod
    def of(cls, error: PatternError) -> "Wrong":
        cut = error.position
        return cls("q", error.reason, error.text[:cut], error.text[cut:])
