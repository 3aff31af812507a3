"""Memory for answers: used again, but never while somebody looks at it."""

import msgspec
import pytest

from streams.sources.dynamodb.buffers import Buffers


class Part(msgspec.Struct):
    a: msgspec.Raw


def test_memory_is_used_again() -> None:
    buffers = Buffers()
    first = buffers.of(100_000)
    memory = first.obj
    del first
    assert buffers.of(90_000).obj is memory


@pytest.mark.parametrize("length", [1, 99_999, 100_000, 100_001, 300_000])
def test_it_has_the_length_that_is_asked_for(length: int) -> None:
    buffers = Buffers()
    buffers.of(100_000)
    assert len(buffers.of(length)) == length


def test_what_is_looked_at_is_not_used_again() -> None:
    buffers = Buffers()
    views = [buffers.of(10) for _ in range(20)]  # more than are kept
    assert len({id(view.obj) for view in views}) == 20


def test_a_part_that_was_decoded_counts_as_a_look() -> None:
    buffers = Buffers()
    view = buffers.of(9)
    view[:] = b'{"a":"x"}'
    part = msgspec.json.decode(view, type=Part).a
    del view
    other = buffers.of(9)
    other[:] = b"012345678"
    assert bytes(part) == b'"x"'
