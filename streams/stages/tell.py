"""Tell: deliveries of alerts, made in the transaction of what they tell of. Sending them is
stages/deliver.py's; when something is told is decided in streams/alerting/telling.py.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Min, Q

from streams.alerting.telling import (
    TELL_DIGEST,
    TELL_ESCALATION,
    TELL_OPENED,
    TELL_REPEAT,
    TELL_RESOLVED,
    Plan,
    Times,
    due,
    opened,
    resolved,
)
from streams.models import Alert, AlertEvent, Delivery
from streams.stages import alert_rows
from streams.stages.outbox import Outbox
from streams.stages.told_rules import ToldRules

What = AlertEvent.What
# In one transaction; the rest a second later.
_MOST_DUE = 2_000

_EVENTS = {
    TELL_OPENED: (What.SENT, ""),
    TELL_DIGEST: (What.SENT, "In a digest. "),
    TELL_REPEAT: (What.REPEATED, ""),
    TELL_ESCALATION: (What.ESCALATED, ""),
    TELL_RESOLVED: (What.SENT, "That it is resolved. "),
}
# Who was told so of an alert is told of its end.
_OF_AN_OPEN_ONE = (TELL_OPENED, TELL_DIGEST, TELL_REPEAT, TELL_ESCALATION)


class _Over(NamedTuple):
    alert: Alert
    why: str


class Teller:
    """Who is to be told what, in one transaction."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        # In the order in which it happened: a group may open, end and open again.
        self._happened: list[Alert | _Over] = []
        self._due: list[Alert] = []
        self._rules = ToldRules(now)
        self._running: dict[int | None, datetime] = {}
        self._outbox = Outbox()
        self._events: list[AlertEvent] = []

    def opened(self, alert: Alert) -> None:
        self._happened.append(alert)

    def resolved(self, alert: Alert, why: str) -> None:
        self._happened.append(_Over(alert, why))

    def due(self, alert: Alert) -> None:
        """Something of this alert is due, or it is in another state now."""
        self._due.append(alert)

    def plan(self) -> list[AlertEvent]:
        """Decide; the alerts have their next times then. The events that say what is sent."""
        over = [one.alert for one in self._happened if isinstance(one, _Over)]
        alerts = [*(one for one in self._happened if isinstance(one, Alert)), *over, *self._due]
        self._rules.look_up({alert.rule_id for alert in alerts if alert.rule_id})
        self._running = self._running_digests(alerts)
        told = _told([alert.pk for alert in over if alert.pk])
        for one in self._happened:
            if isinstance(one, Alert):
                self._plan_opened(one)
            else:
                self._plan_end(one, told.get(one.alert.pk, set()))
        self._plan_due()
        return self._events

    def write(self) -> int:
        """Write the deliveries, the alerts being there; how many they are."""
        return self._outbox.write()

    def _plan_opened(self, alert: Alert) -> None:
        terms, quiet = self._rules.terms_of(alert), self._rules.quiet_for(alert)
        plan = opened(terms, self._now, quiet, self._running.get(alert.rule_id))
        self._follow(alert, plan)
        if plan.quiet:
            said = f"{plan.quiet.why}, until {plan.quiet.until:%Y-%m-%d %H:%M} UTC."
            self._tell_of(alert, What.QUIET, said)
        elif plan.times.digest_at:
            self._running[alert.rule_id] = plan.times.digest_at

    def _plan_end(self, over: _Over, told: set[int]) -> None:
        """Whoever was told that it opened is told that it is over."""
        alert, to = over.alert, told | self._outbox.destinations_of(over.alert)
        plan = resolved(
            self._rules.terms_of(alert),
            times_of(alert),
            self._now,
            told=bool(to),
            quiet=self._rules.quiet_for(alert),
            running=self._running.get(alert.rule_id),
        )
        self._follow(alert, plan, to, over.why)

    def _plan_due(self) -> None:
        """What is told of several alerts of a rule at once is told in one message."""
        together: dict[int | None, list[Alert]] = defaultdict(list)
        for alert in self._due:
            terms, quiet = self._rules.terms_of(alert), self._rules.quiet_for(alert)
            plan = due(terms, alert.state, times_of(alert), self._now, quiet)
            if plan.send in (TELL_OPENED, TELL_DIGEST):
                set_times(alert, plan.times)
                together[alert.rule_id].append(alert)
            else:
                self._follow(alert, plan)
        for alerts in together.values():
            terms = self._rules.terms_of(alerts[0])
            self._send(TELL_DIGEST if terms.digest or len(alerts) > 1 else TELL_OPENED, alerts)

    def _follow(self, alert: Alert, plan: Plan, to: set[int] | None = None, why: str = "") -> None:
        set_times(alert, plan.times)
        if plan.send:
            self._send(plan.send, [alert], to, why)

    def _send(
        self, reason: str, alerts: Sequence[Alert], to: set[int] | None = None, why: str = ""
    ) -> None:
        chosen = self._rules.destinations(alerts[0], reason) if to is None else to
        chosen = self._rules.usable(chosen)
        names = ", ".join(sorted(self._rules.names[number] for number in chosen))
        what, lead = _EVENTS[reason]
        for alert in alerts:
            if chosen:
                self._tell_of(alert, what, f"{lead}To {names}.")
            elif reason == TELL_OPENED:
                self._tell_of(alert, What.QUIET, "The rule has no destination that is in use.")
        for destination in sorted(chosen):
            self._outbox.add(reason, destination, alerts, why)

    def _running_digests(self, alerts: Iterable[Alert]) -> dict[int | None, datetime]:
        """When each rule's digest is sent that collects already."""
        rules = {alert.rule_id for alert in alerts if self._rules.terms_of(alert).digest}
        if not rules:
            return {}
        found = Alert.objects.filter(rule__in=rules, digest_at__gt=self._now)
        return dict(found.order_by().values_list("rule").annotate(Min("digest_at")))

    def _tell_of(self, alert: Alert, what: What, note: str) -> None:
        self._events.append(AlertEvent(alert=alert, at=self._now, what=what, note=note))


def tell_due(now: datetime) -> int:
    """Send what time alone makes be sent: digests, repeats, escalations, and what was held back by
    a mute or a window that is over. The caller holds locks.ALERTING. How many deliveries."""
    is_due = Q(digest_at__lte=now) | Q(repeat_at__lte=now) | Q(escalate_at__lte=now)
    alerts = list(Alert.objects.filter(is_due).order_by("pk")[:_MOST_DUE])
    if not alerts:
        return 0
    teller = Teller(now)
    for alert in alerts:
        teller.due(alert)
    events = teller.plan()
    alert_rows.update(alerts)
    AlertEvent.objects.bulk_create(events, batch_size=1_000)
    return teller.write()


def times_of(alert: Alert) -> Times:
    return Times(alert.digest_at, alert.repeat_at, alert.escalate_at)


def set_times(alert: Alert, times: Times) -> None:
    alert.digest_at, alert.repeat_at, alert.escalate_at = times


def _told(alerts: Sequence[int]) -> dict[int, set[int]]:
    """The destinations to which each alert was told of while it was open."""
    found: dict[int, set[int]] = defaultdict(set)
    pairs = Delivery.alerts.through.objects.filter(
        alert__in=alerts, delivery__reason__in=_OF_AN_OPEN_ONE
    )
    for alert, destination in pairs.values_list("alert", "delivery__destination"):
        found[alert].add(destination)
    return found
