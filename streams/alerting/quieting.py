"""The one edit of a rule that would have quieted it most, worked out on the alerts it made. Plain
Python.

Tried are, the mildest first: resolving later, so that what comes again belongs to the open alert;
a longer cool-down; a digest. The mildest that would have halved the notifications is proposed. If
one group makes nearly all, muting that group is better than any of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

# The fields of a rule that may be edited, and each edit in words.
FIELDS = {
    "resolve_seconds": "Resolve {} after the last match",
    "cool_down_seconds": "Cool down for {} after each alert of a group",
    "digest_seconds": "Tell in a digest every {}",
}
# Below so many alerts nothing is proposed: that is not noise.
LEAST = 5
# An edit is worth proposing from this share of the alerts on.
_WORTH = 0.5
# One group that makes this share of at least so many groups' alerts is the trouble itself.
_MOSTLY, _SOME_GROUPS = 0.8, 2
_SPANS = (900, 3_600, 6 * 3_600, 86_400)
_DIGESTS = (3_600, 6 * 3_600, 86_400)


class Fired(NamedTuple):
    """An alert: when it opened, and when the last match or look belonged to it."""

    group: str
    opened_at: datetime
    last_at: datetime


class Now(NamedTuple):
    """What the rule says now, in seconds. `resolves`: how its alerts resolve can be set."""

    resolve: int
    cool_down: int
    digest: int
    resolves: bool = True


class Edit(NamedTuple):
    """`field` of the rule (or "group", to be muted) and its new `value`; of `alerts` notifications
    there would have been `left`."""

    field: str
    value: int | str
    alerts: int
    left: int


def quieter(alerts: Sequence[Fired], now: Now) -> Edit | None:
    """The one edit; None if there are few alerts, or nothing would halve them."""
    total = len(alerts)
    if total < LEAST:
        return None
    groups = Counter(alert.group for alert in alerts)
    group, most = groups.most_common(1)[0]
    if len(groups) >= _SOME_GROUPS and most >= _MOSTLY * total:
        return Edit("group", group, total, total - most)
    in_order = sorted(alerts, key=lambda alert: alert.opened_at)
    for edit in _edits(in_order, now):
        if edit.left <= _WORTH * total:
            return edit
    return None


def _edits(alerts: Sequence[Fired], now: Now) -> Iterable[Edit]:
    tried: list[tuple[str, int, Sequence[int], Callable[[Sequence[Fired], int], int]]] = [
        ("cool_down_seconds", now.cool_down, _SPANS, _cooled),
        ("digest_seconds", now.digest, _DIGESTS, _digested),
    ]
    # 0 is never: it cannot resolve later than that.
    if now.resolves and now.resolve:
        tried.insert(0, ("resolve_seconds", now.resolve, _SPANS, _merged))
    for field, value, longer, left in tried:
        for seconds in longer:
            if seconds > value:
                yield Edit(field, seconds, len(alerts), left(alerts, seconds))


def _merged(alerts: Sequence[Fired], seconds: int) -> int:
    """How many there would have been, had each stayed open for so long after its last match."""
    until: dict[str, datetime] = {}
    left = 0
    for alert in alerts:
        before = until.get(alert.group)
        left += before is None or alert.opened_at > before
        until[alert.group] = alert.last_at + timedelta(seconds=seconds)
    return left


def _cooled(alerts: Sequence[Fired], seconds: int) -> int:
    """How many, had none opened for so long after the last of its group."""
    last: dict[str, datetime] = {}
    left = 0
    for alert in alerts:
        before = last.get(alert.group)
        if before is None or alert.opened_at >= before + timedelta(seconds=seconds):
            last[alert.group] = alert.opened_at
            left += 1
    return left


def _digested(alerts: Sequence[Fired], seconds: int) -> int:
    """How many messages, had each told of all that came within so long after its first."""
    until: datetime | None = None
    left = 0
    for alert in alerts:
        if until is None or alert.opened_at > until:
            until = alert.opened_at + timedelta(seconds=seconds)
            left += 1
    return left
