"""What telling needs to know of rules: their seconds, their destinations, and what keeps them quiet
now. Read once in a transaction."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

from streams.alerting.calendar import Window, doubts
from streams.alerting.telling import (
    TELL_ESCALATION,
    TELL_REPEAT,
    Quiet,
    Silence,
    Terms,
    quiet_at,
)
from streams.models import Alert, Destination, MaintenanceWindow, Mute, Rule
from streams.queries.alerts import covers, running_mutes

_NOTHING = Terms()


class ToldRules:
    def __init__(self, now: datetime) -> None:
        self._now = now
        self._rules: dict[int, Rule] = {}
        self._first: dict[int, set[int]] = defaultdict(set)
        self._second: dict[int, set[int]] = defaultdict(set)
        self._escalated: dict[int, bool] = {}
        self._mutes: list[Mute] | None = None
        self._windows: list[tuple[Window, set[int]]] = []

    @cached_property
    def names(self) -> dict[int, str]:
        """Of the destinations that are in use, by number."""
        return dict(Destination.objects.filter(enabled=True).values_list("pk", "name"))

    def look_up(self, ids: Iterable[int]) -> None:
        missing = set(ids) - self._rules.keys()
        if not missing:
            return
        self._rules |= Rule.objects.in_bulk(missing)
        for table, found in (
            (Rule.destinations.through, self._first),
            (Rule.escalate_to.through, self._second),
        ):
            pairs = table.objects.filter(rule__in=missing).values_list("rule", "destination")
            for rule, destination in pairs:
                found[rule].add(destination)

    def rule_of(self, alert: Alert) -> Rule | None:
        """None if it was deleted."""
        return self._rules.get(alert.rule_id or 0)

    def terms_of(self, alert: Alert) -> Terms:
        rule = self.rule_of(alert)
        if rule is None:
            return _NOTHING
        first, second = (self.usable(d[rule.pk]) for d in (self._first, self._second))
        return Terms(
            digest=rule.digest_seconds,
            repeat=rule.repeat_seconds if first or second else 0,
            escalate=rule.escalate_seconds if second else 0,
        )

    def destinations(self, alert: Alert, reason: str) -> set[int]:
        """Where this is sent: an escalation to the second ones, and repeats after it to all."""
        first, second = self._first[alert.rule_id or 0], self._second[alert.rule_id or 0]
        if reason == TELL_ESCALATION:
            return second
        rule = self.rule_of(alert)
        escalated = rule is not None and rule.escalate_seconds > 0 and alert.escalate_at is None
        return first | second if reason == TELL_REPEAT and escalated else first

    def usable(self, destinations: Iterable[int]) -> set[int]:
        return set(destinations) & self.names.keys()

    def quiet_for(self, alert: Alert) -> Quiet | None:
        if self._mutes is None:
            self._mutes, self._windows = running_mutes(self._now), _windows()
        silences = [
            Silence(mute.until, f"Muted by {mute.who}: {mute.reason}".rstrip("."))
            for mute in self._mutes
            if covers(mute, alert.rule_id, alert.group)
        ]
        windows = [window for window, rules in self._windows if not rules or alert.rule_id in rules]
        return quiet_at(self._now, silences, windows)


def _windows() -> list[tuple[Window, set[int]]]:
    """The windows in use, each with the numbers of its rules (none: all rules)."""
    rows = MaintenanceWindow.objects.filter(enabled=True).prefetch_related("rules")
    found = [(window_of(row), {rule.pk for rule in row.rules.all()}) for row in rows]
    return [(window, rules) for window, rules in found if not doubts(window)]


def window_of(row: MaintenanceWindow) -> Window:
    return Window(row.name, tuple(row.weekdays), row.begins, row.minutes, row.zone)
