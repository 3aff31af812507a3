"""Pages that were read in a row become one batch, and each takes its place in memory meanwhile."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import SourceUnavailable
from streams.indexing import NOTHING
from streams.models import Stream
from streams.sources.base import Page
from streams.stages.parse import parse_page
from streams.stages.reading import Outcome, Reading, Room
from streams.stages.store import ReadBatch, Tail, Target, joined
from streams.testing.scripted import ScriptedSource, make_record

SOURCE = ScriptedSource("arn")


def reading() -> Reading:
    target = Target(Stream(name="orders"), shard_id=1, generation=1, token=1)
    return Reading(
        target, SOURCE, "arn", "shard-1", Tail("", 0, b""), iterator="here", iterator_at=0.0
    )


def batch(*sequences: int, position: str = "", ended: bool = False) -> ReadBatch:
    records = [make_record(sequence) if sequence % 7 else b"{}" for sequence in sequences]
    return parse_page(
        SOURCE, 1, Page(records, None if ended else "on", False), position, None, NOTHING
    )


def page(reading: Reading, found: ReadBatch, *, last: bool = False) -> Outcome:
    return Outcome(reading, last, page=Page((), "on", False), batch=found)


@given(st.lists(st.integers(1, 4), max_size=8), st.booleans())
def test_batches_joined_are_what_one_long_page_would_be(sizes: list[int], ended: bool) -> None:
    sequences = iter(range(1, 100))
    pages = [[next(sequences) for _ in range(size)] for size in sizes] or [[]]
    parts = [batch(*numbers) for numbers in pages]
    position = ""
    for number, numbers in enumerate(pages):  # each goes on where the one before ended
        parts[number] = batch(*numbers, position=position, ended=ended and number == len(pages) - 1)
        position = parts[number].last_sequence
    assert joined(parts) == batch(*[n for numbers in pages for n in numbers], ended=ended)


def test_a_batch_alone_stays_as_it_is() -> None:
    one = batch(1, 2)
    assert joined([one]) is one


def test_at_most_four_pages_go_together_and_never_past_an_error() -> None:
    mine = reading()
    pages = [page(mine, batch(number)) for number in range(1, 7)]
    mine.waiting.extend(pages)
    assert mine.take_together() == pages[:4]
    failed = Outcome(mine, True, error=SourceUnavailable("no answer"))
    mine.waiting.append(failed)
    assert mine.take_together() == pages[4:]
    assert list(mine.waiting) == [failed]


@pytest.mark.parametrize(("position", "moves"), [("", True), ("1".zfill(21), False)])
def test_only_what_moves_the_shard_is_stored(position: str, moves: bool) -> None:
    assert batch(1).moves(position) is moves
    assert replace(batch(1), ended=True).moves(position)


def test_the_room_gets_every_place_back() -> None:
    room, mine = Room(2), reading()
    mine.in_flight = True
    assert room.take(mine) and room.take(mine)
    room.give(mine, 1)
    assert room.take(mine)  # would wait for ever without the place that was given back
    mine.in_flight = False
    room.give(mine, 0)  # as after a crash in a reader thread: nothing says how many it held
    assert mine.given == mine.taken == 3
    assert room.take(mine) and room.take(mine)


def test_a_closed_room_lets_those_go_that_wait() -> None:
    room, mine = Room(0), reading()
    room.close(waiting=1)
    assert not room.take(mine)
