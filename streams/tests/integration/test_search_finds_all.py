"""Whatever is stored and whatever is asked: search finds what the filter accepts, page by page,
both ways, in slices of any size and however often the time runs out.

SEARCH_SEEDS=100 tries more stores and filters than the few of every run.
"""

import os
import random
from itertools import pairwise
from typing import Any

import pytest

from streams.queries import search_rows, search_walk
from streams.queries.rows import StoredChange
from streams.queries.search import count, search
from streams.rules.filter import Filter
from streams.tests.integration.search_filters import random_filter
from streams.tests.integration.searching import (
    everything,
    pages,
    place_of,
    stored_shop,
    whole_event,
)

SEEDS = range(int(os.environ.get("SEARCH_SEEDS", "3")))
FILTERS = 10

pytestmark = pytest.mark.django_db(transaction=True)


def ids(found: list[StoredChange]) -> list[str]:
    return [change.id for change in found]


@pytest.mark.parametrize("seed", SEEDS)
def test_it_finds_what_the_filter_accepts(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = stored_shop(seed, 70).dice
    events = [(change.id, whole_event(change)) for change in everything()]
    matching = 0
    for _ in range(FILTERS):
        filter_ = random_filter(dice, [event for _, event in events])
        expected = [id_ for id_, event in events if filter_.matches(event)]
        explained = [id_ for id_, event in events if filter_.explain(event).matched]
        assert explained == expected, filter_.text
        assert ids(search(filter_, limit=1_000).changes) == expected, filter_.text
        assert count(filter_).number == len(expected)
        matching += bool(expected)
        with monkeypatch.context() as patch:
            patch.setattr(search_rows, "_FEW", dice.choice([0, 3, 5_000]))
            patch.setattr(search_rows.Pace, "_FEWEST_ROWS", dice.choice([1, 2, 7]))
            patch.setattr(search_rows.Pace, "_SHORTEST", dice.choice([1, 3_600_000_000]))
            patch.setattr(search_walk, "_FIRST", dice.choice([1, 5]))
            check_pages(filter_, expected, dice)
    assert matching > FILTERS / 5


def check_pages(filter_: Filter, expected: list[str], dice: random.Random) -> None:
    """Page by page it is the same, both ways; without any time every page is a step."""
    limit = dice.choice([1, 3, 20]) + len(expected) // 10
    asked: dict[str, Any] = {"limit": limit, "budget_seconds": dice.choice([0, 60])}
    there = [change for page in pages(filter_, **asked) for change in page.changes]
    assert ids(there) == expected, (filter_.text, asked)
    back = [c for page in pages(filter_, oldest_first=True, **asked) for c in page.changes]
    assert ids(back) == expected[::-1], (filter_.text, asked)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_page_is_the_same_from_both_sides_and_within_times(seed: int) -> None:
    dice = stored_shop(1_000 + seed, 70).dice
    stored = everything()
    events = [(change, whole_event(change)) for change in stored]
    for _ in range(FILTERS):
        filter_ = random_filter(dice, [event for _, event in events])
        since, until = sorted(dice.choice(stored).occurred_at for _ in range(2))
        expected = [
            c.id for c, event in events if since <= c.occurred_at < until and filter_.matches(event)
        ]
        asked: dict[str, Any] = {"since": since, "until": until, "limit": dice.randint(1, 9)}
        newest = list(pages(filter_, **asked))
        assert [c.id for page in newest for c in page.changes] == expected
        for page, older in pairwise(newest):
            again = search(filter_, after=older.newer, **asked)
            assert [c.id for c in again.changes] == [c.id for c in page.changes]
            if again.older:
                back = search(filter_, before=again.older, **asked)
                assert [c.id for c in back.changes] == [c.id for c in older.changes]


def test_any_place_is_a_cursor() -> None:
    dice = stored_shop(7, 30).dice
    stored = everything()
    filter_ = random_filter(random.Random(1))
    while not 10 < len(expected := search(filter_, limit=1_000).changes) < 150:
        filter_ = random_filter(dice)
    for change in stored:
        place = place_of(change)
        # By their ids: they may get their places in the feed meanwhile.
        before = search(filter_, before=place, limit=1_000).changes
        assert [c.id for c in before] == [c.id for c in expected if place_of(c) < place]
        after = search(filter_, after=place, limit=1_000).changes
        assert [c.id for c in after] == [c.id for c in expected if place_of(c) > place]
