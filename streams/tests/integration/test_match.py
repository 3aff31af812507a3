"""Match: a change and its matches are stored together, by the rules that are saved at that time."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from streams import rulebook
from streams.change import INSERT, REMOVE, Change
from streams.models import Match, PoisonRecord, Rule, Shard, Sighting
from streams.rules.matching.change_matcher import ChangeMatcher
from streams.stages import match, settle
from streams.stages.store import store
from streams.testing.factories import make_change, make_shard, make_stream
from streams.testing.simulated.world import World
from streams.tests.integration.simulated_reading import TABLE, engine_on, write
from streams.tests.integration.storing import batch_of, in_threads, store_in, tail_of, target_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shard() -> Shard:
    return make_shard(make_stream("orders"))


def save(query: str, **fields: Any) -> Rule:
    return rulebook.save({"name": f"rule {query}", "query": query, **fields}, "alice")


def order(shard: Shard, sequence: int, status: str, key: str = "a") -> Change:
    new = {"pk": {"S": key}, "status": {"S": status}, "total": {"N": str(sequence)}}
    return make_change(shard.stream_id, sequence, key=key, operation=INSERT, new=new)


def found(rule: Rule) -> list[tuple[int, int]]:
    """The number of the batch and the place in it."""
    matches = Match.objects.filter(rule=rule).order_by("batch_id", "ordinal", "part")
    return list(matches.values_list("batch__number", "ordinal"))


def test_each_match_is_written_once_with_its_place(shard: Shard) -> None:
    paid, large = save("new.status:paid", group_by=["new.status"]), save("new.total>2")
    save("stream:other new.status:paid")
    store_in(shard, order(shard, 1, "new"), order(shard, 2, "paid"), order(shard, 3, "paid"))
    store_in(shard, order(shard, 4, "new"))
    assert found(paid) == [(1, 1), (1, 2)]
    assert found(large) == [(1, 2), (2, 0)]
    written = Match.objects.filter(rule=paid).earliest("id")
    assert (written.group, written.rule_version, written.part) == ("paid", 1, 1)
    assert written.stream == shard.stream
    assert Match.objects.count() == 4


def test_both_parts_of_a_sequence_match(shard: Shard) -> None:
    rule = save(
        "new.status:placed",
        kind="sequence",
        then_query="new.status:paid",
        params={"within": 60, "expect": "then"},
    )
    store_in(shard, order(shard, 1, "placed", "x"), order(shard, 2, "paid", "x"))
    matches = Match.objects.filter(rule=rule).order_by("ordinal")
    assert list(matches.values_list("part", "group")) == [(1, "x"), (2, "x")]


def test_places_are_right_where_changes_were_taken_out(shard: Shard) -> None:
    rule = save("new.status:paid")
    first, second, third = (order(shard, n, "paid") for n in (1, 2, 3))
    store_in(shard, second)
    refused = replace(order(shard, 4, "paid"), new=b"no JSON")
    tail = tail_of(shard)
    store(target_of(shard), tail, batch_of(first, second, refused, third))
    assert found(rule) == [(1, 0), (2, 0), (2, 1)]
    items = Match.objects.filter(batch__number=2).order_by("ordinal")
    assert [one.ordinal for one in items] == [0, 1]
    assert PoisonRecord.objects.count() == 1


def test_nothing_is_matched_that_is_not_stored(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("new.status:paid")
    written = match.write

    def write_and_fail(*given: Any) -> None:
        written(*given)
        raise RuntimeError("the process ends here")

    monkeypatch.setattr(match, "write", write_and_fail)
    with pytest.raises(RuntimeError):
        store_in(shard, order(shard, 1, "paid"))
    assert not Match.objects.exists()


def test_a_record_that_is_retried_is_matched(shard: Shard) -> None:
    rule = save("new.status:paid")
    store_in(shard, replace(order(shard, 1, "paid"), new=b"no JSON"))
    record = PoisonRecord.objects.get()
    good = order(shard, 1, "paid")
    PoisonRecord.objects.update(raw=msgspec.json.encode(good))
    record.refresh_from_db()
    assert settle.retry(record, "alice")
    assert found(rule) == [(2, 0)]


def test_a_thing_is_seen_for_the_first_time_once(shard: Shard) -> None:
    rule = save("", kind="first-seen", params={"what": "attributes"})
    new = {"pk": {"S": "a"}, "colour": {"S": "red"}}
    odd = make_change(shard.stream_id, 3, operation=INSERT, new=new)
    gone = make_change(shard.stream_id, 4, operation=REMOVE)
    store_in(shard, order(shard, 1, "new"), order(shard, 2, "paid"), odd, gone)
    seen = (
        Match.objects.filter(rule=rule).order_by("ordinal", "seen").values_list("ordinal", "seen")
    )
    assert list(seen) == [(0, "pk:S"), (0, "status:S"), (0, "total:N"), (2, "colour:S")]
    for sequence in (
        5,
        6,
        7,
    ):  # the second time it is known to be stored, the third it is not asked
        store_in(shard, order(shard, sequence, "new"))
    assert Match.objects.filter(rule=rule).count() == 4
    sighting = Sighting.objects.get(rule=rule, what="colour:S")
    assert sighting.change == Match.objects.get(seen="colour:S").change


def test_two_who_see_the_same_at_once_have_one_sighting() -> None:
    stream = make_stream("orders")
    shards = [make_shard(stream), make_shard(stream)]
    rule = save("", kind="first-seen", params={"what": "new.status"})
    statuses = ["a", "b", "c", "d"]
    batches = [
        [order(shard, 10 * n + place, status, f"{n}{place}") for place, status in enumerate(some)]
        for n, (shard, some) in enumerate(zip(shards, (statuses, statuses[::-1]), strict=True), 1)
    ]
    in_threads(
        lambda: store_in(shards[0], *batches[0]),
        lambda: store_in(shards[1], *batches[1]),
    )
    assert sorted(Match.objects.filter(rule=rule).values_list("seen", flat=True)) == statuses
    assert Sighting.objects.count() == 4


def test_a_new_version_a_disabled_and_a_deleted_rule_are_taken_up(shard: Shard) -> None:
    rule, other = save("new.status:paid"), save("new.status:lost")
    store_in(shard, order(shard, 1, "paid"), order(shard, 2, "lost"))
    rulebook.save({"query": "new.status:new"}, "alice", rule=rule)
    rulebook.delete(other, "alice")
    store_in(shard, order(shard, 3, "paid"), order(shard, 4, "new"), order(shard, 5, "lost"))
    assert found(rule) == [(1, 0), (2, 1)]
    rulebook.save({"enabled": False}, "alice", rule=rule)
    store_in(shard, order(shard, 6, "new"))
    assert Match.objects.count() == 3


def test_a_rule_that_is_deleted_while_it_matches_does_not_stop_storing(shard: Shard) -> None:
    rule, other = save("new.status:paid"), save("new.total>0")
    change = order(shard, 1, "paid")
    matches = match.find(shard.stream, [change])
    assert [one.rule_id for one in matches] == [rule.pk, other.pk]
    rulebook.delete(rule, "alice")
    store_in(shard, change)
    assert found(other) == [(1, 0)]
    batch_id = Match.objects.get().batch_id
    Match.objects.all().delete()
    match.write(batch_id, shard.stream_id, matches)  # found before, written after
    assert Match.objects.get().rule == other


def test_a_stream_without_rules_is_not_looked_at(
    shard: Shard, monkeypatch: pytest.MonkeyPatch
) -> None:
    save("stream:other new.status:paid")
    asked = []
    monkeypatch.setattr(ChangeMatcher, "match_all", lambda *given: asked.append(given))
    store_in(shard, order(shard, 1, "paid"))
    assert asked == []


def test_a_running_poller_takes_up_a_rule_within_five_seconds_and_lets_it_go() -> None:
    world = World()
    world.create_table(TABLE)
    write(world, 10, version="before")
    with engine_on(world) as engine:

        def change_rules() -> Iterator[int]:
            """Goes on whenever so many changes are stored; the poller is never started anew."""
            yield 10
            rule = save("new.text^=after")
            write(world, 3, version="after")
            yield 13
            rulebook.save({"enabled": False}, "alice", rule=rule)
            write(world, 3, version="after that")
            yield 16

        steps = change_rules()
        wanted = next(steps)

        def done() -> bool:
            nonlocal wanted
            if len(engine.stored()) == wanted:
                wanted = next(steps, 0)
            return wanted == 0

        engine.run_until(done, seconds=5)
        matched = {one.change for one in Match.objects.all()}
        assert matched == {one.id for one in engine.stored()[10:13]}
