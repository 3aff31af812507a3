"""Faults strike where, when and as often as declared, with the same dice for the same seed."""

import json
from pathlib import Path
from typing import Any

import pytest

from streams.testing.simulated import poison
from streams.testing.simulated.__main__ import _answers, _parser
from streams.testing.simulated.exchange import Ending, Request
from streams.testing.simulated.faults import Call, Fault, Faults
from streams.testing.simulated.scenario import service_of
from streams.testing.simulated.service import CONTROL_PATH, Service
from streams.tests.unit.simulated_calls import (
    Refusal,
    answer_of,
    arn_of,
    ask,
    item,
    iterator_of,
    make_service,
    read,
    read_to_end,
    sequences,
    shards_of,
)


@pytest.fixture
def service() -> Service:
    made = make_service()
    made.world.create_table("orders")
    for number in range(10):
        made.world.put("orders", item(number))
    return made


def first_iterator(service: Service) -> str:
    return iterator_of(service, shards_of(service)[0]["ShardId"])


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("throttled", "ProvisionedThroughputExceededException"),
        ("limit-exceeded", "LimitExceededException"),
        ("throttling", "ThrottlingException"),
        ("internal", "InternalServerError"),
        ("denied", "AccessDeniedException"),
        ("wrong-region", "InvalidSignatureException"),
        ("bad-signature", "InvalidSignatureException"),
        ("unknown-key", "UnrecognizedClientException"),
        ("expired-token", "ExpiredTokenException"),
        ("expired-iterator", "ExpiredIteratorException"),
        ("trimmed", "TrimmedDataAccessException"),
        ("not-found", "ResourceNotFoundException"),
    ],
)
def test_a_call_is_refused_with_the_code_of_its_fault(
    service: Service, kind: str, code: str
) -> None:
    iterator = first_iterator(service)
    service.faults.add(Fault(kind, operations=("GetRecords",)))
    with pytest.raises(Refusal, match=code):
        read(service, iterator)
    assert answer_of(service, "GetRecords", ShardIterator=iterator).status == (
        500 if kind == "internal" else 400
    )
    assert arn_of(service)  # the other calls work
    service.faults.clear()
    assert len(read(service, iterator)[0]) == 10


def test_an_answer_may_be_late_cut_reset_or_garbage(service: Service) -> None:
    service.faults.add(Fault("slow", seconds=3, most=1), Fault("cut", skip=1, most=1))
    service.faults.add(Fault("reset", skip=2, most=1), Fault("garbage", skip=3, most=1))
    service.faults.add(Fault("unavailable", skip=4))
    answers = [answer_of(service, "ListTables") for _ in range(5)]
    assert [answer.delay for answer in answers] == [3, 0, 0, 0, 0]
    expected = [Ending.WHOLE, Ending.CUT, Ending.RESET, Ending.GARBAGE, Ending.WHOLE]
    assert [answer.ending for answer in answers] == expected
    assert answers[-1].status == 503
    assert service.faults.struck() == {
        kind: 1 for kind in ("slow", "cut", "reset", "garbage", "unavailable")
    }


def test_a_listing_fails_on_its_second_page_only(service: Service) -> None:
    service.world.split("orders")
    arn = arn_of(service)
    service.faults.add(Fault("internal", operations=("DescribeStream",), page=2))
    first, second = shards_of(service, arn, Limit=2)
    assert first and second
    with pytest.raises(Refusal, match="InternalServerError"):
        shards_of(service, arn, Limit=2, ExclusiveStartShardId=second["ShardId"])


def test_a_lagging_listing_knows_neither_the_children_nor_the_end(service: Service) -> None:
    service.world.advance(60)
    service.world.split("orders")
    service.faults.add(Fault("lagging-listing", operations=("DescribeStream",), seconds=30, most=1))
    (shard,) = shards_of(service)
    assert "EndingSequenceNumber" not in shard["SequenceNumberRange"]
    assert len(shards_of(service)) == 3


def test_an_empty_page_leads_on_to_the_records(service: Service) -> None:
    service.faults.add(Fault("empty-page", most=2))
    iterator: str | None = first_iterator(service)
    found = []
    for _ in range(3):
        page, iterator = read(service, iterator or "")
        found.append(len(page))
    # The listing and the iterator were calls, too: a fault that names no operation meets them.
    assert sum(found) == 10 and found[-1] in (0, 10)


def test_records_may_come_again(service: Service) -> None:
    iterator: str | None = first_iterator(service)
    first, iterator = read(service, iterator or "", Limit=6)
    service.faults.add(Fault("repeat", operations=("GetRecords",), records=4, most=1))
    again, iterator = read(service, iterator or "", Limit=6)
    assert sequences(again)[:4] == sequences(first)[2:]
    rest, _ = read(service, iterator or "")
    assert sorted({*sequences(first), *sequences(again), *sequences(rest)}) == sequences(
        read_to_end(service, shards_of(service)[0]["ShardId"])
    )


def test_a_shard_vanishes_between_listing_and_reading(service: Service) -> None:
    (shard,) = shards_of(service)
    service.faults.add(Fault("vanish", operations=("GetShardIterator",), most=1))
    with pytest.raises(Refusal, match="ResourceNotFoundException"):
        iterator_of(service, shard["ShardId"])
    (child,) = shards_of(service)
    assert child["ParentShardId"] == shard["ShardId"]


@pytest.mark.parametrize("kind", sorted(poison.KINDS))
def test_a_poisoned_record_is_the_same_bytes_on_every_read(service: Service, kind: str) -> None:
    service.faults.add(Fault("poison", poison=kind, most=1))
    record = service.world.put("orders", item(77, text="a"))
    service.world.put("orders", item(78))
    assert record and record.poison == kind
    iterator = first_iterator(service)
    pages = [answer_of(service, "GetRecords", ShardIterator=iterator).body for _ in range(2)]
    assert pages[0].split(b'"NextShardIterator"')[0] == pages[1].split(b'"NextShardIterator"')[0]
    assert b"," + record.raw + b"," in pages[0]
    assert len(json.loads(pages[0].decode("utf-8", "replace"))["Records"]) == 12


def test_the_same_seed_throws_the_same_dice() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add(Fault("cut", probability=0.3), Fault("internal", probability=0.3))
        plans = [faults.plan(Call("GetRecords"), 0) for _ in range(50)]
        return [plan.refusal is not None for plan in plans]

    assert struck(1) == struck(1) != struck(2)
    assert 5 < sum(struck(1)) < 25


def test_a_fault_lasts_as_long_as_it_says() -> None:
    fault = Fault("cut", shard="one", begins=10, ends=20)
    meant = [fault.is_meant(Call("GetRecords", shard="one"), at) for at in (9, 10, 19, 20)]
    assert meant == [False, True, True, False]
    assert not fault.is_meant(Call("GetRecords", shard="two"), 15)


@pytest.mark.parametrize("wrong", [{"kind": "evil"}, {"kind": "poison", "poison": "mild"}])
def test_a_fault_that_does_not_exist_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"evil|mild"):
        Fault.of(wrong)


def order(service: Service, **given: Any) -> Any:
    body = json.dumps(given).encode()
    answer = json.loads(service.answer(Request(CONTROL_PATH, "", "", body)).body)
    return answer.get("result", answer)


def test_a_scenario_says_what_there_is_and_what_happens_when(tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    scenario = {
        "clock": {"start": 1.8e9, "speed": 0},
        "tables": [{"table": "orders", "shards": 2, "keys": [["pk", "S"]]}],
        "faults": [{"kind": "internal", "operations": ["ListTables"], "most": 1}],
        "script": [
            {"at": 60, "do": "split", "table": "orders"},
            {"at": 0, "do": "fill", "table": "orders", "count": 50},
        ],
    }
    file.write_text(json.dumps(scenario))
    service = _answers(_parser().parse_args(["--scenario", str(file)]))
    assert isinstance(service, Service)
    assert len(shards_of(service)) == 2
    assert order(service, do="advance", seconds=60) is None
    assert len(shards_of(service)) == 4
    truth = order(service, do="truth", table="orders")
    assert sum(len(records) for shards in truth.values() for records in shards.values()) == 50
    with pytest.raises(Refusal, match="InternalServerError"):
        ask(service, "ListTables")


def test_orders_reach_all_of_the_world() -> None:
    service = service_of({"clock": {"speed": 0}, "tables": [{"table": "orders"}]})
    wrote = order(service, do="write", table="orders", items=[item(1)], poison="unknown-event")
    assert len(wrote) == 1
    assert order(service, do="delete", table="orders", key=item(1), by_time_to_live=True)
    first, second = order(service, do="split", table="orders")
    child = order(service, do="merge", table="orders", first=first, second=second)
    assert order(service, do="roll-over", table="orders", shard=child)
    order(service, do="disable", table="orders")
    arn = order(service, do="enable", table="orders", view_type="KEYS_ONLY")
    assert arn_of(service) == arn
    assert [len(shards) for shards in order(service, do="shards", table="orders").values()] == [
        5,
        1,
    ]
    order(service, do="fault", kind="denied", operations=["DescribeStream"])
    with pytest.raises(Refusal, match="AccessDeniedException"):
        shards_of(service)
    assert order(service, do="struck") == {"denied": 1}
    order(service, do="mend")
    assert order(service, do="violations") == []
    assert "error" in order(service, do="dance")
    assert "error" in order(service, do="split", table="nothing")


def test_a_call_for_another_region_is_refused_where_that_is_wanted() -> None:
    service = service_of({"check_region": True, "region": "eu-west-1"})
    with pytest.raises(Refusal, match="InvalidSignatureException"):
        ask(service, "ListTables")
    with pytest.raises(ValueError, match="colour"):
        service_of({"colour": "red"})
