"""Memory for GetRecords' answers, used again and again.

An answer has up to a megabyte. Fresh memory of that size comes from the system and goes back there
(streams/memory.py), with a page fault for every 4 KB of it: that took three times as long as
reading the answer.
"""

from threading import Lock

# More answers than this are seldom read at the same time; a further one gets memory of its own.
_MOST_KEPT = 8


class Buffers:
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._kept: list[bytearray] = []
        self._lock = Lock()

    def of(self, length: int) -> memoryview:
        """So many bytes of any content. They are the caller's as long as the view or a part of it
        is alive, msgspec's Raw included; nothing needs to be given back."""
        with self._lock:
            for buffer in reversed(self._kept):  # the last one may still be in the caches
                if _fits(buffer, length):
                    return memoryview(buffer)
            buffer = bytearray(length)
            if len(self._kept) < _MOST_KEPT:
                self._kept.append(buffer)
            return memoryview(buffer)


def _fits(buffer: bytearray, length: int) -> bool:
    """Give it the length; False if somebody still looks at it, for then Python forbids that."""
    try:
        buffer.append(0)
    except BufferError:
        return False
    del buffer[length:]
    buffer.extend(bytes(length - len(buffer)))
    return True
