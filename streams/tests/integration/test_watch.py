"""The watch: warnings before unread changes are lost, a gap when they are, and its end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from streams.models import Gap, Heartbeat, Poller, Problem, Shard, Stream
from streams.queries.change import gaps_of
from streams.queries.overview import StreamStatus, statuses
from streams.stages.report import report, resolve
from streams.stages.watch import watch
from streams.testing.elapse import let_pass
from streams.testing.factories import make_shard, make_stream

pytestmark = pytest.mark.django_db(transaction=True)

# The many steps of a test take a while themselves.
NEAR = timedelta(seconds=60)


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


@pytest.fixture(autouse=True)
def workers_and_beat() -> None:
    Poller.objects.create(number=1, owner="a", expires_at=ago(days=-9))
    Heartbeat.objects.create(name="beat", seen_at=ago(days=-9))


@pytest.fixture
def stream() -> Stream:
    """Added long ago, with one shard that was read to its end a moment ago."""
    stream = make_stream("orders")
    Stream.objects.update(created_at=ago(days=9), discovered_at=ago(seconds=5))
    now = timezone.now()
    make_shard(stream, "a", position="41", last_read_at=now, caught_up_at=now)
    return Stream.objects.get(pk=stream.pk)


def status() -> StreamStatus:
    (found,) = statuses()
    return found


def pause(stream: Stream) -> None:
    Stream.objects.filter(pk=stream.pk).update(paused_at=timezone.now(), paused_by="alice")


def opened() -> list[tuple[str, int, int]]:
    found = Problem.objects.filter(resolved_at=None).order_by("kind")
    return list(found.values_list("kind", "stage", "count"))


def is_read(**fields: Any) -> None:
    now = timezone.now()
    given = {"last_read_at": now, "caught_up_at": now, **fields}
    Shard.objects.filter(ended_at=None).update(**given)


def test_a_stream_that_is_read_is_left_alone(stream: Stream) -> None:
    watch()
    assert (opened(), Gap.objects.count()) == ([], 0)


def stand_still(stream: Stream, why: str) -> None:
    if why == "paused":
        pause(stream)
    if why == "blocked":
        report("access-denied", "Access denied.", "Allow it.", stream=stream, about="a")


Warned = dict[int, tuple[float, int]]


def wait_a_day(stream: Stream, each_time: Callable[[], object]) -> tuple[list[str], Warned]:
    """25 hours in steps of a quarter, with the watch: the states the stream went through, and
    after how many hours each warning came, and how often it was said."""
    states, warned = [""], Warned()
    for quarters in range(1, 25 * 4 + 1):
        let_pass(stream, minutes=15)
        each_time()
        watch()
        watch()  # twice says nothing twice
        found = status()
        assert abs((found.time_left_seconds or 0) - max(0, 96 - quarters) * 900) < 60
        if found.state != states[-1]:
            states.append(found.state)
        for problem in Problem.objects.filter(kind="loss-near", resolved_at=None):
            warned.setdefault(problem.stage, (quarters / 4, problem.count))
    return states[1:], warned


ONCE_EACH = {1: (12, 1), 2: (20, 2), 3: (23, 3)}


@pytest.mark.parametrize("why", ["paused", "stalled", "blocked"])
def test_the_countdown_is_right_to_the_minute_and_ends_in_one_gap(stream: Stream, why: str) -> None:
    begun = timezone.now() - timedelta(hours=25)
    stand_still(stream, why)
    assert wait_a_day(stream, lambda: None) == ([why, "losing", "lost"], ONCE_EACH)
    gap = Gap.objects.get()
    assert (gap.reason, gap.growing, gap.from_sequence) == ("unread", True, "41")
    assert gap.from_at and abs(gap.from_at - begun) < NEAR
    assert abs(gap.to_at - ago(hours=24)) < timedelta(minutes=1) + NEAR
    assert gap.detected_at - gap.from_at < timedelta(hours=24, minutes=15) + NEAR
    assert ("unread", 0, 1) in opened()


def test_what_is_read_but_stays_behind_has_the_same_countdown_and_no_gap(stream: Stream) -> None:
    """Its next read says whether something is gone."""

    def read() -> None:
        Shard.objects.update(last_read_at=timezone.now())

    assert wait_a_day(stream, read) == (["behind", "losing"], ONCE_EACH)
    assert not Gap.objects.exists()


def test_the_warning_says_how_long_and_until_when(stream: Stream) -> None:
    pause(stream)
    let_pass(stream, hours=20, minutes=30)
    watch()
    problem = Problem.objects.get()
    assert "have been unread for 20 h 30 min" in problem.sentence
    assert f"at {ago(hours=-3, minutes=-30):%Y-%m-%d %H:}" in problem.sentence
    assert problem.fix == "Paused by alice: resume it."


def test_what_is_already_lost_is_warned_of_as_lost(stream: Stream) -> None:
    let_pass(stream, hours=30)
    watch()
    near = Problem.objects.get(kind="loss-near")
    assert (near.stage, "may have deleted" in near.sentence) == (3, True)


def test_a_listing_or_a_read_of_another_shard_resolves_no_warning(stream: Stream) -> None:
    let_pass(stream, hours=13)
    watch()
    assert resolve(stream=stream, about="") == resolve(stream=stream, about="unread") == 0
    assert opened() == [("loss-near", 1, 1)]


def test_a_warning_is_resolved_when_reading_has_caught_up_and_comes_again(stream: Stream) -> None:
    let_pass(stream, hours=21)
    watch()
    is_read(caught_up_at=ago(hours=5))
    watch()
    assert opened() == [("loss-near", 2, 1)]
    is_read()
    watch()
    assert opened() == []
    let_pass(stream, hours=13)
    watch()
    assert opened() == [("loss-near", 1, 2)]


# The gap


def lost(stream: Stream, hours: float = 25) -> Gap:
    let_pass(stream, hours=hours)
    watch()
    return Gap.objects.get()


def test_a_growing_gap_says_so_on_the_overview(stream: Stream) -> None:
    pause(stream)
    lost(stream)
    assert status().state == "lost"
    assert "More are lost every minute until it is read again. Paused by alice." in (
        status().sentence
    )
    let_pass(stream, hours=2)  # not only while it is new
    watch()
    assert status().state == "lost"


def test_a_growing_gap_follows_the_clock(stream: Stream) -> None:
    before = lost(stream)
    let_pass(stream, hours=3)
    watch()
    after = Gap.objects.get()
    assert after.from_at and before.from_at
    assert abs(after.from_at - before.from_at + timedelta(hours=3)) < NEAR
    assert abs(after.to_at - ago(hours=24)) < timedelta(minutes=1) + NEAR


def test_a_read_that_found_everything_makes_the_gap_harmless(stream: Stream) -> None:
    lost(stream)
    is_read()
    watch()
    gap = Gap.objects.get()
    assert (gap.growing, gap.harmless_at is not None) == (False, True)
    assert (opened(), status().state, gaps_of(stream.pk)) == ([], "idle", [])


def test_a_shard_that_was_read_to_its_end_makes_the_gap_harmless(stream: Stream) -> None:
    """In one go, so that only the store is written down."""
    lost(stream)
    now = timezone.now()
    Shard.objects.update(last_stored_at=now, ended_at=now, ended="read")
    watch()
    assert Gap.objects.get().harmless_at


def test_only_the_shards_whose_turn_it_is_make_gaps(stream: Stream) -> None:
    """What those after them may miss is in the same time."""
    parent = Shard.objects.get()
    child = make_shard(stream, "b", parent=parent, unread_from=timezone.now())
    make_shard(stream, "c", parent=child, unread_from=timezone.now())
    assert lost(stream).shard == parent


def test_a_closed_shard_that_nobody_reads_becomes_a_gap_too(stream: Stream) -> None:
    Shard.objects.update(closed=True)
    assert lost(stream).shard_id


def test_a_stream_without_any_shard_becomes_a_gap_until_one_is_listed(stream: Stream) -> None:
    stream.shards.all().delete()
    gap = lost(stream)
    assert (gap.shard_id, gap.growing) == (None, True)
    make_shard(stream, "a")
    watch()
    gap.refresh_from_db()
    assert (gap.growing, gap.harmless_at) == (False, None)


def test_a_shard_whose_children_nobody_lists_becomes_a_gap_until_they_are(stream: Stream) -> None:
    """The listing is refused while the other shards are read."""
    parent = Shard.objects.get()
    now = timezone.now()
    Shard.objects.filter(pk=parent.pk).update(ended_at=now, ended="read", last_stored_at=now)
    let_pass(stream, hours=25)
    make_shard(stream, "other", last_read_at=timezone.now(), caught_up_at=timezone.now())
    watch()
    gap = Gap.objects.get()
    assert (gap.shard, gap.growing, status().state) == (parent, True, "lost")
    make_shard(stream, "child", parent=parent)
    watch()
    gap.refresh_from_db()
    assert (gap.growing, gap.harmless_at) == (False, None)


def test_a_stream_that_is_off_and_read_to_its_end_loses_nothing(stream: Stream) -> None:
    now = timezone.now()
    Shard.objects.update(ended_at=now, ended="read")
    report("stream-off", "The stream is off.", "Turn it on.", stream=stream)
    let_pass(stream, days=3)
    watch()
    assert (Gap.objects.count(), status().state, status().time_left_seconds) == (0, "blocked", None)
    assert status().sentence == "The stream is off. Turn it on."


def test_a_loss_that_was_told_is_not_told_again_at_once(stream: Stream) -> None:
    """After a gap reading goes on; what was stored so far is still old then."""
    lost(stream)
    Gap.objects.update(growing=False, reason="trimmed", to_at=ago(hours=24))
    watch()
    assert Gap.objects.count() == 1
    let_pass(stream, hours=1)  # and still nothing is read: that is another loss
    watch()
    first, second = Gap.objects.order_by("id")
    assert second.from_at and abs(second.from_at - first.to_at) < NEAR


def test_every_stream_is_watched_for_itself(stream: Stream) -> None:
    other = make_stream("others")
    now = timezone.now()
    make_shard(other, "a", last_read_at=now, caught_up_at=now)
    lost(stream)
    assert set(Problem.objects.values_list("stream", flat=True)) == {stream.pk}


def test_a_child_that_is_new_has_its_own_time(stream: Stream) -> None:
    """Its parent was read to its end long after both became old: the child is young."""
    let_pass(stream, hours=30)
    Shard.objects.update(ended_at=timezone.now(), ended="read")
    make_shard(stream, "b", parent=Shard.objects.get(), unread_from=ago(minutes=1))
    watch()
    assert (opened(), Gap.objects.count()) == ([], 0)
