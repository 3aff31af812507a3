"""The outbox: deliveries that are about to be written, with the messages they carry."""

import copy
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import prefetch_related_objects

from streams.alerting.message import (
    AlertFacts,
    MuteFacts,
    Origin,
    message_of,
    mute_message_of,
)
from streams.models import Alert, AlertEvent, Delivery, Mute

_WHILE_OPEN = (Delivery.Reason.OPENED, Delivery.Reason.REPEAT, Delivery.Reason.ESCALATION)


class _Parcel(NamedTuple):
    reason: str
    destination: int
    alerts: Sequence[Alert]
    why: str


class Outbox:
    def __init__(self) -> None:
        self._parcels: list[_Parcel] = []
        self._told: dict[int, set[int]] = defaultdict(set)

    def add(self, reason: str, destination: int, alerts: Sequence[Alert], why: str = "") -> None:
        """Something to send; `why` is why an alert resolved."""
        self._parcels.append(_Parcel(reason, destination, alerts, why))
        for alert in alerts:
            self._told[id(alert)].add(destination)

    def destinations_of(self, alert: Alert) -> set[int]:
        """Where this alert is told of already by what is in here."""
        return self._told.get(id(alert), set())

    def write(self) -> int:
        """Write the deliveries; how many they are. Their alerts have numbers by now."""
        if not self._parcels:
            return 0
        everything = {id(alert): alert for parcel in self._parcels for alert in parcel.alerts}
        prefetch_related_objects(list(everything.values()), "rule", "stream")
        why = _why_resolved(everything.values())
        made = Delivery.objects.bulk_create(
            [_delivery(parcel, why) for parcel in self._parcels], batch_size=500
        )
        through = Delivery.alerts.through
        through.objects.bulk_create(
            [
                through(delivery_id=delivery.pk, alert_id=alert.pk)
                for delivery, parcel in zip(made, self._parcels, strict=True)
                for alert in parcel.alerts
            ],
            batch_size=1_000,
        )
        return len(made)


def origin() -> Origin:
    """Who speaks: this installation."""
    return Origin(settings.PUBLIC_URL.rstrip("/"), settings.ENVIRONMENT)


def mute_message_for(mute: Mute, alerts: Sequence[Alert]) -> dict[str, Any]:
    """What is said before a mute's end; `alerts` are those open under it."""
    rule = mute.rule.name if mute.rule else ""
    facts = MuteFacts(mute.pk, rule, mute.group, mute.until, mute.who, mute.reason)
    return mute_message_of(facts, [facts_of(alert) for alert in alerts], origin())


def facts_of(alert: Alert, why: str = "") -> AlertFacts:
    """An alert, its rule and stream loaded with it; `why` is why it resolved."""
    rule = alert.rule
    return AlertFacts(
        id=alert.pk,
        rule=alert.rule_name,
        rule_id=alert.rule_id,
        rule_version=alert.rule_version,
        kind=str(alert.kind),
        severity=str(alert.severity),
        group=alert.group,
        stream=alert.stream.name if alert.stream else "",
        state=str(alert.state),
        sentence=alert.sentence,
        fix=alert.fix,
        opened_at=alert.opened_at,
        last_at=alert.last_at,
        resolved_at=alert.resolved_at,
        why=why,
        count=alert.count,
        suppressed=alert.suppressed,
        owner=alert.owner or (rule.owner if rule else ""),
        sample=alert.sample,
        sample_change=alert.sample_change,
        note=rule.note if rule else "",
        runbook=rule.runbook if rule else "",
    )


def _delivery(parcel: _Parcel, why: dict[int, str]) -> Delivery:
    alerts = list(parcel.alerts)
    if parcel.reason in _WHILE_OPEN:
        alerts = [_while_open(alert) for alert in alerts]
    only = parcel.why or (why.get(alerts[0].pk, "") if len(alerts) == 1 else "")
    message = message_of([facts_of(alert, only) for alert in alerts], parcel.reason, origin())
    return Delivery(destination_id=parcel.destination, reason=parcel.reason, message=message)


def _while_open(alert: Alert) -> Alert:
    """It may open and resolve in one transaction; each message tells of its own moment."""
    if alert.state != Alert.State.RESOLVED:
        return alert
    alert = copy.copy(alert)
    alert.state, alert.resolved_at, alert.resolved_by = Alert.State.OPEN, None, ""
    return alert


def _why_resolved(alerts: Iterable[Alert]) -> dict[int, str]:
    over = [alert.pk for alert in alerts if alert.state == Alert.State.RESOLVED]
    events = AlertEvent.objects.filter(alert__in=over, what=AlertEvent.What.RESOLVED)
    return dict(events.order_by("at").values_list("alert", "note"))
