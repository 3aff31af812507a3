"""Changes: the order of their sequences, their exact times, and the digest that covers them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.change import (
    EPOCH,
    OPERATIONS,
    Change,
    LedgerEntry,
    digest,
    microseconds,
    moment,
    sequence_key,
    sequence_text,
)
from streams.stages import copy_change

numbers = st.integers(0, 10**45)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3)
fields: dict[str, st.SearchStrategy[Any]] = {
    "operation": st.sampled_from(OPERATIONS),
    "item": st.binary(min_size=16, max_size=16),
    "sequence": numbers.map(str),
    "event_id": st.text("ab1", max_size=2),
    "occurred": st.integers(0, 3),
    "keys": st.binary(max_size=2),
    "old": st.none() | st.binary(max_size=2),
    "new": st.none() | st.binary(max_size=2),
    "changed": st.none() | st.lists(names, max_size=2).map(tuple),
    "user_identity": st.none() | st.binary(max_size=2),
    "size": st.integers(0, 3),
}
changes = st.builds(Change, **fields)
ENTRY = LedgerEntry(1, 2, 3, "", "5", "7", 1, 0, 0, 0, 0, 0, 100)
CHANGE = Change("INSERT", bytes(16), "1", "e", 1, b"{}", None, b"{}", ("a",), None, 2)


def digest_of(before: bytes, entry: LedgerEntry, *changes: Change) -> bytes:
    return digest(before, entry, [copy_change.row(1, 1, change) for change in changes])


# Sequences


@given(numbers, numbers, st.integers(0, 40))
def test_sequences_sort_as_numbers_padded_or_not(one: int, other: int, width: int) -> None:
    keys = [sequence_key(str(number).zfill(width)) for number in (one, other)]
    assert (keys[0] < keys[1]) == (one < other)
    assert (keys[0].encode() < keys[1].encode()) == (one < other)


@given(st.text("0123456789", max_size=128))
def test_a_sequence_comes_back_as_it_was_spelled(sequence: str) -> None:
    assert sequence_text(sequence_key(sequence)) == sequence


@given(numbers)
def test_no_sequence_sorts_before_every_sequence(number: int) -> None:
    assert sequence_key("") < sequence_key(str(number))


# Times


@given(st.integers(-(10**15), 10**16))
def test_a_time_survives_exactly(number: int) -> None:
    assert microseconds(moment(number)) == number


@given(st.datetimes(datetime(1900, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))
def test_a_moment_survives_exactly(at: datetime) -> None:
    assert moment(microseconds(at)) == at


def test_a_moment_counts_from_1970() -> None:
    assert moment(1) == EPOCH + timedelta(microseconds=1)
    assert microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)) == 1_000_000


# Digests


@given(changes, st.sampled_from(sorted(fields)), st.data())
def test_the_digest_covers_every_field_of_a_change(
    change: Change, field: str, data: st.DataObject
) -> None:
    altered = replace(change, **{field: data.draw(fields[field])})
    assume(altered != change)
    assert digest_of(b"", ENTRY, change) != digest_of(b"", ENTRY, altered)


@given(changes)
def test_the_same_change_has_the_same_digest(change: Change) -> None:
    copy = msgspec.convert(msgspec.to_builtins(change), Change)
    assert digest_of(b"x", ENTRY, change) == digest_of(b"x", ENTRY, copy)


def test_the_digest_covers_every_field_of_the_ledger() -> None:
    whole = digest_of(b"", ENTRY, CHANGE)
    for name in ENTRY.__struct_fields__:
        value = getattr(ENTRY, name)
        altered = replace(ENTRY, **{name: value + (1 if isinstance(value, int) else "1")})
        assert digest_of(b"", altered, CHANGE) != whole, name


def test_the_digest_covers_the_digest_before() -> None:
    assert digest_of(b"a", ENTRY, CHANGE) != digest_of(b"b", ENTRY, CHANGE)


@given(st.lists(changes, min_size=2, max_size=4, unique=True), st.randoms())
def test_the_digest_covers_the_order(given_: list[Change], dice: Any) -> None:
    shuffled = dice.sample(given_, len(given_))
    assert (digest_of(b"", ENTRY, *shuffled) == digest_of(b"", ENTRY, *given_)) == (
        shuffled == given_
    )


@given(st.lists(changes, max_size=3), st.lists(changes, max_size=3))
def test_the_digest_covers_which_changes_there_are(one: list[Change], other: list[Change]) -> None:
    assert (digest_of(b"", ENTRY, *one) == digest_of(b"", ENTRY, *other)) == (one == other)
    assert len(digest_of(b"", ENTRY, *one)) == 32
