"""What holds for the difference of any two images."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streams.diff import ADDED, MEMBERS, REMOVED, RESPELLED, Difference, diff, same

numbers = st.one_of(
    st.integers(-(10**38), 10**38).map(str), st.decimals(-999, 999, places=3).map(str)
)
names = st.text(st.characters(exclude_categories=[]), max_size=5)
leaves = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=5)),
    st.builds(lambda text: {"N": text}, numbers),
    st.builds(lambda value: {"BOOL": value}, st.booleans()),
    st.just({"NULL": True}),
    st.builds(lambda texts: {"SS": sorted(texts)}, st.sets(st.text(max_size=2), min_size=1)),
    st.builds(lambda texts: {"NS": sorted(texts)}, st.sets(numbers, min_size=1, max_size=4)),
)


def maps(values: Any) -> Any:
    return st.builds(lambda fields: {"M": fields}, st.dictionaries(names, values, max_size=3))


def lists(values: Any) -> Any:
    return st.builds(lambda members: {"L": members}, st.lists(values, max_size=4))


values = st.recursive(leaves, lambda inner: maps(inner) | lists(inner), max_leaves=8)
# Lists may be aligned in more than one way, so their differences have no exact inverse.
plain_values = st.recursive(leaves, maps, max_leaves=8)
images = st.dictionaries(names, values, max_size=4)
plain_images = st.dictionaries(names, plain_values, max_size=4)

INVERSE = {ADDED: REMOVED, REMOVED: ADDED}


def inverse(difference: Difference) -> Difference:
    path, kind, old, new = difference
    return Difference(path, INVERSE.get(kind, kind), new, old)


def key(difference: Difference) -> str:
    return repr(difference)


@given(images)
def test_an_image_does_not_differ_from_itself(image: dict[str, Any]) -> None:
    assert diff(image, image) == []


@given(images, images)
def test_images_with_no_difference_are_equal_but_for_the_order_of_sets(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    if not diff(old, new):
        assert same({"M": old}, {"M": new})


@given(images, images)
def test_images_that_differ_in_more_than_spelling_are_not_equal(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    kinds = {difference.kind for difference in diff(old, new)}
    if kinds - {RESPELLED} and not any("[" in d.path for d in diff(old, new)):
        assert not same({"M": old}, {"M": new})


@given(plain_images, plain_images)
def test_the_way_back_is_the_inverse(old: dict[str, Any], new: dict[str, Any]) -> None:
    there = [inverse(difference) for difference in diff(old, new)]
    assert sorted(there, key=key) == sorted(diff(new, old), key=key)


@given(images, images)
def test_every_difference_has_what_its_kind_says(old: dict[str, Any], new: dict[str, Any]) -> None:
    for difference in diff(old, new):
        assert (difference.old is None) == (difference.kind == ADDED) or (
            difference.kind == MEMBERS
        )
        assert (difference.new is None) == (difference.kind == REMOVED) or (
            difference.kind == MEMBERS
        )
