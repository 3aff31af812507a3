"""The simulated service's clock: it runs at any speed, and is moved by hand."""

import time
from collections.abc import Callable

# What a test without an opinion gets when it wants the same times on every run.
FIXED = 1_800_000_000.0


class Clock:
    """Seconds since 1970. By default it is the real time; a `speed` of 0 stands still."""

    def __init__(
        self,
        start: float | None = None,
        speed: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._speed = speed
        self._at = time.time() if start is None else start
        self._since = monotonic()

    def now(self) -> float:
        return self._at + (self._monotonic() - self._since) * self._speed

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("the clock of a stream service never goes back")
        self._set(self.now() + seconds)

    def run_at(self, speed: float) -> None:
        """From now on this many seconds pass in one real second."""
        self._set(self.now())
        self._speed = speed

    def _set(self, moment: float) -> None:
        self._at, self._since = moment, self._monotonic()
