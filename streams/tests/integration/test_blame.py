"""Blame and the field lens: as comparing all writes one by one says."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.change import REMOVE, moment
from streams.field_path import inside, parse_path, spell_path, value_at
from streams.models import Gap
from streams.queries.blame import Blame, blame
from streams.queries.lens import lens
from streams.tests.integration.lives import BEGIN, KEY, VIEWS, Life, Write, forget, live, writes

pytestmark = pytest.mark.django_db(transaction=True)

EACH = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
A, B = {**KEY, "s": {"S": "new"}, "n": {"N": "1"}}, {**KEY, "s": {"S": "paid"}, "n": {"N": "1"}}


def brute_force(life: Life, path: tuple[Any, ...]) -> dict[str, tuple[Any, Any, int]]:
    """(value, time of its giver, how often it changed) of everything at the path."""
    last = life.writes[-1]
    image = last.before if last.operation == REMOVE else last.after
    found = {}
    for name, value in inside(value_at(image, path)).items():
        if not path and name in KEY:
            continue
        there = (*path, name)
        changed = [w for w in life.writes if value_at(w.before, there) != value_at(w.after, there)]
        giver = [write for write in changed if write.operation != REMOVE][-1]
        found[spell_path(there)] = (value, giver.at, len(changed))
    return found


def as_compared(found: Blame) -> dict[str, tuple[Any, Any, int]]:
    return {
        one.path: (one.value, one.giver and one.giver.occurred_at, one.times)
        for one in found.attributes
    }


@EACH
@given(view=st.sampled_from(VIEWS[:2]), steps=writes)
def test_blame_is_what_comparing_all_versions_says(view: str, steps: Any) -> None:
    life = live(view, steps)
    for path in ((), ("in",)):
        found = blame(life.stream, life.item, path)
        assert found.whole
        if life.writes:
            assert as_compared(found) == brute_force(life, path)


def test_with_both_images_no_image_is_compared() -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, A), (1, B)])
    assert not blame(life.stream, life.item).compared
    life = live("NEW_IMAGE", [(0, A), (1, B)])
    assert blame(life.stream, life.item).compared


def test_without_values_nobody_is_blamed() -> None:
    life = live("KEYS_ONLY", [(0, A), (1, B)])
    found = blame(life.stream, life.item)
    assert (found.known, found.attributes) == (False, [])


def test_an_item_that_nobody_knows() -> None:
    life = live("NEW_AND_OLD_IMAGES", [])
    found = blame(life.stream, life.item)
    assert (found.newest, found.attributes) == (None, [])


def test_what_is_older_than_the_recording_has_no_giver() -> None:
    life = live("OLD_IMAGE", [(0, A), (1, B), (1, None)])
    forget(1)
    found = blame(life.stream, life.item)
    givers = {one.path: one.giver for one in found.attributes}
    assert givers["n"] is None and givers["s"] is not None and found.deleted


def test_a_gap_since_may_hide_another_giver() -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, A), (9, B)])
    at = moment(BEGIN + 5_000_000)
    Gap.objects.create(stream=life.stream, reason=Gap.Reason.TRIMMED, from_at=at, to_at=at)
    doubts = {one.path: len(one.gaps) for one in blame(life.stream, life.item).attributes}
    assert doubts == {"n": 1, "s": 0}


# The lens


def values(life: Life, path: str) -> list[tuple[Any, Any, Any]]:
    """(value, begin, end) of each period, newest first."""
    found, place = [], None
    while True:
        page = lens(life.stream, life.item, parse_path(path), place)
        for period in page.periods:
            end = period.ended_by.occurred_at if period.ended_by else None
            found.append((period.value, period.begin, end))
        place = page.older
        if place is None:
            return found


def replayed(all_writes: list[Write], path: str) -> list[tuple[Any, Any, Any]]:
    steps = parse_path(path)
    found: list[tuple[Any, Any, Any]] = []
    end = None
    for write in reversed(all_writes):
        value = value_at(write.after, steps)
        if value_at(write.before, steps) != value:
            found.append((value, write.at, end))
            end = write.at
    return found


@EACH
@given(view=st.sampled_from(VIEWS[:2]), steps=writes, path=st.sampled_from(["a", "in", "in.x"]))
def test_the_lens_shows_the_periods_of_a_replay(view: str, steps: Any, path: str) -> None:
    life = live(view, steps)
    assert values(life, path) == replayed(life.writes, path)


def test_the_lens_is_paged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.queries.lens.PAGE", 2)
    monkeypatch.setattr("streams.queries.field_steps.LOOK_AT", 3)
    life = live("NEW_AND_OLD_IMAGES", [(1, A), (1, B)] * 5)
    assert [value for value, *_ in values(life, "s")] == [
        {"S": text} for text in ["paid", "new"] * 5
    ]


def test_the_lens_doubts_what_does_not_fit_together() -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, A), (1, B), (1, A)])
    forget(2)
    newest, oldest = lens(life.stream, life.item, ("s",)).periods
    assert (newest.doubtful, oldest.doubtful) == (False, True)
    assert json.dumps(oldest.value) == '{"S": "new"}'


def test_the_lens_knows_the_value_from_before_the_recording() -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, A), (1, B)])
    forget(1)
    _, first = lens(life.stream, life.item, ("s",)).periods
    assert (first.value, first.begun_by, first.seconds) == ({"S": "new"}, None, None)
