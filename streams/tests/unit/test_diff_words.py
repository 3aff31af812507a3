"""What differs inside a text; and which elements of two sequences belong together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.diff_align import align
from streams.diff_words import MOST_CHARACTERS, words

short = st.lists(st.sampled_from("abc"), max_size=12)


def marked(old: str, new: str) -> tuple[str, str] | None:
    """Both texts with brackets around what the other lacks."""
    found = words(old, new)
    if found is None:
        return None
    return tuple(  # type: ignore[return-value]
        "".join(f"[{text}]" if differs else text for text, differs in side)
        for side in (found.old, found.new)
    )


@pytest.mark.parametrize(
    ("old", "new", "marks"),
    [
        ("paid by card", "paid by cash", ("paid by [card]", "paid by [cash]")),
        ("one two", "one new two", ("one two", "one [new ]two")),
        ("a, b", "a; b", ("a[,] b", "a[;] b")),
        ("left the house", "left a barn", ("left [the house]", "left [a barn]")),
        ("přijel vlak", "přijel bus", ("přijel [vlak]", "přijel [bus]")),
        ("all new", "other words", None),
        ("", "x", None),
    ],
)
def test_it_marks_the_words_that_differ(old: str, new: str, marks: Any) -> None:
    assert marked(old, new) == marks


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_pieces_are_the_texts(old: str, new: str) -> None:
    found = words(old, new)
    if found:
        assert "".join(text for text, _ in found.old) == old
        assert "".join(text for text, _ in found.new) == new
        kept = [[text for text, differs in side if not differs] for side in (found.old, found.new)]
        assert "".join(kept[0]) == "".join(kept[1])


def test_it_compares_the_first_ten_thousand_characters() -> None:
    old = "word " * 4_000
    found = words(old, old.replace("word", "other", 1))
    assert found is not None
    assert (found.rest_old, found.rest_new) == (20_000 - MOST_CHARACTERS, 20_001 - MOST_CHARACTERS)
    assert found.old[0] == ("word", True)


def test_texts_with_hardly_a_word_in_common_are_not_marked() -> None:
    assert words(" ".join(map(str, range(2_000))), " ".join(map(str, range(9_000, 11_000)))) is None


def longest(old: list[str], new: list[str]) -> int:
    """The length of a longest common subsequence, by the book."""
    row = [0] * (len(new) + 1)
    for first in old:
        before = row
        row = [0]
        for place, second in enumerate(new):
            row.append(before[place] + 1 if first == second else max(row[-1], before[place + 1]))
    return row[-1]


@given(short, short)
def test_it_finds_a_longest_common_subsequence(old: list[str], new: list[str]) -> None:
    pairs = align(old, new, 100)
    assert pairs is not None and len(pairs) == longest(old, new)
    assert all(old[first] == new[second] for first, second in pairs)
    assert pairs == sorted(pairs)
    assert all(len(set(side)) == len(pairs) for side in zip(*pairs, strict=True))


@given(short, short)
def test_both_ways_give_the_same_pairs(old: list[str], new: list[str]) -> None:
    there, back = align(old, new, 100), align(new, old, 100)
    assert there is not None and back is not None
    assert there == [(first, second) for second, first in back]


def test_it_gives_up_beyond_so_many_edits() -> None:
    assert align(list("abc"), list("xyz"), 5) is None
    assert align(list("abc"), list("xyz"), 6) == []
