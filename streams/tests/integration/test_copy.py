"""The binary COPY: what is read back is the change that was written, byte for byte."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.change import OPERATIONS, Change, sequence_key
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import as_change, store_in, stored_in, terms_in

pytestmark = pytest.mark.django_db(transaction=True)

# Every text that JSON may hold: NUL and lone surrogates as escapes too.
texts = st.text(st.characters(), max_size=8)
images = st.dictionaries(texts, texts.map(lambda text: {"S": text}), max_size=3)
spellings: st.SearchStrategy[Callable[[object], str]] = st.sampled_from(
    [json.dumps, lambda value: json.dumps(value, indent=1, separators=(" ,", ":\t"))]
)
json_bytes = st.builds(lambda spell, image: spell(image).encode(), spellings, images)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
changes = st.builds(
    Change,
    operation=st.sampled_from(OPERATIONS),
    item=st.binary(min_size=16, max_size=16),
    sequence=st.integers(0, 10**40).map(str),
    event_id=st.text("abc-0123", max_size=40),
    # One day: each day is a partition of its own.
    occurred=st.integers(1_800_000_000_000_000, 1_800_000_060_000_000),
    keys=json_bytes,
    old=st.none() | json_bytes,
    new=st.none() | json_bytes,
    changed=st.none() | st.lists(names, max_size=3).map(tuple),
    user_identity=st.none() | json_bytes,
    size=st.integers(0, 2**31 - 1),
    terms=st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4).map(tuple),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(changes, max_size=5, unique_by=lambda change: change.sequence))
def test_what_is_read_is_what_was_written(given_: list[Change]) -> None:
    written = sorted(given_, key=lambda change: sequence_key(change.sequence))
    shard = make_shard(make_stream())
    store_in(shard, *written)
    assert [as_change(row) for row in stored_in(shard.stream)] == [
        replace(change, terms=()) for change in written
    ]
    assert terms_in(shard.stream) == [change.terms for change in written]


def test_an_image_of_four_hundred_kilobytes_survives() -> None:
    shard = make_shard(make_stream())
    image = json.dumps({"v": {"S": "ü" * 200_000}}, ensure_ascii=False).encode()
    change = make_change(shard.stream_id, 1)
    store_in(shard, replace(change, new=image))
    assert stored_in(shard.stream)[0].new == image


def test_generation_stream_and_shard_are_told() -> None:
    stream = make_stream(generation=3)
    shard = make_shard(stream, "the-shard")
    store_in(shard, make_change(stream.pk, 1))
    row = stored_in(stream)[0]
    assert (row.generation, row.stream_id) == (3, stream.pk)
    assert (row.stream, row.shard) == (stream.name, "the-shard")
