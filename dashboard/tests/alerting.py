"""Alerts in every state, with what belongs to them, for the tests of pages."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from streams import rulebook
from streams.models import Alert, AlertEvent, Attempt, Delivery, Destination, Match, Rule
from streams.queries.rows import StoredChange
from streams.stages.sample import samples_of

EVIL = '<b onclick="x">\u202eevil'


def make_rule(name: str = "Large orders", **content: Any) -> Rule:
    given = {"query": "new.total>100", "runbook": "https://runbooks.test/orders", **content}
    return rulebook.save({"name": name, **given}, "alice", "For the shop.")


def make_alert(rule: Rule, change: StoredChange | None = None, **fields: Any) -> Alert:
    now = timezone.now()
    given = {
        "rule_name": rule.name,
        "rule_version": rule.version,
        "kind": rule.kind,
        "severity": rule.severity,
        "sentence": f"{rule.name} was matched by a change.",
        "opened_at": now,
        "last_at": now,
        "count": 1,
        **fields,
    }
    if change:
        given |= {"stream_id": change.stream_id, "sample_change": change.id}
        given["sample"] = samples_of([change.id])[change.id]
    alert = Alert.objects.create(rule=rule, **given)
    AlertEvent.objects.create(alert=alert, at=now, what="opened", note=alert.sentence)
    return alert


def make_match(alert: Alert, change: StoredChange, **fields: Any) -> Match:
    """The change's match, whether the rule found it while the change was stored or not."""
    batch, _, ordinal = change.id.partition("-")
    match, _ = Match.objects.update_or_create(
        rule=alert.rule,
        batch_id=int(batch),
        ordinal=int(ordinal),
        defaults={
            "rule_version": alert.rule_version,
            "stream_id": change.stream_id,
            "item": change.item,
            "occurred_at": change.occurred_at,
            "group": alert.group,
            "outcome": "alert",
            "alert": alert,
            **fields,
        },
    )
    return match


def make_delivery(alert: Alert, *responses: str, **fields: Any) -> Delivery:
    """Tried once for each response; all but the last one failed."""
    options = {"url": "https://hook.test/"}
    given = {"name": "On call", "kind": "webhook", "options": options}
    destination, _ = Destination.objects.get_or_create(name="On call", defaults=given)
    message = {"subject": f"Alert: {alert.rule_name}", "text": alert.sentence, "facts": {}}
    delivery = Delivery.objects.create(
        destination=destination,
        **{"reason": "opened", "message": message, "state": "sent", **fields},
        tries=len(responses),
        sent_at=timezone.now(),
    )
    delivery.alerts.add(alert)
    for number, response in enumerate(responses, start=1):
        Attempt.objects.create(
            delivery=delivery,
            at=timezone.now() - timedelta(seconds=60 - number),
            seconds=0.2,
            succeeded=number == len(responses),
            response=response,
        )
    return delivery


def post(client: Client, path: str, status: int = 200, **given: Any) -> str:
    response = client.post(path, given, follow=True)
    assert response.status_code == status
    return response.content.decode()


def answer(client: Client, alert: Alert, deed: str, **given: Any) -> str:
    given |= {"alert": alert.pk, "deed": deed, "next": f"/alerts/{alert.pk}"}
    return post(client, "/alerts/answer", **given)
