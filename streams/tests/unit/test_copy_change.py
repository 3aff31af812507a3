"""The bytes that COPY takes, without a database."""

import struct

from streams.change import Change
from streams.stages.copy_change import encode, rows

CHANGE = Change("INSERT", bytes(16), "1", "e", 1, b"{}", None, b"{}", ("a",), None, 2)


def test_every_change_has_its_place_in_a_batch_of_any_length() -> None:
    changes = [CHANGE] * 5_000
    (row, *_) = spelled = rows(1, 1, changes)
    found = b"".join(encode(7, changes, spelled))
    after = struct.pack(">i iq", -1, 8, 7)
    expected = [struct.pack(">hii", 16, 4, place) + row + after for place in range(5_000)]
    assert found[19:-2] == b"".join(expected)
    assert found[-2:] == struct.pack(">h", -1)
