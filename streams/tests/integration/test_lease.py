"""Leases: who reads which shard, one at a time, on the database's clock."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from streams.models import Poller, Shard, Stream
from streams.stages import lease
from streams.stages.lease import Held, Leased
from streams.testing.factories import make_shard, make_stream
from streams.tests.integration.storing import in_threads

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timezone.now() - timedelta(hours=1)


@pytest.fixture(autouse=True)
def three_seats(settings: Any) -> None:
    settings.POLLERS = 3


@pytest.fixture
def stream() -> Stream:
    return make_stream()


def names(leased: list[Leased]) -> set[str]:
    return {shard.name for shard in leased}


def held(leased: Leased, **fields: Any) -> Held:
    given: dict[str, Any] = {
        "read_age": None,
        "caught_up_age": None,
        "iterator": "",
        "iterator_age": None,
        **fields,
    }
    return Held(leased.shard_id, leased.token, **given)


def expire_leases() -> None:
    Shard.objects.update(lease_expires_at=LONG_AGO)


def end(shard: Shard) -> None:
    Shard.objects.filter(pk=shard.pk).update(ended_at=timezone.now(), ended="read")


# Seats


def test_there_are_only_so_many_seats() -> None:
    assert [lease.take_seat(owner) for owner in "abcd"] == [1, 2, 3, None]
    assert lease.live_pollers() == 3


def test_a_seat_is_given_back() -> None:
    for owner in "abc":
        lease.take_seat(owner)
    lease.leave_seat("b")
    assert lease.take_seat("d") == 2


def test_a_dead_pollers_seat_is_free_again() -> None:
    for owner in "abc":
        lease.take_seat(owner)
    Poller.objects.filter(owner="b").update(expires_at=LONG_AGO)
    assert lease.live_pollers() == 2
    assert lease.take_seat("d") == 2
    assert not lease.keep_seat("b")
    assert lease.keep_seat("d")


def test_a_late_poller_keeps_its_seat_while_nobody_took_it() -> None:
    lease.take_seat("a")
    Poller.objects.update(expires_at=LONG_AGO)
    assert lease.keep_seat("a")
    assert lease.live_pollers() == 1


def test_each_seat_is_taken_once_by_many_at_once() -> None:
    taken = in_threads(*[lambda n=n: lease.take_seat(f"owner{n}") for n in range(8)])
    assert sorted(seat for seat in taken if seat) == [1, 2, 3]


# Shards


def test_a_shard_is_leased_once(stream: Stream) -> None:
    shard = make_shard(stream)
    assert names(lease.acquire("a", 5)) == {shard.name}
    assert lease.acquire("b", 5) == []


def test_an_expired_lease_is_taken_over_with_a_new_token(stream: Stream) -> None:
    make_shard(stream)
    first = lease.acquire("a", 1)[0]
    expire_leases()
    second = lease.acquire("b", 1)[0]
    assert second.shard_id == first.shard_id
    assert second.token > first.token


def test_a_lease_brings_all_that_reading_needs(stream: Stream) -> None:
    now = timezone.now()
    shard = make_shard(stream, position="7", iterator="it", iterator_at=now, number=3, digest=b"d")
    leased = lease.acquire("a", 1)[0]
    assert (leased.shard_id, leased.stream_id) == (shard.pk, stream.pk)
    assert (leased.arn, leased.generation) == (stream.arn, 1)
    assert (leased.position, leased.number, leased.digest) == ("7", 3, b"d")
    assert leased.iterator == "it"
    assert 0 <= (leased.iterator_age or -1) < 5


def test_the_shards_unread_the_longest_come_first(stream: Stream) -> None:
    make_shard(stream, "fresh", last_read_at=timezone.now())
    make_shard(stream, "old", last_read_at=LONG_AGO)
    make_shard(stream, "never")
    assert [next(iter(lease.acquire(owner, 1))).name for owner in "abc"] == [
        "never",
        "old",
        "fresh",
    ]


def test_pollers_share_the_shards_fairly(stream: Stream) -> None:
    for _ in range(7):
        make_shard(stream)
    for owner in "abc":
        lease.take_seat(owner)
    assert lease.fair_share() == 3
    taken = [lease.acquire(owner, lease.fair_share()) for owner in "abc"]
    assert sorted(len(leased) for leased in taken) == [1, 3, 3]


def test_a_poller_that_works_alone_may_hold_all(stream: Stream) -> None:
    for _ in range(7):
        make_shard(stream)
    lease.take_seat("a")
    assert lease.fair_share() == 7


def test_a_share_of_nothing_takes_nothing(stream: Stream) -> None:
    make_shard(stream)
    assert lease.acquire("a", 0) == []
    assert lease.acquire("a", -2) == []


def test_two_at_once_never_get_the_same_shard(stream: Stream) -> None:
    for _ in range(20):
        make_shard(stream)
    work = [lambda n=n: lease.acquire(f"owner{n}", 4) for n in range(8)]
    taken = [shard.shard_id for leased in in_threads(*work) for shard in leased]
    assert len(taken) == len(set(taken)) == 20


def test_nobody_waits_for_another_ones_open_transaction(stream: Stream) -> None:
    for _ in range(3):
        make_shard(stream)
    with transaction.atomic():
        mine = lease.acquire("a", 2)
        others = in_threads(lambda: lease.acquire("b", 3))[0]
    assert len(mine) == 2
    assert len(others) == 1
    assert not names(mine) & names(others)


# Order


def test_a_child_waits_until_its_parent_ended(stream: Stream) -> None:
    parent = make_shard(stream, "parent")
    make_shard(stream, "child", parent=parent)
    assert names(lease.acquire("a", 5)) == {"parent"}
    end(parent)
    assert names(lease.acquire("a", 5)) == {"child"}


def test_a_grandchild_waits_for_its_own_parent(stream: Stream) -> None:
    first = make_shard(stream, "first")
    second = make_shard(stream, "second", parent=first)
    make_shard(stream, "third", parent=second)
    end(first)
    assert names(lease.acquire("a", 5)) == {"second"}


def test_a_new_arn_waits_until_the_old_one_is_read(stream: Stream) -> None:
    old = make_shard(stream, "old", arn="old")
    make_shard(stream, "new", generation=2)
    assert names(lease.acquire("a", 5)) == {"old"}
    end(old)
    assert names(lease.acquire("a", 5)) == {"new"}


def test_another_streams_generation_is_of_no_concern(stream: Stream) -> None:
    make_shard(stream, "old")
    make_shard(make_stream(), "new", generation=2)
    assert names(lease.acquire("a", 5)) == {"old", "new"}


def test_what_was_not_listed_yet_is_not_read(stream: Stream) -> None:
    make_shard(stream, listed=False)
    assert lease.acquire("a", 5) == []
    assert lease.fair_share() == 0


def test_a_paused_stream_is_not_read() -> None:
    make_shard(make_stream(paused_at=timezone.now()))
    assert lease.acquire("a", 5) == []


# Renewing and giving back


def test_renewing_keeps_the_lease(stream: Stream) -> None:
    make_shard(stream)
    leased = lease.acquire("a", 1)[0]
    expire_leases()
    assert lease.renew([held(leased)]) == {leased.shard_id}
    assert lease.acquire("b", 1) == []


def test_renewing_writes_down_what_was_read(stream: Stream) -> None:
    shard = make_shard(stream)
    leased, now = lease.acquire("a", 1)[0], timezone.now()
    lease.renew([held(leased, read_age=1, caught_up_age=2, iterator="i", iterator_age=3)])
    shard.refresh_from_db()
    ages = [shard.last_read_at, shard.caught_up_at, shard.iterator_at]
    assert [round((now - at).total_seconds()) for at in ages if at] == [1, 2, 3]
    assert shard.iterator == "i"


def test_renewing_never_moves_the_clock_of_reading_back(stream: Stream) -> None:
    shard = make_shard(stream)
    leased = lease.acquire("a", 1)[0]
    lease.renew([held(leased, read_age=1, caught_up_age=1)])
    shard.refresh_from_db()
    before = shard.last_read_at, shard.caught_up_at
    lease.renew([held(leased, read_age=60), held(leased, caught_up_age=60)])
    shard.refresh_from_db()
    assert (shard.last_read_at, shard.caught_up_at) == before


def test_a_lost_shard_drops_out_of_the_renewal(stream: Stream) -> None:
    for _ in range(2):
        make_shard(stream)
    mine = lease.acquire("a", 2)
    Shard.objects.filter(pk=mine[0].shard_id).update(lease_expires_at=LONG_AGO)
    theirs = lease.acquire("b", 1)[0]
    assert lease.renew([held(leased) for leased in mine]) == {mine[1].shard_id}
    lease.renew([held(mine[0], iterator="stale", iterator_age=0)])
    shard = Shard.objects.get(pk=theirs.shard_id)
    assert (shard.lease_token, shard.iterator) == (theirs.token, "")


def test_a_paused_shard_drops_out_of_the_renewal(stream: Stream) -> None:
    make_shard(stream)
    leased = lease.acquire("a", 1)[0]
    Stream.objects.filter(pk=stream.pk).update(paused_at=timezone.now())
    assert lease.renew([held(leased)]) == set()


def test_a_shard_that_is_given_back_is_free_at_once(stream: Stream) -> None:
    make_shard(stream)
    leased = lease.acquire("a", 1)[0]
    lease.release([held(leased, iterator="place", iterator_age=0)])
    again = lease.acquire("b", 1)[0]
    assert again.iterator == "place"
    assert again.token > leased.token


def test_giving_back_a_lost_shard_harms_nobody(stream: Stream) -> None:
    make_shard(stream)
    lost = lease.acquire("a", 1)[0]
    expire_leases()
    lease.acquire("b", 1)
    lease.release([held(lost)])
    assert lease.acquire("c", 1) == []
