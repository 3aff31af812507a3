"""The state of a stream or of one shard, from the clocks of the last successful read and the last
store alone.

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
# With so little time left it is losing, whatever else it is.
LOSING_BEFORE = timedelta(hours=4)
# Less than this between two lags says nothing: times are whole seconds, stores come in pages.
_NO_TREND = timedelta(seconds=5)

# Worst first: the order of the overview. Only a shard can be waiting or ended.
ORDER = (
    *("lost", "losing", "blocked", "stalled", "behind", "paused", "starting", "waiting"),
    *("idle", "healthy", "ended"),
)
LEVEL = {
    "lost": "bad",
    "losing": "bad",
    "blocked": "bad",
    "stalled": "bad",
    "behind": "warn",
    "paused": "warn",
    "starting": "info",
    "waiting": "info",
    "idle": "ok",
    "healthy": "ok",
    "ended": "ok",
}
# States whose sentence says the time left itself, or in which it does not matter yet.
UNTOLD = ("lost", "losing", "starting", "waiting")


@dataclass(frozen=True)
class Facts:
    """What the store knows of a stream or shard. Times are the database's.

    Of a stream, `read_at`, `complete_at` and `unread_from` are the oldest over the shards whose
    turn it is: one unread shard is enough to be stalled. `complete_at` is until when everything is
    stored: the last time a read showed nothing was waiting, or else the newest stored change; None
    before there is either. No unread change is older than `unread_from`; None says that none can
    be waiting. `late` of `readable` shards have not been read lately. `cause` is the worst open
    problem's sentence. `earlier` is a lag and when it was that.
    """

    now: datetime
    created_at: datetime
    retention: timedelta
    paused_at: datetime | None
    paused_by: str
    readable: int
    late: int
    read_at: datetime | None
    complete_at: datetime | None
    unread_from: datetime | None
    last_change_at: datetime | None
    cause: str = ""
    blocking_cause: bool = False
    gap: str = ""
    system_cause: str = ""
    earlier: tuple[timedelta, datetime] | None = None
    # Of a shard that nobody should read: why it waits, or how it ended.
    waits: str = ""
    ended: str = ""


@dataclass(frozen=True)
class State:
    """`lag` is now minus the moment until which everything is stored; None before the first.
    `time_left` is until the source may delete unread changes; None if none can be waiting.
    `stands_still`: it should be read and is not, whatever worse the code tells."""

    code: str
    sentence: str
    lag: timedelta | None
    time_left: timedelta | None
    stands_still: bool = False

    @property
    def level(self) -> str:
        return LEVEL[self.code]


def state_of(facts: Facts) -> State:
    """The one state a stream or shard is in, with a sentence for people."""
    lag = _lag(facts)
    left = _time_left(facts, lag)
    code, sentence = _judge(facts, lag, left)
    return State(code, sentence, lag, left, _stands_still(facts))


def _lag(facts: Facts) -> timedelta | None:
    if facts.complete_at is None or facts.ended:
        return None
    # Reads between two upkeeps are not written down yet: under three seconds there is no lag.
    lag = facts.now - facts.complete_at
    return timedelta(0) if lag < timedelta(seconds=3) else lag


def _time_left(facts: Facts, lag: timedelta | None) -> timedelta | None:
    if facts.unread_from is None or facts.ended:
        return None
    if _is_read(facts) and lag is not None and lag <= BEHIND_AFTER:
        return None
    return max(timedelta(0), facts.unread_from + facts.retention - facts.now)


def _is_read(facts: Facts) -> bool:
    return facts.read_at is not None and facts.now - facts.read_at <= STALLED_AFTER


def _judge(facts: Facts, lag: timedelta | None, left: timedelta | None) -> tuple[str, str]:
    if facts.gap:
        return "lost", facts.gap
    if facts.ended:
        return "ended", facts.ended
    if left is not None and left < LOSING_BEFORE:
        return "losing", (
            f"Unread changes are lost in {spell(left)}: AWS keeps them {_hours(facts.retention)}. "
            f"{_why_unread(facts, lag)}"
        )
    if facts.paused_at:
        return "paused", f"{_paused(facts)} since {facts.paused_at:%Y-%m-%d %H:%M} UTC."
    if facts.waits:
        return "waiting", facts.waits
    if not _is_read(facts):
        return _unread(facts)
    return _read(facts, lag)


def _paused(facts: Facts) -> str:
    return f"Paused by {facts.paused_by or 'an operator'}"


def _unread(facts: Facts) -> tuple[str, str]:
    """Nothing has been read lately: because of a known problem, or for an unknown reason."""
    unread = facts.now - (facts.read_at or facts.created_at)
    if facts.cause and facts.blocking_cause:
        return "blocked", facts.cause
    if facts.read_at is None and unread < STARTING_FOR:
        return "starting", "Waiting for the first read."
    some = f"{facts.late} of {facts.readable} shards: nothing" if _some_late(facts) else "Nothing"
    if facts.read_at is None:
        return "stalled", f"{some} has been read since it was added. {_why(facts)}"
    return "stalled", f"{some} has been read for {spell(unread)}. {_why(facts)}"


def _stands_still(facts: Facts) -> bool:
    if facts.ended or facts.waits or facts.paused_at or _is_read(facts):
        return False
    return _unread(facts)[0] != "starting"


def _some_late(facts: Facts) -> bool:
    return 0 < facts.late < facts.readable


def _read(facts: Facts, lag: timedelta | None) -> tuple[str, str]:
    if lag is not None and lag > BEHIND_AFTER:
        return "behind", f"Behind by {spell(lag)}{_trend(facts, lag)}."
    if facts.last_change_at is None:
        return "idle", "Reading; no change yet."
    quiet = facts.now - facts.last_change_at
    if quiet > IDLE_AFTER:
        return "idle", f"No changes for {spell(quiet)}; everything is read."
    return "healthy", "Everything is read."


def _trend(facts: Facts, lag: timedelta) -> str:
    """How the lag moves; nothing if there is no earlier one, or hardly any difference."""
    if facts.earlier is None:
        return ""
    before, at = facts.earlier
    gained = before - lag
    if gained < -_NO_TREND:
        return ", growing"
    if gained <= _NO_TREND:
        return ""
    rest = (facts.now - at) * (lag / gained)
    return f", shrinking: caught up in about {_roughly(rest)}"


def _why_unread(facts: Facts, lag: timedelta | None) -> str:
    if facts.paused_at:
        return f"{_paused(facts)}."
    if _is_read(facts) and lag is not None:
        return f"Behind by {spell(lag)}{_trend(facts, lag)}."
    return _why(facts)


def _why(facts: Facts) -> str:
    return facts.system_cause or facts.cause or "No poller reports a reason."


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):g} h"


def _roughly(span: timedelta) -> str:
    """A span in one unit, rounded up: it is a guess."""
    seconds = span.total_seconds()
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds > 2 * size:
            return f"{-(-seconds // size):.0f} {unit}"
    return "1 min" if seconds <= 60 else "2 min"


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
