"""What differs inside a text, word by word. Plain Python."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streams.diff_align import align

# Of longer texts only so many characters are compared, and not more edits than this are looked
# for: texts with more have hardly a word in common.
MOST_CHARACTERS = 10_000
_MOST_EDITS = 400
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


class Words(NamedTuple):
    """Both texts in pieces, (text, True if the other text lacks it). `rest_old` and `rest_new` are
    the numbers of characters at the end that were not compared."""

    old: list[tuple[str, bool]]
    new: list[tuple[str, bool]]
    rest_old: int
    rest_new: int


def words(old: str, new: str, most: int = MOST_CHARACTERS) -> Words | None:
    """The texts' pieces; None if they have too little in common to be worth marking."""
    before, after = _WORDS.findall(old[:most]), _WORDS.findall(new[:most])
    pairs = align(before, after, _MOST_EDITS)
    if pairs is None:
        return None
    kept = [(first, second) for first, second in pairs if before[first].strip()]
    if not kept:
        return None
    kept = _with_spaces(before, pairs)
    return Words(
        _pieces(before, {first for first, _ in kept}),
        _pieces(after, {second for _, second in kept}),
        max(0, len(old) - most),
        max(0, len(new) - most),
    )


def _with_spaces(before: Sequence[str], pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pairs without white space that stands alone between two edits: marked words with
    unmarked gaps between them are hard to read."""
    known = set(pairs)
    return [
        (first, second)
        for first, second in pairs
        if before[first].strip()
        or (first - 1, second - 1) in known
        or (first + 1, second + 1) in known
    ]


def _pieces(tokens: Sequence[str], kept: set[int]) -> list[tuple[str, bool]]:
    return list(_joined((token, place not in kept) for place, token in enumerate(tokens)))


def _joined(marked: Iterator[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    run: list[str] = []
    state = False
    for token, differs in marked:
        if run and differs != state:
            yield "".join(run), state
            run = []
        run.append(token)
        state = differs
    if run:
        yield "".join(run), state
