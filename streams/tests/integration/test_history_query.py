"""An item's history: every version once, paged both ways, with the images the stream left out."""

from typing import Any

import msgspec
import pytest

from streams.change import INSERT, MODIFY, REMOVE, moment
from streams.item_key import canonical, item_id
from streams.models import Gap, Shard, Stream
from streams.queries.change import FOLLOWING, NONE, PREVIOUS, STREAM, find, images
from streams.queries.history import PAGE_BYTES, Version, all_versions, versions
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)

BEGIN = 1_800_000_000_000_000
MINUTE = 60_000_000


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream())


def image(number: int) -> dict[str, Any]:
    return {"n": {"N": str(number)}}


def life(shard: Shard, view: str, *operations: str) -> None:
    """Changes of one item, a minute apart, with the images that the view type sends; the item's
    image after change n is `image(n)`."""
    changes = []
    for n, operation in enumerate(operations, 1):
        old = image(n - 1) if "OLD" in view and operation != INSERT else None
        new = image(n) if "NEW" in view and operation != REMOVE else None
        at = BEGIN + n * MINUTE
        changes.append(
            make_change(shard.stream_id, n, operation=operation, old=old, new=new, occurred=at)
        )
    store_in(shard, *changes)


def item(stream: Stream, key: str = "a") -> Any:
    return item_id(stream.pk, canonical({"pk": {"S": key}}))


def history(shard: Shard, **place: Any) -> list[Version]:
    return versions(shard.stream, item(shard.stream), **place).versions


def gap(shard: Shard, begin: int | None, end: int) -> Gap:
    """A gap between two minutes of the item's life."""
    at = {"to_at": moment(BEGIN + end * MINUTE)}
    if begin is not None:
        at["from_at"] = moment(BEGIN + begin * MINUTE)
    return Gap.objects.create(stream=shard.stream, reason=Gap.Reason.TRIMMED, **at)


def sequences(found: list[Version]) -> list[int]:
    return [int(version.change.sequence) for version in found]


# Paging


def many(shard: Shard) -> list[int]:
    """Eleven versions in two generations, with another item's between them."""
    life(shard, "NEW", INSERT, *[MODIFY] * 6)
    store_in(shard, make_change(shard.stream_id, 100, key="b"))
    younger = make_shard(shard.stream, generation=2)
    store_in(younger, *[make_change(shard.stream_id, n) for n in (3, 4, 5, 6)])
    return [6, 5, 4, 3, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize("limit", [1, 2, 3, 11, 50])
def test_paging_to_older_gives_the_whole_list(shard: Shard, limit: int) -> None:
    expected, found, place = many(shard), [], None
    while True:
        page = versions(shard.stream, item(shard.stream), before=place, limit=limit)
        found += page.versions
        assert (page.newer is None) == (place is None)
        place = page.older
        if place is None:
            break
    assert sequences(found) == expected


@pytest.mark.parametrize("limit", [1, 2, 3, 11, 50])
def test_paging_to_newer_gives_the_whole_list(shard: Shard, limit: int) -> None:
    expected, place = many(shard), f"1.{'1'.zfill(21)}"
    found, more = history(shard)[-1:], True
    while more:
        page = versions(shard.stream, item(shard.stream), after=place, limit=limit)
        assert page.older is not None
        found = page.versions + found
        place, more = page.newer or place, page.newer is not None
    assert sequences(found) == expected


@pytest.mark.parametrize("limit", [1, 3])
def test_a_page_shows_the_same_from_both_sides(shard: Shard, limit: int) -> None:
    many(shard)
    first = versions(shard.stream, item(shard.stream), limit=limit)
    second = versions(shard.stream, item(shard.stream), before=first.older, limit=limit)
    again = versions(shard.stream, item(shard.stream), after=second.newer, limit=limit)
    assert again == first


def test_a_page_of_large_versions_has_fewer_of_them(shard: Shard) -> None:
    changes = [make_change(shard.stream_id, n) for n in range(1, 8)]
    store_in(shard, *[msgspec.structs.replace(c, size=PAGE_BYTES // 2) for c in changes])
    found, place = [], None
    while True:
        page = versions(shard.stream, item(shard.stream), before=place)
        assert 1 <= len(page.versions) <= 2
        found += page.versions
        place = page.older
        if place is None:
            break
    assert sequences(found) == [7, 6, 5, 4, 3, 2, 1]
    assert list(all_versions(shard.stream, item(shard.stream))) == found


def test_an_item_without_changes_has_an_empty_history(shard: Shard) -> None:
    page = versions(shard.stream, item(shard.stream, "nobody"))
    assert (page.versions, page.older, page.newer) == ([], None, None)


def test_nothing_is_newer_than_the_newest(shard: Shard) -> None:
    life(shard, "NEW", INSERT)
    assert history(shard, after=f"1.{'1'.zfill(21)}") == []


@pytest.mark.parametrize("place", ["", "1", "1.", ".1", "a.1", "1.a", "99999.1", "1." + "1" * 200])
def test_another_text_is_no_place(shard: Shard, place: str) -> None:
    with pytest.raises(ValueError, match="no place"):
        history(shard, before=place)


# Images


def shown(version: Version) -> tuple[bytes | None, bytes | None, str, str]:
    old, new, old_from, new_from, _ = version.images
    return old, new, old_from, new_from


def spelled(number: int) -> bytes:
    return b'{"n": {"N": "%d"}}' % number


def test_with_both_images_nothing_is_supplied(shard: Shard) -> None:
    life(shard, "NEW_AND_OLD", INSERT, MODIFY, REMOVE)
    removed, modified, inserted = history(shard)
    assert shown(inserted) == (None, spelled(1), STREAM, STREAM)
    assert shown(modified) == (spelled(1), spelled(2), STREAM, STREAM)
    assert shown(removed) == (spelled(2), None, STREAM, STREAM)
    assert {version.images.sentence for version in (removed, modified, inserted)} == {""}


def test_with_new_images_the_previous_version_supplies_the_old_one(shard: Shard) -> None:
    life(shard, "NEW", INSERT, MODIFY, REMOVE)
    removed, modified, inserted = history(shard)
    assert shown(inserted) == (None, spelled(1), STREAM, STREAM)
    assert shown(modified) == (spelled(1), spelled(2), PREVIOUS, STREAM)
    assert shown(removed) == (spelled(2), None, PREVIOUS, STREAM)
    assert "previous stored version" in modified.images.sentence


def test_with_old_images_the_following_version_supplies_the_new_one(shard: Shard) -> None:
    life(shard, "OLD", INSERT, MODIFY, REMOVE)
    removed, modified, inserted = history(shard)
    assert shown(inserted) == (None, spelled(1), STREAM, FOLLOWING)
    assert shown(modified) == (spelled(1), spelled(2), STREAM, FOLLOWING)
    assert shown(removed) == (spelled(2), None, STREAM, STREAM)
    assert "next stored version" in inserted.images.sentence


def test_with_keys_only_it_says_that_there_are_no_values(shard: Shard) -> None:
    Stream.objects.update(view_type="KEYS_ONLY")
    life(shard, "KEYS_ONLY", INSERT, MODIFY, REMOVE)
    for version in history(shard):
        assert (version.images.old, version.images.new) == (None, None)
    assert "keys only" in history(shard)[1].images.sentence


def test_across_a_page_the_neighbour_still_supplies(shard: Shard) -> None:
    life(shard, "NEW", INSERT, MODIFY, MODIFY)
    assert shown(history(shard, limit=1)[0])[:1] == (spelled(2),)


@pytest.mark.parametrize("operation", [MODIFY, REMOVE])
def test_an_unknown_old_image_is_said_to_be_unknown(shard: Shard, operation: str) -> None:
    life(shard, "NEW", operation)
    (version,) = history(shard)
    assert (version.images.old, version.images.old_from) == (None, NONE)
    assert "no earlier version" in version.images.sentence


def test_an_unknown_new_image_is_said_to_be_unknown(shard: Shard) -> None:
    life(shard, "OLD", INSERT)
    (version,) = history(shard)
    assert (version.images.new, version.images.new_from) == (None, NONE)
    assert "no later version" in version.images.sentence


@pytest.mark.parametrize("operation", [MODIFY, REMOVE])
def test_nothing_is_supplied_across_a_gap(shard: Shard, operation: str) -> None:
    life(shard, "NEW", INSERT, operation)
    gap(shard, 1, 2)
    version = history(shard)[0]
    assert (version.images.old, version.images.old_from) == (None, NONE)
    assert "gap" in version.images.sentence


@pytest.mark.parametrize(("begin", "end", "hides"), [(1, 1, True), (None, 3, True), (5, 9, False)])
def test_a_gap_is_shown_between_the_versions_it_may_hide(
    shard: Shard, begin: int | None, end: int, hides: bool
) -> None:
    life(shard, "NEW", INSERT, MODIFY)
    found = gap(shard, begin, end)
    newest, oldest = history(shard)
    assert newest.gaps == ([found] if hides else [])
    assert oldest.gaps == []


def test_a_page_tells_the_gaps_of_its_stretch_of_time(shard: Shard) -> None:
    life(shard, "NEW", INSERT, *[MODIFY] * 5)
    early, late = gap(shard, 1, 2), gap(shard, 5, 6)
    page = versions(shard.stream, item(shard.stream), limit=2)
    assert page.gaps == [late]
    page = versions(shard.stream, item(shard.stream), before=page.older, limit=10)
    assert page.gaps == [early]


# One change


def test_one_change_is_found_by_its_id_with_the_same_images(shard: Shard) -> None:
    life(shard, "NEW", INSERT, MODIFY, REMOVE)
    for version in history(shard):
        change = find(version.change.id)
        assert change == version.change
        assert images(change) == version.images


@pytest.mark.parametrize("text", ["", "7", "7-", "a-b", "1-99999999999", "9" * 25 + "-1", "1-0-0"])
def test_another_id_finds_nothing(text: str) -> None:
    assert find(text) is None
