"""The state of a stream, from the clocks of the last successful read and store alone.

That a process is alive proves nothing; what is not proven healthy is not green. Plain Python.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Without a successful read for this long, a stream is stalled. Pollers read each shard at least
# every second, and a slice's hand-over or a dead poller's lease takes up to about 13 s.
STALLED_AFTER = timedelta(seconds=20)
# Unread changes older than this are said to be behind.
BEHIND_AFTER = timedelta(seconds=60)
# No change for this long is called idle.
IDLE_AFTER = timedelta(minutes=5)
# A new stream may take this long until its first read.
STARTING_FOR = timedelta(seconds=30)
# DynamoDB keeps records this long.
RETENTION = timedelta(hours=24)
LOSING_BEFORE = timedelta(hours=4)

# Worst first: the order of the overview.
ORDER = ("lost", "losing", "blocked", "stalled", "behind", "paused", "starting", "idle", "healthy")
LEVEL = {
    "lost": "bad",
    "losing": "bad",
    "blocked": "bad",
    "stalled": "bad",
    "behind": "warn",
    "paused": "warn",
    "starting": "info",
    "idle": "ok",
    "healthy": "ok",
}


@dataclass(frozen=True)
class Facts:
    """What the store knows of a stream. Times are the database's; `read_at` and `complete_at`
    are the oldest over the shards that should be read: one unread shard is enough to be stalled.

    `complete_at` is until when everything is stored: the last time a read showed nothing was
    waiting, or else the newest stored change. `cause` is the newest open problem's sentence.
    """

    now: datetime
    created_at: datetime
    paused_at: datetime | None
    paused_by: str
    shards: int
    open_shards: int
    read_at: datetime | None
    complete_at: datetime | None
    last_change_at: datetime | None
    cause: str
    blocking_cause: bool
    gap: str
    system_cause: str


@dataclass(frozen=True)
class State:
    """`lag` is now minus the moment until which everything is stored; None before the first."""

    code: str
    sentence: str
    lag: timedelta | None

    @property
    def level(self) -> str:
        return LEVEL[self.code]


def state_of(facts: Facts) -> State:
    """The one state a stream is in, with a sentence for people."""
    lag = _lag(facts)
    code, sentence = _judge(facts, lag)
    return State(code, sentence, lag)


def _lag(facts: Facts) -> timedelta | None:
    if facts.complete_at is None:
        return None
    # Reads between two upkeeps are not written down yet: under three seconds there is no lag.
    lag = facts.now - facts.complete_at
    return timedelta(0) if lag < timedelta(seconds=3) else lag


def _judge(facts: Facts, lag: timedelta | None) -> tuple[str, str]:
    unread = facts.now - (facts.read_at or facts.created_at)
    late = lag or unread
    if facts.gap:
        return "lost", facts.gap
    if RETENTION - late < LOSING_BEFORE:
        return "losing", (
            f"Unread changes are lost in {spell(max(timedelta(0), RETENTION - late))}: AWS keeps "
            f"them 24 h. {_why(facts)}".strip()
        )
    if facts.paused_at:
        until = facts.paused_at + RETENTION
        return "paused", (
            f"Paused by {facts.paused_by or 'an operator'}; AWS keeps the changes until "
            f"{until:%Y-%m-%d %H:%M} UTC."
        )
    if facts.read_at is None or unread > STALLED_AFTER:
        return _unread(facts, unread)
    return _read(facts, lag)


def _unread(facts: Facts, unread: timedelta) -> tuple[str, str]:
    """Nothing has been read lately: because of a known problem, or for an unknown reason."""
    if facts.cause and facts.blocking_cause:
        return "blocked", facts.cause
    if facts.read_at is None and unread < STARTING_FOR:
        return "starting", "Waiting for the first read."
    if facts.read_at is None:
        return "stalled", f"Nothing has been read since it was added. {_why(facts)}"
    return "stalled", f"Nothing has been read for {spell(unread)}. {_why(facts)}"


def _read(facts: Facts, lag: timedelta | None) -> tuple[str, str]:
    if lag is not None and lag > BEHIND_AFTER:
        return "behind", f"Behind by {spell(lag)}."
    if facts.last_change_at is None:
        return "idle", "Reading; no change yet."
    quiet = facts.now - facts.last_change_at
    if quiet > IDLE_AFTER:
        return "idle", f"No changes for {spell(quiet)}; everything is read."
    return "healthy", "Everything is read."


def _why(facts: Facts) -> str:
    return facts.system_cause or facts.cause or "No poller reports a reason."


def spell(span: timedelta) -> str:
    """A span of time in its two largest units: 45 s, 4 min 10 s, 3 h 5 min, 2 d 4 h."""
    seconds = int(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    if seconds < 86_400:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3600} h"
