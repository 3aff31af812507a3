"""Reading again after a day: one loss is one gap with the right edges, and what was not lost is
not called so. The service's clock and everything written down here move together."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from streams.models import Gap, Heartbeat, Poller, Problem, Stream
from streams.queries.overview import StreamStatus, statuses
from streams.stages.add import pause, resume
from streams.stages.watch import watch
from streams.testing.elapse import let_pass
from streams.testing.simulated.clock import Clock
from streams.testing.simulated.faults import Fault
from streams.testing.simulated.streams import Limits
from streams.testing.simulated.world import World
from streams.tests.integration.simulated_reading import (
    TABLE,
    Engine,
    assert_same_in_order,
    engine_on,
    write,
)

pytestmark = pytest.mark.django_db(transaction=True)

NO_ROLLOVER = Limits(rollover_seconds=0)
NEAR = timedelta(minutes=2)


def make_world(hours: float, limits: Limits = NO_ROLLOVER, shards: int = 1) -> World:
    """A world so many hours ago: it is now when as much has passed."""
    world = World(clock=Clock(time.time() - hours * 3600), limits=limits)
    world.create_table(TABLE, shards=shards)
    return world


def passes(engine: Engine, hours: float) -> None:
    engine.world.advance(hours * 3600)
    let_pass(engine.stream, hours=hours)


def begin(engine: Engine, count: int = 10) -> None:
    """Some changes are written and read; then the stream is paused."""
    write(engine.world, count, version="read")
    engine.read_all()
    engine.run_until(lambda: engine.stream.shards.filter(caught_up_at=None).count() == 0)
    pause(Stream.objects.get(pk=engine.stream.pk), "alice")


def go_on(engine: Engine, stored: int) -> None:
    resume(Stream.objects.get(pk=engine.stream.pk), "alice")
    engine.run_until(lambda: len(engine.stored()) >= stored, seconds=30)
    engine.run_until(lambda: is_caught_up(engine), seconds=30)
    watch()


def is_caught_up(engine: Engine) -> bool:
    unfinished = engine.stream.shards.filter(ended_at=None)
    fresh = datetime.now(UTC) - timedelta(seconds=20)
    return unfinished.exists() and not unfinished.exclude(caught_up_at__gt=fresh).exists()


def status() -> StreamStatus:
    """As if beat and a worker ran."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    seat = Poller.objects.create(number=99, expires_at=soon)
    Heartbeat.objects.update_or_create(name="beat", defaults={"seen_at": soon})
    (found,) = statuses()
    seat.delete()
    return found


def opened(engine: Engine) -> list[tuple[str, int]]:
    found = engine.stream.problems.filter(resolved_at=None).order_by("kind")
    return list(found.values_list("kind", "stage"))


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def pause_for_a_day(engine: Engine) -> dict[tuple[str, int], int]:
    """25 hours, a change in each; after how many each problem came."""
    warned: dict[tuple[str, int], int] = {}
    for hour in range(1, 26):
        write(engine.world, 1, version=f"hour {hour}")
        passes(engine, 1)
        watch()
        left = status().time_left_seconds or 0.0
        assert abs(left - max(0, 24 - hour) * 3600) < 60
        assert status().state == ("paused" if hour < 20 else "losing" if hour < 24 else "lost")
        for problem in opened(engine):
            warned.setdefault(problem, hour)
    assert Problem.objects.get(kind="loss-near").count == 3
    return warned


def test_a_paused_stream_from_the_first_hour_to_the_loss_and_back() -> None:
    world = make_world(hours=25)
    with engine_on(world) as engine:
        begin(engine)
        paused_at = datetime.now(UTC) - timedelta(hours=25)
        near = {("loss-near", 1): 12, ("loss-near", 2): 20, ("loss-near", 3): 23}
        assert pause_for_a_day(engine) == {**near, ("unread", 0): 24}
        growing = Gap.objects.get()
        written = engine.written()
        kept = [r for r in written if r.at > world.clock.now() - 24 * 3600]
        assert 22 < len(kept) < 25  # the first hour is gone

        go_on(engine, 10 + len(kept))
        assert_same_in_order(engine.stored(), [*written[:10], *kept])
        gap = Gap.objects.get()
        assert (gap.pk, gap.reason, gap.growing) == (growing.pk, "trimmed", False)
        assert gap.from_at and abs(gap.from_at - paused_at) < NEAR
        assert abs(gap.to_at - datetime.now(UTC) + timedelta(hours=24)) < NEAR
        gone = written[10 : len(written) - len(kept)]
        assert gone and all(gap.from_at < at(record.at) < gap.to_at for record in gone)
        assert gap.from_sequence == str(written[9].sequence)
        assert gap.to_sequence == str(kept[0].sequence)
        assert opened(engine) == []
        let_pass(engine.stream, minutes=6)  # the gap is not new any more
        engine.run_until(lambda: is_caught_up(engine))
        assert status().level == "ok"


def test_what_was_kept_longer_than_promised_is_not_lost() -> None:
    world = make_world(hours=25, limits=Limits(rollover_seconds=0, keep_seconds=30 * 3600))
    with engine_on(world) as engine:
        begin(engine)
        write(world, 5, version="missed for long")
        passes(engine, 25)
        watch()
        assert (Gap.objects.get().growing, status().state) == (True, "lost")
        go_on(engine, 15)
        engine.assert_stored_equals_written()
        gap = Gap.objects.get()
        assert (gap.reason, gap.growing) == ("unread", False)
        assert gap.harmless_at
        assert (opened(engine), status().level) == ([], "ok")


def test_a_loss_that_nobody_watched_is_one_gap_as_well() -> None:
    """The whole installation was off."""
    world = make_world(hours=25)
    with engine_on(world) as engine:
        begin(engine)
        write(world, 5, version="lost")
        passes(engine, 25)
        write(world, 5, version="kept")
        go_on(engine, 15)
        gap = Gap.objects.get()
        assert (gap.reason, gap.growing, gap.harmless_at) == ("trimmed", False, None)
        assert abs(gap.to_at - datetime.now(UTC) + timedelta(hours=24)) < NEAR


@pytest.mark.parametrize("watched", [True, False])
def test_a_shard_without_a_position_that_was_read_too_late_is_a_gap(watched: bool) -> None:
    """It is read from its oldest record, and no error tells what is gone."""
    world = make_world(hours=25)
    with engine_on(world) as engine:
        engine.run_until(lambda: is_caught_up(engine))
        begin(engine, count=0)
        write(world, 5, version="lost")
        passes(engine, 25)
        write(world, 5, version="kept")
        if watched:
            watch()
        go_on(engine, 5)
        gap = Gap.objects.get()
        assert (gap.reason, gap.growing, gap.harmless_at) == ("unread", False, None)
        gone = engine.written()[:5]
        assert gap.from_at and all(gap.from_at < at(record.at) < gap.to_at for record in gone)
        assert opened(engine) == []


@pytest.mark.parametrize("watched", [True, False])
def test_a_closed_shard_that_was_trimmed_unread_is_one_gap(watched: bool) -> None:
    """It rolled over while the stream was paused; its child is whole."""
    world = make_world(hours=25)
    with engine_on(world) as engine:
        begin(engine)
        write(world, 5, version="lost")
        passes(engine, 2)
        write(world, 5, version="kept in the closed one")
        world.roll_over(TABLE)
        write(world, 5, version="kept in its child")
        passes(engine, 23)
        if watched:
            watch()
        go_on(engine, 20)
        assert_same_in_order(engine.stored(), [*engine.written()[:10], *engine.written()[15:]])
        assert [gap.reason for gap in Gap.objects.all()] == ["trimmed"]
        assert opened(engine) == []


def test_shards_that_came_and_went_unread_are_one_gap() -> None:
    """Forty hours with a rollover every four: the first shards are gone altogether."""
    world = make_world(hours=40, limits=Limits())
    with engine_on(world) as engine:
        begin(engine)
        for _ in range(20):
            write(world, 1, version=f"{world.clock.now()}")
            passes(engine, 2)
            watch()
        kept = [r for r in engine.written() if r.at > world.clock.now() - 24 * 3600]
        go_on(engine, 10 + len(kept))
        engine.run_until(lambda: not Gap.objects.filter(growing=True).exists())
        assert_same_in_order(engine.stored(), [*engine.written()[:10], *kept])
        gap = Gap.objects.get()
        assert (gap.reason, gap.growing, gap.harmless_at) == ("shard-lost", False, None)
        gone = engine.written()[10 : -len(kept)]
        assert gap.from_at and all(gap.from_at < at(record.at) < gap.to_at for record in gone)


def test_several_shards_have_a_gap_each_of_the_same_time() -> None:
    world = make_world(hours=25, shards=3)
    with engine_on(world) as engine:
        begin(engine, count=30)
        write(world, 30, version="lost")
        passes(engine, 25)
        watch()
        write(world, 30, version="kept")
        go_on(engine, 60)
        assert {gap.shard_id for gap in Gap.objects.all()} == {
            shard.pk for shard in engine.stream.shards.all()
        }
        assert {(gap.reason, gap.growing) for gap in Gap.objects.all()} == {("trimmed", False)}
        assert Gap.objects.count() == 3


def test_a_stream_without_access_has_the_same_countdown_and_goes_on() -> None:
    world = make_world(hours=25)
    with engine_on(world) as engine:
        begin(engine)
        resume(Stream.objects.get(pk=engine.stream.pk), "alice")
        engine.service.faults.add(Fault("denied", ("GetRecords",)))
        engine.run_until(lambda: opened(engine))
        passes(engine, 21)
        watch()
        assert status().state == "losing"
        assert opened(engine) == [("access-denied", 0), ("loss-near", 2)]
        passes(engine, 4)
        watch()
        assert Gap.objects.get().growing
        engine.service.faults.clear()
        write(world, 3, version="kept")
        go_on(engine, 13)
        assert opened(engine) == []
        assert Gap.objects.get().reason == "trimmed"
