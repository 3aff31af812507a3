"""The notice before a mute ends: time to make it longer, or to look at what is open under it."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Q

from streams.alerting.telling import notice_at
from streams.models import Alert, Delivery, Destination, Mute
from streams.queries.alerts import covers, running_mutes
from streams.stages.outbox import mute_message_for

# So many of the open alerts are told of, the oldest first.
_MOST_TOLD = 50


def tell_ending_mutes(now: datetime) -> int:
    """Notice each mute once whose end is near. The caller holds locks.ALERTING. How many
    deliveries."""
    near = [
        mute
        for mute in running_mutes(now)
        if mute.noticed_at is None and notice_at(mute.created_at, mute.until) <= now
    ]
    return sum(_tell(mute, now) for mute in near)


def _tell(mute: Mute, now: datetime) -> int:
    mute.noticed_at = now
    mute.save(update_fields=["noticed_at"])
    alerts = _open_under(mute)
    message = mute_message_for(mute, alerts)
    deliveries = [
        Delivery(destination=destination, reason=Delivery.Reason.MUTE_ENDS, message=message)
        for destination in _destinations(mute)
    ]
    Delivery.objects.bulk_create(deliveries)
    for delivery in deliveries:
        delivery.alerts.set(alerts)
    return len(deliveries)


def _open_under(mute: Mute) -> Sequence[Alert]:
    found = Alert.objects.filter(~Q(state=Alert.State.RESOLVED)).select_related("rule", "stream")
    if mute.rule_id is not None:
        found = found.filter(rule=mute.rule_id)
    under = [a for a in found.order_by("opened_at", "pk") if covers(mute, a.rule_id, a.group)]
    return under[:_MOST_TOLD]


def _destinations(mute: Mute) -> Sequence[Destination]:
    """Where the muted rules tell first; for all rules, those of every rule that is enabled."""
    found = Destination.objects.filter(enabled=True)
    if mute.rule_id is not None:
        return list(found.filter(rules=mute.rule_id))
    return list(found.filter(rules__enabled=True).distinct())
