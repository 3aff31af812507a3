"""A stream with days of changes behind it, for the tests of retention."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import connection

from streams import partitions
from streams.change import Change, microseconds
from streams.models import Shard, Stream
from streams.partitions import Leaf
from streams.stages.publish import number_batches
from streams.stages.retain import retain
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import store_in, stored_in

TODAY = datetime.now(UTC).date()
DAY = timedelta(days=1)


def noon(days_ago: int, hours: int = 0) -> int:
    """Noon of that day, in microseconds since 1970."""
    begin = datetime.combine(TODAY - days_ago * DAY, datetime.min.time(), UTC)
    return microseconds(begin + timedelta(hours=12 + hours))


def change_at(shard: Shard, days_ago: int, number: int, hours: int = 0) -> Change:
    return make_change(shard.stream_id, number, occurred=noon(days_ago, hours))


def watched(keep_days: int | None = 7, **fields: Any) -> Shard:
    """The one shard of a stream that is read to its tip."""
    shard = make_shard(make_stream(keep_days=keep_days, **fields))
    caught_up(shard)
    return shard


def caught_up(*shards: Shard, days_ago: float = 0) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE streams_shard SET last_read_at = seen.at, caught_up_at = seen.at
               FROM (SELECT clock_timestamp() - make_interval(secs => %s) AS at) seen
               WHERE id = ANY(%s)""",
            [days_ago * 86_400, [shard.pk for shard in shards]],
        )


def lived(shard: Shard, *days_ago: int) -> None:
    """A batch a day, with two changes each, all in the feed."""
    for number, ago in enumerate(days_ago):
        some = [change_at(shard, ago, 10 * (number + 1) + n) for n in (0, 1)]
        store_in(shard, *some)
    number_batches()


def days_stored(stream: Stream) -> list[int]:
    """How many days ago each stored change happened, the oldest first."""
    return sorted(
        ((TODAY - row.occurred_at.date()).days for row in stored_in(stream)), reverse=True
    )


def leaf_of(stream: Stream, days_ago: int) -> Leaf:
    day: date = TODAY - days_ago * DAY
    (leaf,) = [leaf for leaf in partitions.leaves_of(stream.pk) if leaf.begin <= day < leaf.end]
    return leaf


def retain_now(stream: Stream) -> int:
    return retain(Stream.objects.get(pk=stream.pk))
