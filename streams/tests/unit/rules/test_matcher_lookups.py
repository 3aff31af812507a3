"""The lookups under the matcher find what asking one by one finds, however many there are."""

from hypothesis import given
from hypothesis import strategies as st

from streams.rules.matching.access import fold
from streams.rules.matching.ranges import Ranges
from streams.rules.matching.texts import Beginnings, Endings, Pieces

texts = st.text("ab", max_size=9)
owned = st.lists(texts, min_size=1, max_size=30).map(
    lambda found: {text: (number,) for number, text in enumerate(dict.fromkeys(found))}
)
ends = st.sampled_from((float("-inf"), -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, float("inf")))
ranges = st.tuples(ends, ends).filter(lambda found: found[0] <= found[1])


@given(owned, st.text("ab", max_size=40))
def test_texts_are_found_at_the_beginning_and_at_the_end(
    owned: dict[str, tuple[int, ...]], text: str
) -> None:
    beginning: set[int] = set()
    ending: set[int] = set()
    Beginnings(owned).find(text, beginning)
    Endings(owned).find(text, ending)
    assert beginning == {n for each, (n,) in owned.items() if text.startswith(each)}
    assert ending == {n for each, (n,) in owned.items() if text.endswith(each)}


@given(owned.filter(lambda found: "" not in found), st.text("ab", max_size=40))
def test_pieces_are_found_anywhere(owned: dict[str, tuple[int, ...]], text: str) -> None:
    # Enough others that samples are looked at, and not each piece.
    others: dict[str, tuple[int, ...]]
    others = {f"{n:06}": (1_000 + n,) for n in range(200)}
    for pieces in (Pieces(owned), Pieces(owned | others)):
        found: set[int] = set()
        pieces.find(text, found)
        assert found == {n for each, (n,) in owned.items() if each in text}


@given(st.lists(ranges, max_size=30), ends | st.floats(-2, 4))
def test_ranges_that_hold_a_number_are_found(
    ranges: list[tuple[float, float]], number: float
) -> None:
    found: set[int] = set()
    Ranges((each, owner) for owner, each in enumerate(ranges)).find(number, found)
    assert found == {n for n, (low, high) in enumerate(ranges) if low <= number <= high}


@given(st.text())
def test_folding_is_the_same_for_a_text_and_for_its_characters(text: str) -> None:
    """So what begins or ends a text begins or ends its folded form."""
    assert fold(text) == "".join(map(fold, text))
