"""Reading the feed: any cursor, any streams, any page size give what a plain list would give."""

import random
from collections import Counter

import pytest

from streams.change import OPERATIONS
from streams.models import Stream
from streams.queries import feed
from streams.queries.rows import Cursor, StoredChange, fetch
from streams.stages.publish import number_batches
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)

END = 2_147_483_647


@pytest.fixture
def dice() -> random.Random:
    return random.Random(4711)


@pytest.fixture
def streams(dice: random.Random) -> list[Stream]:
    """Three streams of two shards with batches of 0 to 4 changes, and one that is not numbered."""
    streams = [make_stream() for _ in range(3)]
    shards = [make_shard(stream) for stream in streams for _ in range(2)]
    for number in range(40):
        shard = dice.choice(shards)
        sequences = range(number * 10, number * 10 + dice.choice([0, 1, 1, 2, 4]))
        changes = [
            make_change(shard.stream_id, n, key=str(n % 7), operation=dice.choice(OPERATIONS))
            for n in sequences
        ]
        store_in(shard, *changes, last_sequence=str(number * 10 + 9).zfill(21))
        if dice.random() < 0.4:
            number_batches()
    number_batches()
    store_in(shards[0], make_change(streams[0].pk, 999))
    return streams


def whole_feed() -> list[StoredChange]:
    """The oracle: everything that is numbered, in order."""
    streams = list(Stream.objects.values_list("pk", flat=True))
    return fetch(
        "WHERE c.stream_id = ANY(%s) AND b.feed_position IS NOT NULL "
        "ORDER BY b.feed_position, c.ordinal",
        [streams],
    )


def place(change: StoredChange) -> Cursor:
    assert change.cursor
    return change.cursor


def any_cursor(dice: random.Random) -> Cursor:
    return Cursor(dice.randrange(0, 42), dice.choice([0, 1, 2, 3, END]))


def some_of(streams: list[Stream], dice: random.Random) -> list[int] | None:
    return dice.choice([None, *[[s.pk for s in streams[:n]] for n in (0, 1, 2)], [streams[2].pk]])


def wanted(change: StoredChange, streams: list[int] | None) -> bool:
    return streams is None or change.stream_id in streams


def test_reading_on_by_cursor_gives_everything_once(
    streams: list[Stream], dice: random.Random
) -> None:
    everything = whole_feed()
    for _ in range(60):
        after, limit = any_cursor(dice), dice.choice([1, 2, 3, 10, 100])
        some = some_of(streams, dice)
        expected = [c for c in everything if place(c) > after and wanted(c, some)]
        found: list[StoredChange] = []
        while True:
            page = feed.read(after, streams=some, limit=limit)
            assert len(page.changes) <= limit
            found += page.changes
            if not page.more:
                break
            assert page.cursor > after, "a reader that stands still waits for ever"
            after = page.cursor
        assert found == expected


def test_the_last_cursor_is_the_head(streams: list[Stream]) -> None:
    page = feed.read(feed.START, streams=None, limit=1000)
    assert (page.more, page.cursor) == (False, feed.head())
    assert feed.read(page.cursor, streams=None, limit=10) == feed.Page([], feed.head(), False)


def test_the_cursor_moves_on_where_nothing_matches(streams: list[Stream]) -> None:
    assert feed.read(feed.START, streams=[], limit=10).cursor == feed.head()


def test_the_next_change_is_after_the_last_cursor(streams: list[Stream]) -> None:
    cursor = feed.read(feed.START, streams=None, limit=1000).cursor
    number_batches()
    (late,) = feed.read(cursor, streams=None, limit=10).changes
    assert int(late.sequence) == 999


def test_the_newest_are_the_end_of_the_list(streams: list[Stream], dice: random.Random) -> None:
    everything = whole_feed()
    for limit in (1, 2, 5, 17, 1000):
        some = some_of(streams, dice)
        page = feed.newest(streams=some, limit=limit)
        assert page.changes == [c for c in everything if wanted(c, some)][-limit:]
        assert page.cursor == feed.head()


def test_counting_is_the_same_as_reading(streams: list[Stream], dice: random.Random) -> None:
    everything = whole_feed()
    for _ in range(60):
        after, upto, some = any_cursor(dice), any_cursor(dice), some_of(streams, dice)
        between = [c for c in everything if after < place(c) <= upto and wanted(c, some)]
        counts = feed.count(after, upto, streams=some)
        assert counts == {o: Counter(c.operation for c in between)[o] for o in OPERATIONS}


def test_an_empty_feed_has_a_head() -> None:
    assert feed.read(feed.START, streams=None, limit=10).changes == []
    assert feed.newest(streams=None, limit=10).changes == []
    assert feed.head().position >= 0


@pytest.mark.parametrize("text", ["7.3", "0.0", "99999999999999999999.5"])
def test_any_cursor_that_is_well_formed_can_be_read_from(text: str) -> None:
    cursor = Cursor.parse(text)
    assert str(cursor) == text
    assert feed.read(cursor, streams=None, limit=10).changes == []


@pytest.mark.parametrize("text", ["", "7", "7.", ".3", "a.b", "-1.0", "1.2.3", "1" * 50 + ".0"])
def test_another_text_is_no_cursor(text: str) -> None:
    with pytest.raises(ValueError, match="cursor looks like"):
        Cursor.parse(text)
