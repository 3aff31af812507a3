"""The message that a rule would have sent, about an alert of its preview."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from streams.alerting.message import AlertFacts, message_of
from streams.models import Delivery, Rule
from streams.queries.backtest_result import PastAlert
from streams.queries.change import find
from streams.stages.outbox import origin
from streams.stages.sample import sample


class Message(NamedTuple):
    subject: str
    text: str


def trial_message(content: Mapping[str, Any], rule: Rule | None, alert: PastAlert) -> Message:
    """As it would be queued when that alert opened. `content` is what the rule says."""
    change = find(alert.change) if alert.change else None
    facts = AlertFacts(
        id=0,
        rule=content["name"] or "(no name yet)",
        rule_id=rule.pk if rule else None,
        rule_version=rule.version + 1 if rule else 1,
        kind=content["kind"],
        severity=content["severity"] or Rule.Severity.WARNING,
        group=alert.group,
        stream=change.stream if change else "",
        state="open",
        sentence=alert.sentence,
        opened_at=alert.opened_at,
        last_at=alert.opened_at,
        count=alert.matches,
        sample=sample(change) if change else (),
        sample_change=alert.change,
        note=content["note"],
        runbook=content["runbook"],
    )
    message = message_of([facts], Delivery.Reason.OPENED, origin())
    return Message(message["subject"], message["text"])
