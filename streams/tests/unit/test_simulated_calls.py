"""The simulated calls: listings, iterators and pages, as AWS gives them."""

import pytest

from streams.testing.simulated.service import Service
from streams.testing.simulated.streams import Limits
from streams.tests.unit.simulated_calls import (
    Refusal,
    arn_of,
    ask,
    item,
    iterator_of,
    make_service,
    make_world,
    read,
    read_to_end,
    sequences,
    shards_of,
)

HOUR = 3600.0


@pytest.fixture
def service() -> Service:
    made = make_service()
    made.world.create_table("orders")
    return made


def write(service: Service, count: int, first: int = 0) -> list[int]:
    written = [service.world.put("orders", item(n)) for n in range(first, first + count)]
    return [record.sequence for record in written if record]


def only_shard(service: Service) -> str:
    (shard,) = shards_of(service)
    return str(shard["ShardId"])


def test_a_listing_comes_in_pages(service: Service) -> None:
    for _ in range(4):
        service.world.split("orders")
    whole = [shard["ShardId"] for shard in shards_of(service)]
    assert len(whole) == 9
    pages: list[list[str]] = []
    start: dict[str, str] = {}
    while True:
        given = {"StreamArn": arn_of(service), "Limit": 4, **start}
        page = ask(service, "DescribeStream", **given)["StreamDescription"]
        pages.append([shard["ShardId"] for shard in page["Shards"]])
        if "LastEvaluatedShardId" not in page:
            break
        start = {"ExclusiveStartShardId": page["LastEvaluatedShardId"]}
    assert [len(page) for page in pages] == [4, 4, 1]
    assert [name for page in pages for name in page] == whole


def test_a_listing_goes_on_after_a_shard_that_vanished(service: Service) -> None:
    service.world.split("orders")
    first, *others = [shard["ShardId"] for shard in shards_of(service)]
    service.world.lose(first)
    after = shards_of(service, ExclusiveStartShardId=first)
    assert [shard["ShardId"] for shard in after] == others


def test_a_filter_gives_the_children_of_a_shard(service: Service) -> None:
    children = [shard.id for shard in service.world.split("orders")]
    service.world.split("orders")
    parent = shards_of(service)[0]
    assert "EndingSequenceNumber" in parent["SequenceNumberRange"]
    chosen = {"Type": "CHILD_SHARDS", "ShardId": parent["ShardId"]}
    assert [s["ShardId"] for s in shards_of(service, ShardFilter=chosen)] == children


def test_a_table_deleted_is_not_found_but_its_stream_is_for_a_day(service: Service) -> None:
    arn = arn_of(service)
    write(service, 3)
    service.world.delete_table("orders")
    with pytest.raises(Refusal, match="ResourceNotFoundException"):
        arn_of(service)
    (shard,) = shards_of(service, arn)
    assert len(read_to_end(service, shard["ShardId"], arn=arn)) == 3
    service.world.advance(24 * HOUR)
    with pytest.raises(Refusal, match="ResourceNotFoundException"):
        shards_of(service, arn)


def test_streams_are_listed_by_table(service: Service) -> None:
    service.world.disable("orders")
    service.world.enable("orders")
    service.world.create_table("stock")
    assert len(ask(service, "ListStreams")["Streams"]) == 3
    assert len(ask(service, "ListStreams", TableName="orders")["Streams"]) == 2
    page = ask(service, "ListStreams", Limit=2)
    rest = ask(service, "ListStreams", ExclusiveStartStreamArn=page["LastEvaluatedStreamArn"])
    assert len(rest["Streams"]) == 1
    assert ask(service, "ListTables")["TableNames"] == ["orders", "stock"]


def test_every_iterator_begins_at_its_place(service: Service) -> None:
    written = write(service, 5)
    shard, third = only_shard(service), str(written[2])
    places = {
        "TRIM_HORIZON": written,
        "LATEST": [],
        "AT_SEQUENCE_NUMBER": written[2:],
        "AFTER_SEQUENCE_NUMBER": written[3:],
    }
    for kind, expected in places.items():
        after = third if "SEQUENCE" in kind else ""
        records, _ = read(service, iterator_of(service, shard, kind, after=after))
        assert sequences(records) == expected, kind


def test_latest_gives_what_is_written_after_it(service: Service) -> None:
    write(service, 2)
    iterator = iterator_of(service, only_shard(service), "LATEST")
    later = write(service, 2, first=2)
    assert sequences(read(service, iterator)[0]) == later


@pytest.mark.parametrize("wrong", ["7", "1" * 21, "9" * 21, "one"])
def test_a_sequence_number_that_is_not_the_shards_is_refused(service: Service, wrong: str) -> None:
    shard = only_shard(service)
    service.world.split("orders")
    if wrong == "1" * 21:  # longer than the shard's own beginning, but after its end
        wrong = str(10**21)
    with pytest.raises(Refusal, match="ValidationException"):
        iterator_of(service, shard, "AFTER_SEQUENCE_NUMBER", after=wrong)


def test_a_page_has_at_most_a_thousand_records_or_a_megabyte(service: Service) -> None:
    write(service, 1_500)
    records, following = read(service, iterator_of(service, only_shard(service)))
    assert len(records) == 1_000 and following
    assert len(read(service, following)[0]) == 500
    assert len(read(service, following, Limit=7)[0]) == 7
    big = [service.world.put("orders", item(n, text="x" * 300_000)) for n in range(2_000, 2_008)]
    assert all(big)
    sizes: list[int] = []
    while len(sizes) < 4:
        records, following = read(service, following or "")
        sizes.append(len(records))
    assert sizes == [503, 3, 2, 0]


def test_the_end_of_a_shard_is_an_answer_without_a_next_iterator(service: Service) -> None:
    write(service, 3)
    iterator = iterator_of(service, only_shard(service))
    _, following = read(service, iterator)
    assert following and read(service, following)[0] == []  # empty, and not the end
    service.world.roll_over("orders")
    assert read(service, following) == ([], None)
    records, following = read(service, iterator, Limit=2)
    assert len(records) == 2 and following
    assert len(read(service, following)[0]) == 1


def test_an_iterator_lives_fifteen_minutes_from_each_page(service: Service) -> None:
    iterator: str | None = iterator_of(service, only_shard(service))
    for _ in range(3):
        service.world.advance(15 * 60)
        _, iterator = read(service, iterator or "")
    service.world.advance(15 * 60 + 1)
    with pytest.raises(Refusal, match="ExpiredIteratorException"):
        read(service, iterator or "")


def test_positions_before_the_horizon_are_trimmed() -> None:
    world = make_world(limits=Limits(rollover_seconds=0, iterator_seconds=10**9))
    service = make_service(world)
    world.create_table("orders")
    first = write(service, 2)
    shard = only_shard(service)
    old = iterator_of(service, shard)
    world.advance(12 * HOUR)
    second = write(service, 2, first=2)
    world.advance(12 * HOUR)
    with pytest.raises(Refusal, match="TrimmedDataAccessException"):
        read(service, old)
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
        with pytest.raises(Refusal, match="TrimmedDataAccessException"):
            iterator_of(service, shard, kind, after=str(first[0]))
    assert sequences(read_to_end(service, shard)) == second


def test_a_shard_that_vanished_is_not_found(service: Service) -> None:
    shard = only_shard(service)
    iterator = iterator_of(service, shard)
    service.world.roll_over("orders")
    service.world.lose(shard)
    for again in (lambda: read(service, iterator), lambda: iterator_of(service, shard)):
        with pytest.raises(Refusal, match="ResourceNotFoundException"):
            again()


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("GetRecords", {"ShardIterator": "nonsense"}),
        ("GetRecords", {}),
        ("DescribeStream", {"StreamArn": "arn", "Limit": 0}),
        ("ListStreams", {"Limit": 101}),
    ],
)
def test_nonsense_is_refused(service: Service, operation: str, given: dict[str, object]) -> None:
    with pytest.raises(Refusal, match=r"ValidationException|ResourceNotFoundException"):
        ask(service, operation, **given)
    with pytest.raises(Refusal, match="UnknownOperationException"):
        ask(service, "Nope")
