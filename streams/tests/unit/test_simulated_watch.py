"""The watch: what a client does wrong is refused as AWS does, and written down."""

from collections.abc import Callable

import pytest

from streams.testing.simulated.service import Service
from streams.testing.simulated.watch import Rates, Watch
from streams.tests.unit.simulated_calls import (
    UNLIMITED,
    Refusal,
    arn_of,
    ask,
    item,
    iterator_of,
    make_service,
    read,
    read_to_end,
    shards_of,
)


class Seconds:
    """A monotonic clock that stands still."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def make(seconds: Seconds) -> Callable[..., Service]:
    def made(rates: Rates = UNLIMITED, **settings: bool) -> Service:
        service = make_service(watch=Watch(rates, monotonic=seconds, **settings))
        service.world.create_table("orders")
        for number in range(20):
            service.world.put("orders", item(number))
        return service

    return made


def kinds(service: Service) -> set[str]:
    return {violation.kind for violation in service.watch.violations()}


@pytest.mark.parametrize(("operation", "most"), [("DescribeStream", 10), ("ListStreams", 5)])
def test_listings_beyond_their_rate_are_refused(
    make: Callable[..., Service], seconds: Seconds, operation: str, most: int
) -> None:
    service = make(Rates())
    given = {"StreamArn": arn_of(service)} if operation == "DescribeStream" else {}
    for _ in range(2):
        for _ in range(most):
            ask(service, operation, **given)
        with pytest.raises(Refusal, match="LimitExceededException"):
            ask(service, operation, **given)
        seconds.now += 1
    (violation,) = service.watch.violations()
    assert (violation.kind, violation.count) == ("too-many-calls", 2)


def test_a_shard_gives_five_pages_a_second(make: Callable[..., Service], seconds: Seconds) -> None:
    service = make(Rates())
    iterator = iterator_of(service, shards_of(service)[0]["ShardId"])
    for _ in range(20):
        read(service, iterator)
        seconds.now += 0.25
    assert not service.watch.violations()
    seconds.now += 1
    for _ in range(5):
        read(service, iterator)
    with pytest.raises(Refusal, match="LimitExceededException"):
        read(service, iterator)


def test_a_third_reader_of_a_shard_is_refused(
    make: Callable[..., Service], seconds: Seconds
) -> None:
    service = make()
    shard = shards_of(service)[0]["ShardId"]
    readers = [iterator_of(service, shard) for _ in range(3)]
    for _ in range(4):
        for iterator in readers[:2]:
            read(service, iterator)
            seconds.now += 0.1
    assert not service.watch.violations()
    read(service, readers[2])  # it could be the first one's new iterator
    read(service, readers[0])
    read(service, readers[1])
    with pytest.raises(Refusal, match="LimitExceededException"):
        read(service, readers[2])
    read(service, readers[0])
    assert kinds(service) == {"too-many-readers"}


def test_one_reader_may_take_as_many_iterators_as_it_needs(
    make: Callable[..., Service], seconds: Seconds
) -> None:
    service = make()
    shard = shards_of(service)[0]["ShardId"]
    for _ in range(8):
        read(service, iterator_of(service, shard))
        seconds.now += 0.1
    assert not service.watch.violations()


def test_a_child_read_before_its_parents_end_is_noted(make: Callable[..., Service]) -> None:
    service = make()
    service.world.split("orders")
    parent, child, _ = [shard["ShardId"] for shard in shards_of(service)]
    read_to_end(service, child)
    assert kinds(service) == {"child-before-parent"}
    service.watch.forget()
    read_to_end(service, parent)
    read_to_end(service, child)
    assert not service.watch.violations()


def test_a_child_may_be_read_once_its_parent_is_gone(make: Callable[..., Service]) -> None:
    service = make()
    service.world.split("orders")
    parent, child, _ = [shard["ShardId"] for shard in shards_of(service)]
    service.world.lose(parent)
    read_to_end(service, child)
    assert not service.watch.violations()


def test_who_begins_with_the_newest_needs_no_parent(make: Callable[..., Service]) -> None:
    service = make()
    service.world.split("orders")
    child = shards_of(service)[1]["ShardId"]
    read(service, iterator_of(service, child, "LATEST"))
    assert not service.watch.violations()


def test_it_may_only_look(make: Callable[..., Service]) -> None:
    service = make(Rates(list_streams=0), enforce=False)
    ask(service, "ListStreams")
    assert kinds(service) == {"too-many-calls"}
