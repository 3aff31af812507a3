"""Alert: what happens to alerts, as rows: opened, grown, held back, resolved; and who is told.

Everything of one transaction is gathered in `Alerts` and written at its end: the alerts, their
events, and the deliveries they cause. So an alert is there if and only if what caused it is, and
what is to be sent is there with it. One writer at a time: the caller holds locks.ALERTING.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q

from streams.models import Alert, AlertEvent, Rule
from streams.stages import alert_rows
from streams.stages.sample import samples_of
from streams.stages.tell import Teller

What = AlertEvent.What
Key = tuple[int, str]


class Alerts:
    """The alerts of one transaction. `now` is when people are told; what happened has its own
    times."""

    def __init__(self, now: datetime) -> None:
        self._teller = Teller(now)
        self.now = now
        self._open: dict[Key, Alert] = {}
        self._last: dict[Key, Alert | None] = {}
        self._new: list[Alert] = []
        self._changed: dict[int, Alert] = {}
        self._events: list[AlertEvent] = []
        self._looked_up: set[Key] = set()

    def look_up(self, keys: Iterable[Key]) -> None:
        """Read the open alerts of these rules and groups, all at once."""
        missing = set(keys) - self._looked_up
        if not missing:
            return
        self._looked_up |= missing
        wanted = Q(pk__in=[])
        for rule_id in {rule_id for rule_id, _ in missing}:
            wanted |= Q(rule_id=rule_id, group__in=[g for r, g in missing if r == rule_id])
        for alert in Alert.objects.filter(wanted & ~Q(state=Alert.State.RESOLVED)):
            self._open[alert.rule_id or 0, alert.group] = alert

    def open_of(self, rule_id: int, group: str) -> Alert | None:
        self.look_up([(rule_id, group)])
        return self._open.get((rule_id, group))

    def last_of(self, rule_id: int, group: str) -> Alert | None:
        """The open alert, or the one that was open last."""
        key = rule_id, group
        if alert := self.open_of(rule_id, group):
            return alert
        if key not in self._last:
            # Whoever asks does so because of one that opened lately: the index finds it soon.
            ended = Alert.objects.filter(rule=rule_id, group=group).order_by("-opened_at", "-pk")
            self._last[key] = ended.first()
        return self._last[key]

    def open(
        self,
        rule: Rule,
        group: str,
        at: datetime,
        sentence: str,
        *,
        count: int = 1,
        fix: str = "",
        stream_id: int | None = None,
        change: str = "",
    ) -> Alert:
        """Open an alert, `change` being the permalink of the change that made it.

        One that is open already grows instead: a rule that was changed does not know of those it
        opened before.
        """
        if before := self.open_of(rule.pk, group):
            self.grow(before, at, count)
            if before.rule_version != rule.version:
                self._tell_of(before, at, What.NOTED, f"Fired again, by version {rule.version}.")
            return before
        alert = Alert(
            rule=rule,
            rule_name=rule.name,
            rule_version=rule.version,
            kind=rule.kind,
            severity=rule.severity,
            group=group,
            stream_id=stream_id,
            sentence=sentence,
            fix=fix,
            opened_at=at,
            last_at=at,
            count=count,
            sample_change=change,
        )
        self._open[rule.pk, group] = alert
        self._new.append(alert)
        self._tell_of(alert, at, What.OPENED, sentence)
        self._teller.opened(alert)
        return alert

    def grow(self, alert: Alert, at: datetime, count: int = 1) -> None:
        """More matches that belong to it."""
        alert.count += count
        alert.last_at = max(alert.last_at, at)
        self._touch(alert)

    def suppress(self, alert: Alert) -> None:
        """It would have fired again, but for the cool-down."""
        alert.suppressed += 1
        self._touch(alert)

    def say(self, alert: Alert, sentence: str, fix: str) -> None:
        """An open alert says something newer."""
        if (alert.sentence, alert.fix) != (sentence, fix):
            alert.sentence, alert.fix = sentence, fix
            self._touch(alert)

    def resolve(self, alert: Alert, at: datetime, why: str, who: str = "") -> None:
        alert.state, alert.resolved_at, alert.resolved_by = Alert.State.RESOLVED, at, who
        key = alert.rule_id or 0, alert.group
        self._open.pop(key, None)
        self._last[key] = alert
        self._touch(alert)
        self._tell_of(alert, at, What.RESOLVED, why, who)
        self._teller.resolved(alert, why)

    def acknowledge(self, alert: Alert, at: datetime, who: str, note: str) -> None:
        """Somebody looks after it: repeats and the escalation stop."""
        alert.state, alert.owner, alert.acknowledged_at = Alert.State.ACKNOWLEDGED, who, at
        self._touch(alert)
        self._tell_of(alert, at, What.ACKNOWLEDGED, note, who)
        self._teller.due(alert)

    def write(self) -> int:
        """Write it all; how many deliveries were made."""
        if not (self._new or self._changed):
            return 0
        samples = samples_of([alert.sample_change for alert in self._new if alert.sample_change])
        for alert in self._new:
            alert.sample = samples.get(alert.sample_change, [])
        self._events += self._teller.plan()
        # What was resolved makes room for the next of its group.
        alert_rows.update(self._changed.values())
        Alert.objects.bulk_create(self._new, batch_size=500)
        for event in self._events:
            event.alert_id = event.alert.pk
        AlertEvent.objects.bulk_create(self._events, batch_size=1_000)
        return self._teller.write()

    def _touch(self, alert: Alert) -> None:
        if alert.pk:
            self._changed[alert.pk] = alert

    def _tell_of(self, alert: Alert, at: datetime, what: What, note: str, who: str = "") -> None:
        self._events.append(AlertEvent(alert=alert, at=at, what=what, note=note, who=who))


def open_health(
    alerts: Alerts, rule: Rule, group: str, sentence: str, fix: str, stream_id: int | None
) -> bool:
    """Open the alert of a health rule, or let the open one say this. True if it was opened.

    Within the rule's cool-down after the last one of its group none is opened.
    """
    if alert := alerts.open_of(rule.pk, group):
        alerts.say(alert, sentence, fix)
        alerts.grow(alert, alerts.now, 0)
        return False
    last = alerts.last_of(rule.pk, group)
    if last and alerts.now < last.opened_at + timedelta(seconds=rule.cool_down_seconds):
        return False
    alerts.open(rule, group, alerts.now, sentence, count=0, fix=fix, stream_id=stream_id)
    return True


def resolve_health(alerts: Alerts, rule: Rule, group: str, why: str) -> bool:
    """Resolve the open alert of a health rule; False if none is open."""
    alert = alerts.open_of(rule.pk, group)
    if alert is None:
        return False
    alerts.resolve(alert, alerts.now, why)
    return True
