"""The event of a change: what Lambda would get, the plain shape beside it, only what is asked."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.change import Change
from streams.indexing import Indexed
from streams.rules.events.change_event import ChangeEvents
from streams.rules.events.change_parts import StreamFacts, Wanted
from streams.rules.matching.matcher import Matcher
from streams.rules.patterns.compiler import compile_pattern
from streams.rules.values import Number
from streams.sources.dynamodb import records
from streams.testing.simulated import spelling

ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2027-01-15T08:00:00.000"
NO_TERMS = Indexed(frozenset(), 0, "", ())
STREAM = StreamFacts.of("shop", ARN, "NEW_AND_OLD_IMAGES")
OLD = {"pk": {"S": "o1"}, "status": {"S": "new"}}
NEW = {
    "pk": {"S": "o1"},
    "status": {"S": "paid"},
    "total": {"N": "12345678901234567890123456789012345678"},
    "ok": {"BOOL": True},
    "gone": {"NULL": True},
    "raw": {"B": "AAE="},
    "list": {"L": [{"N": "1.50"}, {"M": {"a.b": {"S": "x"}}}, {"NULL": True}]},
    "numbers": {"NS": ["1", "2.0"]},
    "words": {"SS": ["a", "b"]},
    "a.b": {"S": "dotted"},
    "a": {"M": {"b": {"S": "deep"}}},
}


def raw_record(**over: Any) -> dict[str, Any]:
    made = spelling.record(
        arn=ARN,
        region="eu-central-1",
        view_type="NEW_AND_OLD_IMAGES",
        sequence=111,
        second=1_800_000_000,
        keys={"pk": {"S": "o1"}},
        old=OLD,
        new=NEW,
    )
    return made | over


def event_of(record: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    return ChangeEvents(STREAM, wanted).of(records.parse(json.dumps(record).encode(), 1, NO_TERMS))


def asked(*patterns: dict[str, Any]) -> Wanted:
    return Wanted.of(compile_pattern(pattern).form for pattern in patterns)


def test_the_record_shape_is_what_lambda_gets() -> None:
    record = raw_record(userIdentity={"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"})
    event = event_of(record, Wanted.everything())
    expected = record | {
        "eventSourceARN": ARN,
        "userIdentity": {"principalId": "dynamodb.amazonaws.com", "type": "Service"},
    }
    assert {name: event[name] for name in expected} == expected


def test_the_plain_shape_lies_beside_it() -> None:
    event = event_of(raw_record(), Wanted.everything())
    assert {
        name: event[name]
        for name in ("table", "stream", "account", "region", "operation", "ttl", "changed", "keys")
    } == {
        "table": "orders",
        "stream": "shop",
        "account": "123456789012",
        "region": "eu-central-1",
        "operation": "MODIFY",
        "ttl": False,
        "changed": sorted(NEW.keys() - {"pk"}),
        "keys": {"pk": "o1"},
    }
    assert event["old"] == {"pk": "o1", "status": "new"}
    assert event["new"] == {
        "pk": "o1",
        "status": "paid",
        "total": Number("12345678901234567890123456789012345678"),
        "ok": True,
        "gone": None,
        "raw": "AAE=",
        "list": [Number("1.50"), {"a.b": "x"}, None],
        "numbers": [Number("1"), Number("2.0")],
        "words": ["a", "b"],
        "a.b": "dotted",
        "a": {"b": "deep"},
    }


def test_what_the_stream_does_not_give_is_absent() -> None:
    record = raw_record(eventName="INSERT")
    del record["dynamodb"]["OldImage"], record["dynamodb"]["NewImage"]
    event = event_of(record, Wanted.everything())
    assert not event.keys() & {"old", "new", "changed", "userIdentity"}
    assert not event["dynamodb"].keys() & {"OldImage", "NewImage"}


def test_a_deletion_by_time_to_live_is_told() -> None:
    record = raw_record(userIdentity=spelling.TIME_TO_LIVE)
    assert event_of(record, asked({"ttl": [True]})) == {"ttl": True}


@pytest.mark.parametrize(
    ("pattern", "event"),
    [
        ({"table": ["x"]}, {"table": "orders"}),
        ({"new": {"status": ["x"]}}, {"new": {"status": "paid"}}),
        ({"new": {"a": {"b": ["x"]}}}, {"new": {"a": {"b": "deep"}, "a.b": "dotted"}}),
        ({"dynamodb": {"Keys": {"pk": {"S": ["x"]}}}}, {"dynamodb": {"Keys": {"pk": {"S": "o1"}}}}),
        ({"dynamodb": {"SizeBytes": [1]}, "size": [1]}, {"size": 0, "dynamodb": {"SizeBytes": 0}}),
        ({"old": {"status": ["x"], "no": ["x"]}, "other": ["x"]}, {"old": {"status": "new"}}),
        ({"new": {"status": {"S": ["x"]}}, "dynamodb": {"x": ["y"]}}, {"new": {"status": "paid"}}),
        (
            {"dynamodb": {"NewImage": {"total": {"N": ["x"]}}}, "new": {"status": ["x"]}},
            {"new": {"status": "paid"}, "dynamodb": {"NewImage": {"total": NEW["total"]}}},
        ),
    ],
)
def test_only_what_a_filter_asks_for_is_made(pattern: Any, event: dict[str, Any]) -> None:
    record = raw_record()
    record["dynamodb"]["SizeBytes"] = 0
    assert event_of(record, asked(pattern)) == event


def test_an_image_that_nobody_asks_for_is_not_read() -> None:
    change = msgspec.structs.replace(
        records.parse(json.dumps(raw_record()).encode(), 1, NO_TERMS), old=b"broken", new=b"broken"
    )
    events = ChangeEvents(STREAM, asked({"keys": {"pk": ["o1"]}, "operation": ["MODIFY"]}))
    assert events.of(change) == {"keys": {"pk": "o1"}, "operation": "MODIFY"}


@pytest.mark.parametrize(
    "text", ['"\\ud800"', '"\\u0000"', '"\\ud83d\\ude00"', '"a\\ud800b\\u0000"', '"ä"']
)
def test_any_text_is_read(text: str) -> None:
    image = b'{"t":{"S":%b},"other":{"S":%b}}' % (text.encode(), text.encode())
    value = json.loads(text)
    for wanted in (asked({"new": {"t": ["x"]}}), asked({"new": {value: ["x"], "t": ["x"]}})):
        event = ChangeEvents(STREAM, wanted).make(
            "INSERT", b'{"pk":{"S":"a"}}', None, image, None, None, 1, "1", "", 0
        )
        assert event == {"new": {"t": value}}


def test_an_attribute_may_have_any_name() -> None:
    for name in ("a b", "a\0b", "\ud800", '"', "ä", "a.b.c"):
        image = json.dumps({name: {"S": "x"}, "other": {"S": "y"}}).encode()
        wanted = Wanted.of_paths([f"new.{name}"])
        event = ChangeEvents(STREAM, wanted).make(
            "INSERT", b"{}", None, image, None, None, 1, "1", "", 0
        )
        assert event == {"new": {name: "x"}}


def test_many_wanted_attributes_are_found_too() -> None:
    wanted = Wanted.of_paths([f"new.name{n}" for n in range(1_000)])
    image = json.dumps({"name7": {"S": "x"}, "other": {"S": "y"}}).encode()
    event = ChangeEvents(STREAM, wanted).make(
        "INSERT", b"{}", None, image, None, None, 1, "1", "", 0
    )
    assert event == {"new": {"name7": "x"}}


def test_an_attribute_that_is_no_dynamodb_value_is_shown_as_it_is() -> None:
    image = {"a": {"N": "abc"}, "b": {"X": 1}, "d": {}, "e": {"B": "x", "N": "1"}}
    wanted = Wanted.of_paths(["new"])
    event = ChangeEvents(STREAM, wanted).make(
        "INSERT", b"{}", None, json.dumps(image).encode(), None, None, 1, "1", "", 0
    )
    assert event["new"] == {"a": "abc", "b": 1, "d": {}, "e": {"B": "x", "N": "1"}}


@pytest.mark.parametrize("micros", [1_800_000_000_000_000, 1_800_000_000_250_000, 0])
def test_times_are_seconds_as_in_the_record(micros: int) -> None:
    wanted = asked({"dynamodb": {"ApproximateCreationDateTime": [1]}})
    event = ChangeEvents(STREAM, wanted).make(
        "INSERT", b"{}", None, None, None, None, 1, "1", "", micros
    )
    seconds = event["dynamodb"]["ApproximateCreationDateTime"]
    assert (seconds, type(seconds)) == (
        (micros // 1_000_000, int) if micros % 1_000_000 == 0 else (micros / 1_000_000, float)
    )


@pytest.mark.parametrize(
    ("arn", "table", "facts"),
    [
        (ARN, "", ("orders", "123456789012", "eu-central-1")),
        (ARN, "other", ("other", "123456789012", "eu-central-1")),
        ("arn:aws-cn:dynamodb:cn-north-1:1:table/t/stream/x", "", ("t", "1", "cn-north-1")),
        ("", "orders", ("orders", "", "")),
    ],
)
def test_the_arn_tells_the_stream(arn: str, table: str, facts: tuple[str, ...]) -> None:
    stream = StreamFacts.of("shop", arn, "KEYS_ONLY", table)
    assert (stream.table, stream.account, stream.region) == facts


names = st.sampled_from(("a", "b", "a.b", "b.c", "status"))
scalars = st.sampled_from(({"S": "x"}, {"N": "1"}, {"BOOL": True}, {"NULL": True}, {"NS": ["1"]}))
attributes = st.recursive(
    scalars,
    lambda inner: (
        st.dictionaries(names, inner, max_size=2).map(lambda m: {"M": m})
        | st.lists(inner, max_size=2).map(lambda found: {"L": found})
    ),
    max_leaves=5,
)
images = st.none() | st.dictionaries(names, attributes, max_size=3)
paths = st.lists(names, min_size=1, max_size=3).map(".".join)
tests = st.sampled_from(("x", 1, True, None, {"exists": False}, {"anything-but": "x"}))


@given(
    st.lists(
        st.tuples(st.sampled_from(("new", "old", "dynamodb.NewImage")), paths, tests), max_size=5
    ),
    images,
    images,
)
def test_a_part_of_the_event_matches_as_the_whole_does(
    found: list[tuple[str, str, Any]], old: Any, new: Any
) -> None:
    filters = {
        number: compile_pattern({f"{root}.{path}": [test], "operation": ["MODIFY"]})
        for number, (root, path, test) in enumerate(found)
    }
    change = Change("MODIFY", b"", "1", "", 0, b"{}", _bytes(old), _bytes(new), (), None, 1)
    matcher = Matcher(filters)
    part = ChangeEvents(STREAM, matcher.wanted).of(change)
    whole = ChangeEvents(STREAM, Wanted.everything()).of(change)
    expected = {number for number, one in filters.items() if one.matches(whole)}
    assert matcher.match(part) == matcher.match(whole) == expected
    assert {number for number, one in filters.items() if one.matches(part)} == expected


def _bytes(image: Any) -> bytes | None:
    return None if image is None else json.dumps(image).encode()
