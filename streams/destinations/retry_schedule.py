"""When a delivery is tried again. Plain Python."""

# Seconds after a try that failed: eight tries in 27.6 hours. Early enough for a receiver that
# restarts, late enough for one that is mended the next morning.
PAUSES = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
MOST_TRIES = len(PAUSES) + 1


def pause_after(tries: int, asked: float | None = None) -> float | None:
    """Seconds to wait after so many tries, None if that was the last; not less than the receiver
    asked for."""
    if tries >= MOST_TRIES:
        return None
    return max(float(PAUSES[tries - 1]), asked or 0.0)
