"""Records: what DynamoDB sends becomes a change exactly, or is refused as unreadable."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.change import Change
from streams.errors import UnreadableRecord
from streams.indexing import NOTHING, indexed_of
from streams.item_key import canonical, item_id
from streams.sources.dynamodb import lenient
from streams.sources.dynamodb.records import Record, parse, parse_all, sequence_of
from streams.testing.scripted import make_record

OLD = {"pk": {"S": "a"}, "total": {"N": "1"}, "state": {"S": "new"}}
NEW = {"pk": {"S": "a"}, "total": {"N": "2"}, "note": {"NULL": True}}
DIGITS = "12345678901234567890123456789012345678"


def changed(old: dict[str, Any], new: dict[str, Any]) -> tuple[str, ...] | None:
    return parse(make_record(1, OldImage=old, NewImage=new), 1, NOTHING).changed


def test_it_reads_every_field() -> None:
    identity = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    raw = make_record(7, key="x", seconds=1_700_000_001, eventName="REMOVE", userIdentity=identity)
    change = parse(raw, 3, NOTHING)
    assert change.operation == "REMOVE"
    assert change.item == item_id(3, canonical({"pk": {"S": "x"}})).bytes
    assert (change.sequence, change.event_id) == ("7".zfill(21), "event-7")
    assert change.occurred == 1_700_000_001_000_000
    assert json.loads(change.user_identity or b"") == identity
    assert change.size == 26


@pytest.mark.parametrize(
    ("view", "images"),
    [
        ("NEW_AND_OLD_IMAGES", {"OldImage": OLD, "NewImage": NEW}),
        ("NEW_IMAGE", {"NewImage": NEW}),
        ("OLD_IMAGE", {"OldImage": OLD}),
        ("KEYS_ONLY", {}),
    ],
)
def test_it_reads_every_view_type(view: str, images: dict[str, Any]) -> None:
    change = parse(make_record(1, StreamViewType=view, **images), 1, NOTHING)
    assert (change.old is not None) == ("OldImage" in images)
    assert (change.new is not None) == ("NewImage" in images)
    assert change.changed == (("note", "state", "total") if len(images) == 2 else None)


@pytest.mark.parametrize(
    ("operation", "images", "names"),
    [
        ("INSERT", {"NewImage": NEW}, ("note", "pk", "total")),
        ("INSERT", {}, None),
        ("REMOVE", {"OldImage": OLD}, ("pk", "state", "total")),
        ("REMOVE", {}, None),
        ("MODIFY", {"OldImage": OLD, "NewImage": OLD}, ()),
        ("MODIFY", {"OldImage": OLD, "NewImage": None}, None),
    ],
)
def test_it_names_what_changed(
    operation: str, images: dict[str, Any], names: tuple[str, ...] | None
) -> None:
    assert parse(make_record(1, eventName=operation, **images), 1, NOTHING).changed == names


def test_images_and_keys_stay_the_bytes_they_came_in() -> None:
    image = b'{ "pk":{"S":"\\u00fc"},\n "n": {"N":"1.50"} }'
    raw = make_record(1, NewImage="@", Keys="#").replace(b'"@"', image)
    raw = raw.replace(b'"#"', b'{"pk" : {"S":"\\u00fc"}}')
    change = parse(raw, 1, NOTHING)
    assert change.new == image
    assert change.keys == b'{"pk" : {"S":"\\u00fc"}}'


def test_numbers_keep_all_38_digits() -> None:
    change = parse(
        make_record(1, Keys={"pk": {"N": DIGITS}}, NewImage={"n": {"N": DIGITS}}), 1, NOTHING
    )
    assert DIGITS.encode() in change.keys
    assert DIGITS.encode() in (change.new or b"")
    assert (
        change.item != parse(make_record(1, Keys={"pk": {"N": DIGITS[:-1] + "9"}}), 1, NOTHING).item
    )


def test_a_set_in_another_order_is_no_change() -> None:
    old = {"s": {"SS": ["a", "b"]}, "n": {"NS": ["1", "2"]}, "b": {"BS": ["AA==", "AQ=="]}}
    new = {name: {t: v[::-1] for t, v in typed.items()} for name, typed in old.items()}
    assert changed(old, new) == ()
    assert changed(old, {**new, "s": {"SS": ["a", "c"]}}) == ("s",)
    assert changed(old, {**new, "n": {"SS": ["1", "2"]}}) == ("n",)


def test_a_list_in_another_order_is_a_change() -> None:
    assert changed({"l": {"L": [{"N": "1"}, {"N": "2"}]}}, {"l": {"L": [{"N": "2"}]}}) == ("l",)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "x\udfff", "😀", ""])
def test_odd_text_in_values_survives(text: str) -> None:
    change = parse(make_record(1, OldImage=OLD, NewImage={"v": {"S": text}}), 1, NOTHING)
    assert json.loads(change.new or b"") == {"v": {"S": text}}
    assert change.changed == ("pk", "state", "total", "v")


@pytest.mark.parametrize("text", ["\0", "\ud800", "ü\0\udfff"])
def test_odd_text_in_keys_survives_and_names_the_item(text: str) -> None:
    change = parse(make_record(1, key=text), 1, NOTHING)
    assert json.loads(change.keys) == {"pk": {"S": text}}
    assert change.item == item_id(1, canonical({"pk": {"S": text}})).bytes


@pytest.mark.parametrize(
    ("name", "spelled"), [("a\0b", "a\\u0000b"), ("\ud800", "\\ud800"), ("ü", "ü")]
)
def test_odd_attribute_names_become_text_that_postgres_holds(name: str, spelled: str) -> None:
    assert changed({}, {name: {"N": "1"}}) == (spelled,)


@pytest.mark.parametrize("part", ["Keys", "NewImage", "OldImage"])
def test_bytes_that_are_no_utf8_become_escapes(part: str) -> None:
    fields: dict[str, Any] = {part: {"v": {"S": "@"}}}
    raw = make_record(1, **fields).replace(b"@", b"\xff")
    records, following = lenient.page(b'{"NextShardIterator":"i","Records":[%b]}' % raw)
    change = parse(records[0], 1, NOTHING)
    assert following == "i"
    assert b'{"v":{"S":"\\udcff"}}' in (change.keys, change.new, change.old)


@pytest.mark.parametrize(
    "fields",
    [
        {"eventName": "PATCH"},
        {"eventName": None},
        {"eventID": 'no "plain" \n text'},
        {"SequenceNumber": "12a"},
        {"SequenceNumber": ""},
        {"SequenceNumber": 12},
        {"SequenceNumber": "1" * 200},
        {"ApproximateCreationDateTime": "yesterday"},
        {"ApproximateCreationDateTime": -1},
        {"ApproximateCreationDateTime": 1e300},
        {"SizeBytes": 2**31},
        {"SizeBytes": -1},
        {"Keys": {}},
        {"Keys": None},
        {"Keys": [1]},
        {"Keys": {"pk": "a"}},
        {"Keys": {"pk": ["S"]}},
        {"Keys": {"pk": {}}},
        {"Keys": {"pk": {"S": 5}}},
        {"Keys": {"pk": {"S": None}}},
        {"Keys": {"pk": {"S": "a", "N": "1"}}},
        {"Keys": {"pk": {"BOOL": "x"}}},
        {"Keys": {"pk": {"N": "seven"}}},
        {"Keys": {"pk": {"N": "1e999999"}}},
        {"NewImage": [1], "OldImage": {}},
    ],
)
def test_a_malformed_record_is_unreadable(fields: dict[str, Any]) -> None:
    with pytest.raises(UnreadableRecord):
        parse(make_record(1, **fields), 1, NOTHING)


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"7", b"[]", b"{}", b'{"eventName":"INSERT","dynamodb":[]}', b"\xff\0"]
)
def test_what_is_no_record_is_unreadable(raw: bytes) -> None:
    with pytest.raises(UnreadableRecord):
        parse(raw, 1, NOTHING)


def test_a_record_nested_without_end_is_unreadable() -> None:
    raw = make_record(1, NewImage="@").replace(b'"@"', b'{"a":' * 100_000 + b"1" + b"}" * 100_000)
    with pytest.raises(UnreadableRecord):
        parse(raw, 1, NOTHING)


def test_the_sequence_of_an_unreadable_record_is_found() -> None:
    fooling = {"a": {"S": '"SequenceNumber":"666"'}, "SequenceNumber": {"S": "667"}}
    raw = make_record(5, eventName="?", Keys=fooling)
    assert sequence_of(raw) == "5".zfill(21)
    assert sequence_of(b"{}") == ""


def assert_readable_or_refused(raw: bytes) -> None:
    """A change that can be written, or UnreadableRecord with a reason that can be kept."""
    try:
        change = parse(raw, 1, NOTHING)
    except UnreadableRecord as error:
        assert "\0" not in str(error).encode().decode()
        return
    assert isinstance(change, Change)
    assert "\0" not in "".join(change.changed or ()).encode().decode()
    assert 0 <= change.size < 2**31


json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(), max_size=5),
        st.sampled_from(["INSERT", "MODIFY", "1"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from(["S", "N", "B", "SS", "pk"]), st.text(max_size=3)),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)
_NAMES = ["eventName", "eventID", "dynamodb", "userIdentity"]
_NAMES += ["Keys", "NewImage", "OldImage", "SequenceNumber", "SizeBytes"]
odd_fields = st.dictionaries(
    st.sampled_from([*_NAMES, "ApproximateCreationDateTime"]), json_values, max_size=3
)


@given(odd_fields)
def test_no_odd_field_brings_another_error(fields: dict[str, Any]) -> None:
    given_ = {"OldImage": OLD, "NewImage": NEW, **fields}
    seconds = given_.pop("ApproximateCreationDateTime", 1.8e9)
    own = {"dynamodb": given_.pop("dynamodb")} if "dynamodb" in given_ else {}
    record = json.loads(make_record(1, **given_)) | own
    if isinstance(record["dynamodb"], dict):
        record["dynamodb"]["ApproximateCreationDateTime"] = seconds
    assert_readable_or_refused(json.dumps(record).encode())


@given(st.integers(0, 400), st.binary(max_size=3), st.integers(0, 3))
def test_no_broken_byte_brings_another_error(place: int, bytes_: bytes, cut: int) -> None:
    raw = make_record(1, OldImage=OLD, NewImage=NEW)
    assert_readable_or_refused(raw[:place] + bytes_ + raw[place + cut :])


@given(json_values)
def test_no_json_brings_another_error(value: Any) -> None:
    assert_readable_or_refused(json.dumps(value).encode())


values = st.sampled_from(
    [{"S": "x"}, {"S": 'S":['}, {"N": "1"}, {"SS": ["a", "b"]}, {"SS": ["b", "a"]}, {"L": []}]
)
page_images = st.none() | st.dictionaries(
    st.sampled_from(["pk", "id", "tags", "ü", "user_id"]), values, max_size=4
)
page_fields = st.fixed_dictionaries(
    {"OldImage": page_images, "NewImage": page_images},
    optional={
        "eventName": st.sampled_from(["INSERT", "MODIFY", "REMOVE"]),
        "eventID": st.sampled_from(["", "0f", "a-b", "ü", "x" * 200]),
        "SequenceNumber": st.sampled_from(["1", "007", "", "1a", "\u0661", "1" * 200]),
        "SizeBytes": st.sampled_from([0, -1, 2**31]),
        "userIdentity": st.sampled_from([None, {"type": "Service"}]),
        "Keys": st.sampled_from(
            [
                {"pk": {"S": "ü"}},
                {"a": {"S": "x"}, "b": {"N": "1.0"}},
                {"b": {"S": "x"}, "a": {"N": "1"}},
            ]
        ),
    },
)


@given(st.lists(page_fields, max_size=3))
def test_a_page_at_once_gives_what_each_record_gives(pages: list[dict[str, Any]]) -> None:
    indexed = indexed_of(None, None, [["pk", "S"]])
    raws = []
    for number, fields in enumerate(pages):
        given_ = {name: value for name, value in fields.items() if value is not None}
        raws.append(make_record(number, **given_))
    decoded = [msgspec.json.decode(raw, type=Record) for raw in raws]
    try:
        each = [parse(raw, 1, indexed) for raw in raws]
    except UnreadableRecord:
        with pytest.raises(UnreadableRecord):
            parse_all(decoded, 1, indexed)
    else:
        assert parse_all(decoded, 1, indexed) == each
