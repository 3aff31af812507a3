"""What a backtest found."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from streams.alerting.evaluate import VERSION

# Codes of verdicts.
FIRED, MATCHED, NO_MATCH = "fired", "matched", "no-match"
NO_DATA, PARTIAL, INVALID = "no-data", "partial", "invalid"


class PastAlert(NamedTuple):
    """An alert that would have been. `matches` is how many belong to it, `suppressed` the
    firings that the cool-down held back after it. `resolved_at` is None if it was open at the end,
    `change` the permalink of the change that opened it, "" where none did."""

    opened_at: datetime
    resolved_at: datetime | None
    group: str
    sentence: str
    matches: int
    suppressed: int
    change: str


class PastMatch(NamedTuple):
    """A change that would have matched: its permalink, when it happened, the part of the rule."""

    change: str
    occurred_at: datetime
    stream: str
    group: str
    part: int


class MatchBin(NamedTuple):
    """How many matches were stored from a moment on, until the next bin."""

    at: datetime
    matches: int


class Result(NamedTuple):
    """`verdict` is a code of above, `sentence` says it. `evaluated` are the changes that were asked
    of, `matched` those of them that match, each part of a sequence for itself; `fired` are the
    alerts, of which `alerts` has the newest, the newest first; `suppressed` the firings that the
    cool-down held back. `looked_back_to` is when the backtest really begins; `notifications_a_day`
    is what would have been sent when alerts opened, after cool-down and digest."""

    verdict: str
    sentence: str
    since: datetime
    until: datetime
    looked_back_to: datetime
    evaluated: int = 0
    matched: int = 0
    fired: int = 0
    suppressed: int = 0
    notifications: int = 0
    notifications_a_day: float = 0.0
    alerts: Sequence[PastAlert] = ()
    bins: Sequence[MatchBin] = ()
    last_matches: Sequence[PastMatch] = ()
    evaluator: int = VERSION

    @property
    def partial(self) -> bool:
        return self.verdict == PARTIAL


def invalid(sentence: str, since: datetime, until: datetime) -> Result:
    """What cannot be evaluated."""
    return Result(INVALID, sentence, since, until, until)
