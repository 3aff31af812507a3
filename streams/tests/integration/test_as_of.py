"""What an item was at a moment: as a replay of its writes says, or with the reason why not."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.change import moment
from streams.models import Gap, Shard
from streams.queries.as_of import (
    BEFORE_FIRST,
    DELETED,
    KNOWN,
    NOTHING,
    WITHOUT_VALUES,
    AsOf,
    as_of,
    sentences,
)
from streams.stages.publish import number_batches
from streams.tests.integration.lives import BEGIN, KEY, VIEWS, Life, forget, live, writes

pytestmark = pytest.mark.django_db(transaction=True)

START = moment(BEGIN)
ONE, TWO = {**KEY, "n": {"N": "1"}}, {**KEY, "n": {"N": "2"}}
EACH = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def second(number: float) -> datetime:
    return START + timedelta(seconds=number)


def at(life: Life, number: float, counted: int | None = None) -> AsOf:
    return as_of(life.stream, life.item, second(number), counted)


def image(state: AsOf) -> Any:
    return None if state.image is None else json.loads(state.image)


def gap(life: Life, begin: float | None, end: float) -> Gap:
    from_at = None if begin is None else second(begin)
    return Gap.objects.create(
        stream=life.stream, reason=Gap.Reason.TRIMMED, from_at=from_at, to_at=second(end)
    )


# Against a replay


@EACH
@given(view=st.sampled_from(VIEWS[:2]), steps=writes, asked=st.integers(-1, 25))
def test_it_is_what_a_replay_says(view: str, steps: Any, asked: int) -> None:
    life = live(view, steps)
    state = at(life, asked + 0.5)
    done = [write for write in life.writes if write.at <= state.moment]
    if not done:
        assert state.kind == (BEFORE_FIRST if life.writes else NOTHING)
        return
    assert image(state) == done[-1].after
    assert state.kind == (KNOWN if done[-1].after else DELETED)
    assert (state.next is None) == (len(done) == len(life.writes))
    assert state.gaps == []


@EACH
@given(steps=writes, asked=st.integers(0, 25))
def test_old_images_tell_every_state_but_the_newest(steps: Any, asked: int) -> None:
    life = live("OLD_IMAGE", steps)
    state = at(life, asked)
    done = [write for write in life.writes if write.at <= state.moment]
    if done and (len(done) < len(life.writes) or done[-1].after is None):
        assert image(state) == done[-1].after
    elif done:
        assert (state.kind, state.image) == (WITHOUT_VALUES, None)


@EACH
@given(steps=writes, asked=st.integers(0, 25), data=st.data())
def test_the_changes_of_one_second_are_counted_in_order(steps: Any, asked: int, data: Any) -> None:
    life = live("NEW_AND_OLD_IMAGES", steps)
    same = [write for write in life.writes if write.at == second(asked)]
    counted = data.draw(st.integers(0, len(same)))
    state = at(life, asked + 0.9, counted)
    done = [w for w in life.writes if w.at < second(asked)] + same[:counted]
    assert len(state.same_second) == len(same)
    assert image(state) == (done[-1].after if done else None)
    if done and same:
        assert "same second" in " ".join(sentences(state))


# What is said


def test_a_state_between_two_changes_is_exact() -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, ONE), (10, TWO)])
    state = at(life, 5)
    assert (state.kind, state.exact, image(state)) == (KNOWN, True, ONE)
    (said,) = sentences(state)
    assert "exactly known" in said and "the next change is of 2027-01-15 08:00:10 UTC" in said


def test_before_the_change_that_made_it_there_was_no_item() -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, ONE), (10, TWO)])
    state = at(life, -1)
    assert (state.kind, state.image) == (BEFORE_FIRST, None)
    assert "made the item" in sentences(state)[0]


def test_an_item_that_was_there_before_the_recording() -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, ONE), (10, TWO)])
    forget(1)
    state = at(life, 5)
    assert (state.kind, image(state), state.exact) == (BEFORE_FIRST, ONE, False)
    assert "right before that change" in sentences(state)[0]


def test_a_deleted_item_did_not_exist() -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, ONE), (10, None), (10, TWO)])
    state = at(life, 15)
    assert (state.kind, state.exact) == (DELETED, True)
    assert "it was deleted by the change" in sentences(state)[0]


@pytest.mark.parametrize(
    ("begin", "end", "doubtful"), [(2, 3, True), (None, 3, True), (7, 8, False), (2, 20, True)]
)
def test_a_gap_between_the_last_change_and_the_moment_is_a_doubt(
    begin: float | None, end: float, doubtful: bool
) -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, ONE), (10, TWO)])
    gap(life, begin, end)
    state = at(life, 5)
    assert state.exact is not doubtful
    assert ("Possibly incomplete" in " ".join(sentences(state))) is doubtful


def test_a_gap_before_the_last_change_is_no_doubt() -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, ONE), (10, TWO)])
    gap(life, -9, -5)
    assert at(life, 5).exact


def test_what_is_not_stored_yet_may_still_come() -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, ONE)])
    assert not at(life, 5).exact
    number_batches()
    Shard.objects.update(caught_up_at=second(3))
    assert "stored up to 2027-01-15 08:00:03 UTC" in sentences(at(life, 5))[1]
    assert at(life, 2).exact


def test_a_change_in_the_same_second_can_be_left_out() -> None:
    life = live("NEW_AND_OLD_IMAGES", [(0, ONE), (10, TWO)])
    assert "1 change is in the same second" in sentences(at(life, 10.2))[1]
    assert image(at(life, 10.2, 0)) == ONE
    assert image(at(life, 10.2, 7)) == TWO


def test_keys_only_says_that_there_are_no_values() -> None:
    state = at(live("KEYS_ONLY", [(0, ONE), (10, TWO)]), 5)
    assert state.kind == WITHOUT_VALUES
    assert sentences(state)[1] == "Its values are unknown: the stream sends keys only."


def test_nothing_stored_is_nothing_known() -> None:
    life = live("NEW_AND_OLD_IMAGES", [])
    assert (at(life, 5).kind, at(life, 5).exact) == (NOTHING, False)
