"""The global guard: when the hub is late, every viewer is sent fewer rows until it keeps up.

Nothing is lost by it: what is not sent is counted, like everything above a viewer's rate.
"""

# A tick is late when it ends this long after it should have.
_LATE_SECONDS = 0.25
# So many late ticks in a row lower the rate; so many punctual ones (10 s) raise it again.
_LATE_TICKS, _PUNCTUAL_TICKS = 4, 40
_LEAST_SHARE = 1 / 8


class Guard:
    """`share` is the part of its rate that each viewer gets, from 1 down to 1/8."""

    def __init__(self) -> None:
        self.share = 1.0
        self._late = self._punctual = 0

    def tick(self, seconds: float) -> None:
        """A tick of the hub ended so late."""
        if seconds > _LATE_SECONDS:
            self._late, self._punctual = self._late + 1, 0
        else:
            self._late, self._punctual = 0, self._punctual + 1
        if self._late >= _LATE_TICKS:
            self.share, self._late = max(_LEAST_SHARE, self.share / 2), 0
        if self._punctual >= _PUNCTUAL_TICKS:
            self.share, self._punctual = min(1.0, self.share * 2), 0

    def cap(self, rows_per_second: int) -> int:
        """What is left of a viewer's rate."""
        return int(rows_per_second * self.share)
