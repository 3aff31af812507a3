"""A shard that is read for the first time after its oldest records are gone."""

from datetime import timedelta

import pytest
from django.utils import timezone

from streams.models import Gap, Shard
from streams.stages.gap import record_begun_late
from streams.stages.store import Target
from streams.testing.factories import make_shard, make_stream

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(hours=30)


def unread(shard: Shard, shown: timedelta = LONG_AGO) -> Shard:
    """A shard that nobody has read, and that may have had changes for so long."""
    shard.unread_from = timezone.now() - shown
    shard.save()
    return shard


def gap_of(shard: Shard | None, of: Shard) -> Gap:
    now = timezone.now()
    return Gap.objects.create(
        stream=of.stream,
        shard=shard,
        reason=Gap.Reason.UNREAD,
        from_at=now - LONG_AGO,
        to_at=now - timedelta(hours=24),
    )


def read_late(shard: Shard) -> list[Shard | None]:
    """The shards that have gaps after its first read."""
    record_begun_late(Target(shard.stream, shard.pk, shard.generation, 1))
    return [gap.shard for gap in Gap.objects.order_by("id")]


def test_it_gets_a_gap_of_its_own_though_a_sibling_has_one() -> None:
    stream = make_stream()
    parent = make_shard(stream)
    sibling, shard = (unread(make_shard(stream, parent=parent)) for _ in range(2))
    gap_of(sibling, shard)
    assert read_late(shard) == [sibling, shard]


def test_the_gap_of_an_ancestor_or_of_the_whole_stream_is_enough() -> None:
    stream = make_stream()
    oldest = make_shard(stream)
    shard = unread(make_shard(stream, parent=make_shard(stream, parent=oldest)))
    ancestors = gap_of(oldest, shard)
    assert read_late(shard) == [oldest]
    ancestors.delete()
    gap_of(None, shard)
    assert read_late(shard) == [None]


def test_behind_an_ancestor_that_was_never_listed_any_gap_may_be_of_its_line() -> None:
    stream = make_stream()
    other, shard = make_shard(stream), make_shard(stream, parent=make_shard(stream, listed=False))
    gap_of(other, unread(shard))
    assert read_late(shard) == [other]


def test_one_that_was_read_in_time_has_none() -> None:
    shard = unread(make_shard(make_stream()), timedelta(hours=20))
    assert read_late(shard) == []
