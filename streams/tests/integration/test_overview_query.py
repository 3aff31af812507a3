"""The overview: every stream's state out of the rows, honest about what is not known."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from streams.models import Gap, Heartbeat, Poller, Shard, Stream
from streams.queries.overview import StreamStatus, statuses, system
from streams.stages.report import report
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


@pytest.fixture
def stream() -> Stream:
    """A stream that was added long ago."""
    stream = make_stream()
    Stream.objects.update(created_at=ago(days=9))
    return stream


@pytest.fixture(autouse=True)
def workers_and_beat() -> None:
    Poller.objects.create(number=1, owner="a", expires_at=ago(seconds=-10))
    Heartbeat.objects.create(name="beat", seen_at=timezone.now())


def read_shard(stream: Stream, *, age: float = 1, **fields: Any) -> Shard:
    """A shard that was read to its end some seconds ago."""
    given = {"last_read_at": ago(seconds=age), "caught_up_at": ago(seconds=age), **fields}
    return make_shard(stream, **given)


def ended_shard(stream: Stream, **fields: Any) -> Shard:
    return read_shard(stream, ended_at=timezone.now(), ended=Shard.Ended.READ, **fields)


def status() -> StreamStatus:
    (found,) = statuses()
    return found


def test_a_stream_that_is_read_is_green(stream: Stream) -> None:
    read_shard(stream)
    assert (status().state, status().level, status().lag_seconds) == ("idle", "ok", 0)


def test_one_unread_shard_is_enough_to_be_stalled(stream: Stream) -> None:
    read_shard(stream)
    read_shard(stream, age=40)
    assert status().state == "stalled"
    assert status().sentence.startswith("1 of 2 shards: nothing has been read for 40 s")


def test_one_shard_behind_is_enough_to_be_behind(stream: Stream) -> None:
    read_shard(stream)
    read_shard(stream, caught_up_at=ago(minutes=10))
    assert status().state == "behind"
    assert 599 < (status().lag_seconds or 0) < 610


def test_a_stored_change_counts_as_progress(stream: Stream) -> None:
    """While it reads a backlog nothing shows its end, and the lag is the newest stored change."""
    read_shard(stream, caught_up_at=ago(hours=3), newest_change_at=ago(minutes=5))
    assert 299 < (status().lag_seconds or 0) < 310


def test_a_new_stream_is_starting() -> None:
    make_shard(make_stream())
    assert (status().state, status().lag_seconds) == ("starting", None)


def test_an_ended_shard_is_waited_for_no_more(stream: Stream) -> None:
    ended_shard(stream, age=90_000)
    read_shard(stream)
    assert status().state == "idle"
    assert (status().shards_open, status().shards) == (1, 2)


def test_a_child_is_not_waited_for_before_its_turn(stream: Stream) -> None:
    parent = read_shard(stream)
    make_shard(stream, parent=parent)
    assert status().state == "idle"


def test_a_child_whose_turn_has_just_come_is_no_alarm(stream: Stream) -> None:
    """Every shard ends after some hours; its child is read a moment later."""
    make_shard(stream, parent=ended_shard(stream))
    assert status().level != "bad", status().sentence


def test_a_child_whose_turn_has_just_come_is_no_alarm_beside_other_shards(stream: Stream) -> None:
    read_shard(stream)
    make_shard(stream, parent=ended_shard(stream))
    assert status().level != "bad", status().sentence


def test_a_child_that_is_not_read_though_it_is_its_turn_is_stalled(stream: Stream) -> None:
    parent = ended_shard(stream)
    Shard.objects.filter(pk=parent.pk).update(ended_at=ago(seconds=60))
    make_shard(stream, parent=parent)
    assert status().state == "stalled"


def test_a_new_arns_shards_are_not_waited_for_before_their_turn(stream: Stream) -> None:
    read_shard(stream)
    make_shard(stream, generation=2)
    assert status().level == "ok", status().sentence


def test_a_cause_that_blocks_is_said_with_its_fix(stream: Stream) -> None:
    read_shard(stream, age=60)
    report("access-denied", "Access denied.", "Allow it.", stream=stream)
    report("throttled", "Later, but less important.", stream=stream)
    assert (status().state, status().sentence) == ("blocked", "Access denied. Allow it.")
    assert status().problems == 2


def test_a_new_gap_is_lost_and_an_old_one_is_not(stream: Stream) -> None:
    read_shard(stream)
    gap = Gap.objects.create(
        stream=stream, reason="trimmed", from_at=ago(hours=2), to_at=ago(hours=1)
    )
    assert status().state == "lost"
    assert "may be missing" in status().sentence
    Gap.objects.filter(pk=gap.pk).update(detected_at=ago(hours=1))
    assert status().state == "idle"


def test_a_gap_of_unknown_begin_is_told_too(stream: Stream) -> None:
    Gap.objects.create(stream=stream, reason="trimmed", to_at=ago(hours=1))
    assert "an unknown time" in status().sentence


def test_a_paused_stream_says_who_paused_it(stream: Stream) -> None:
    read_shard(stream, age=600)
    Stream.objects.update(paused_at=ago(seconds=600), paused_by="alice")
    assert status().state == "paused"
    assert "alice" in status().sentence


def test_it_counts_by_the_ledger(stream: Stream) -> None:
    shard = read_shard(stream)
    changes = [make_change(stream.pk, n) for n in range(1, 31)]
    store_in(shard, *changes)
    assert (status().changes, status().rate, status().state) == (30, 0.5, "healthy")
    assert status().last_change_at


def test_a_stream_is_named_with_its_table(stream: Stream) -> None:
    assert status().table == stream.options["table"]
    assert (status().name, status().view_type) == (stream.name, "NEW_AND_OLD_IMAGES")


def test_the_worst_stream_comes_first(stream: Stream) -> None:
    read_shard(stream)
    stalled = make_stream()
    read_shard(stalled, age=60)
    assert [found.name for found in statuses()] == [stalled.name, stream.name]


def test_without_streams_there_are_no_statuses() -> None:
    assert statuses() == []


# The installation itself


def test_workers_and_beat_that_run_are_ok() -> None:
    assert system().level == "ok"


def test_without_a_worker_it_says_how_to_start_one(stream: Stream) -> None:
    read_shard(stream, age=60)
    Poller.objects.update(expires_at=ago(seconds=1))
    assert (system().level, "No worker is reading" in system().sentence) == ("bad", True)
    assert "No worker is reading" in status().sentence


@pytest.mark.parametrize("seen", [20, None])
def test_without_beat_it_says_how_to_start_it(seen: float | None) -> None:
    Heartbeat.objects.all().delete()
    if seen:
        Heartbeat.objects.create(name="beat", seen_at=ago(seconds=seen))
    assert (system().level, "Beat is not running" in system().sentence) == ("bad", True)
