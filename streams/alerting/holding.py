"""How long something must last before an alert opens, and must be gone before it resolves: so that
what comes and goes every second is not told every second. Plain Python.
"""

from datetime import datetime, timedelta
from typing import TypedDict

# If nobody looked for longer than this, nobody knows what was in between: the wait begins anew. So
# what was seen just before a shutdown opens no alert at the next start.
UNSEEN = timedelta(seconds=45)


class Wait(TypedDict):
    """Since when something is otherwise than its alert says, and when that was seen last; ISO
    times. `opens`: it is there and the alert is not open, or the other way round."""

    opens: bool
    since: str
    last: str


def waiting(before: Wait | None, opens: bool, now: datetime, hold: timedelta) -> Wait | None:
    """The wait after one more look; None if it has lasted for `hold`, so that the alert follows."""
    since = now
    same = before is not None and before["opens"] == opens
    if before and same and now - datetime.fromisoformat(before["last"]) <= UNSEEN:
        since = datetime.fromisoformat(before["since"])
    if now - since >= hold:
        return None
    return Wait(opens=opens, since=since.isoformat(), last=now.isoformat())
