"""The nearest names, and what is never suggested."""

import pytest

from streams.rules.expressions.suggest import distance, doubt, nearest


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [
        ("", "", 0),
        ("status", "status", 0),
        ("status", "statsu", 1),
        ("tabel", "table", 1),
        ("table", "tables", 1),
        ("table", "cable", 1),
        ("abcd", "badc", 2),
        ("abc", "", 3),
        ("kitten", "sitting", 3),
    ],
)
def test_edits_between_two_names(one: str, other: str, edits: int) -> None:
    assert distance(one, other, 5) == edits
    assert distance(other, one, 5) == edits


def test_far_names_are_given_up_early() -> None:
    assert distance("a" * 50, "b" * 50, 2) > 2


def test_the_nearest_name_is_suggested() -> None:
    names = ["status", "state", "total", "address.city"]
    assert nearest("statsu", names) == "status"
    assert nearest("adress.city", names) == "address.city"
    assert nearest("STATUS", names) == "status"
    assert nearest("price", names) is None
    assert nearest("", names) is None
    assert nearest("tota", names, most=0) is None
    assert nearest("x" * 10_000, ["x" * 9_999]) is None


def test_equally_near_names_are_taken_by_the_alphabet() -> None:
    assert nearest("bat", ["hat", "cat"]) == "cat"


def test_what_was_seen_is_not_doubted() -> None:
    known = {"status", "address.city", "address.zip", "lines"}
    for path in ("status", "address", "address.city", "lines.sku"):
        assert doubt(path, 0, known) is None
    for path in ("stat", "address.street", "address.city.x.y", "other"):
        found = doubt(path, 7, known)
        # What lies below an attribute without known insides may be there.
        assert (found is None) == (path == "address.city.x.y")
        assert found is None or found.position == 7


def test_a_doubt_without_a_near_name_suggests_none() -> None:
    found = doubt("price", 3, {"status"})
    assert found is not None
    assert found.suggestion is None
    assert found.sentence == "No attribute `price` was seen so far."
