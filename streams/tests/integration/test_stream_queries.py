"""What the stream's page asks: its shards as trees, latency, and what changes most."""

from datetime import timedelta

import pytest
from django.utils import timezone

from streams.change import INSERT, MODIFY
from streams.errors import SourceRefused
from streams.models import Batch, Edit, Shard, Stream
from streams.noise import is_noise
from streams.queries import hot as hot_query
from streams.queries import latency as latency_query
from streams.queries.hot import hot
from streams.queries.latency import EDGES, latency
from streams.queries.shard_map import counted, shard_map
from streams.queries.shards import shard_statuses
from streams.stages.add import change_ignored, parse_names
from streams.stages.publish import number_batches
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import store_in
from streams.tests.integration.test_roll_up import make_batch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream(), "a")


def mapped(stream: Stream) -> list[tuple[int, str, int]]:
    nodes = shard_map(shard_statuses(stream).shards)
    return [(node.depth, node.shard.name, node.children) for node in nodes]


def test_children_follow_their_parent_by_name(shard: Shard) -> None:
    right = make_shard(shard.stream, "c", parent=shard)
    make_shard(shard.stream, "b", parent=shard)
    make_shard(shard.stream, "d", parent=right)
    make_shard(shard.stream, "0")
    assert mapped(shard.stream) == [
        *((0, "0", 0), (0, "a", 2), (1, "b", 0), (1, "c", 1), (2, "d", 0))
    ]


def test_the_newest_arn_comes_first_and_names_may_come_again(shard: Shard) -> None:
    make_shard(shard.stream, "b", parent=shard)
    make_shard(shard.stream, "a", generation=2, arn="arn:new")
    assert mapped(shard.stream) == [(0, "a", 0), (0, "a", 1), (1, "b", 0)]


def test_a_lineage_of_months_is_walked(shard: Shard) -> None:
    parent = shard
    for number in range(600):
        parent = make_shard(shard.stream, f"s{number:04}", parent=parent)
    assert [depth for depth, _, _ in mapped(shard.stream)] == list(range(601))


def test_letters_tell_the_states_apart_and_are_counted(shard: Shard) -> None:
    now = timezone.now()
    read = {"last_read_at": now, "caught_up_at": now}
    make_shard(shard.stream, "drained", closed=True, **read)
    make_shard(shard.stream, "waits", parent=shard)
    make_shard(shard.stream, "ended", ended_at=now, ended="read", closed=True)
    Shard.objects.filter(pk=shard.pk).update(
        unread_from=now, last_read_at=now - timedelta(minutes=5)
    )
    nodes = shard_map(shard_statuses(shard.stream).shards)
    assert {node.shard.name: node.letter for node in nodes} == {
        "a": "B", "drained": "D", "waits": "W", "ended": "E",
    }  # fmt: skip
    assert counted(nodes)[0] == ("B", "blocked", 1)


def test_latency_counts_changes_by_the_oldest_of_their_batch(shard: Shard) -> None:
    now = timezone.now()
    for number, seconds in enumerate([-1, 0.5, 1, 1.5, 7_200], start=1):
        oldest = now - timedelta(seconds=seconds)
        make_batch(shard, number, now, feed_position=number, oldest_change_at=oldest)
    make_batch(shard, 6, now, feed_position=6, oldest_change_at=None, inserts=0)
    found = latency(shard.stream_id)
    assert found.counts == [12, 12, *[0] * (len(EDGES) - 2), 6]
    assert (found.total, found.batches) == (30, 5)
    assert [found.within(share) for share in (0.4, 0.8, 0.95)] == [1, 2, None]


def test_latency_of_nothing_says_nothing(shard: Shard) -> None:
    found = latency(shard.stream_id)
    assert (found.total, found.since, found.within(0.5)) == (0, None, None)


def test_latency_looks_at_the_newest_batches_only(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency_query, "BATCHES", 2)
    for number in range(1, 4):
        make_batch(shard, number, feed_position=number, oldest_change_at=timezone.now())
    assert latency(shard.stream_id).batches == 2


def test_hot_items_and_fields_of_the_newest_changes(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot_query, "CHANGES", 6)
    number = iter(range(1, 100))

    def write(key: str, operation: str, *names: str) -> None:
        values = {name: {"S": "x"} for name in names}
        store_in(
            shard,
            make_change(
                shard.stream_id,
                next(number),
                key=key,
                operation=operation,
                old={},
                new=values,
            ),
        )

    for _ in range(5):
        write("old", MODIFY, "old")
    for names in (["views"], ["views"], ["views", "status"]):
        write("a", MODIFY, *names)
    for key in "bcd":
        write(key, INSERT, "status")
    number_batches()
    found = hot(shard.stream_id)
    assert (found.looked_at, found.known) == (6, 6)
    assert [(item.keys, item.changes, item.share) for item in found.items] == [
        (b'{"pk": {"S": "a"}}', 3, 0.5)
    ]
    assert [(field.name, field.changes, field.alone) for field in found.fields] == [
        ("views", 3, 2), ("status", 1, 0),
    ]  # fmt: skip


def test_a_stream_without_a_change_has_nothing_hot(shard: Shard) -> None:
    assert hot(shard.stream_id).looked_at == 0


def test_ignoring_fields_is_recorded_once_and_makes_noise(shard: Shard) -> None:
    change_ignored(shard.stream, ["views", "seen", "views", ""], "alice")
    change_ignored(shard.stream, ["seen", "views"], "bob")
    stream = Stream.objects.get()
    assert stream.ignored_fields == ["seen", "views"]
    assert is_noise(MODIFY, ["views"], stream.ignored_fields)
    edit = Edit.objects.get()
    assert (edit.who, edit.fields) == ("alice", {"ignored_fields": [[], ["seen", "views"]]})


@pytest.mark.parametrize(
    "names", [[f"f{n}" for n in range(101)], ["x" * 256]], ids=["many", "long"]
)
def test_what_would_cost_every_change_too_much_is_refused(shard: Shard, names: list[str]) -> None:
    with pytest.raises(SourceRefused, match="can ignore 100 fields of 255"):
        change_ignored(shard.stream, names, "alice")
    assert not Edit.objects.exists() and not Batch.objects.exists()


def test_names_are_read_as_people_write_them() -> None:
    assert parse_names(" b, a,, b ,c d") == ["a", "b", "c d"]
