"""Answer: what people do about alerts, each deed a row of the alert's life; and mutes.

A deed that changes nothing (somebody was quicker, or it resolved by itself) writes nothing and
is not counted.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction

from streams import locks
from streams.alerting.definition import RuleError, define
from streams.alerting.evaluate import evaluator_of
from streams.alerting.telling import Times
from streams.errors import DeltawatchError
from streams.models import Alert, AlertEvent, Mute, Rule, RuleState
from streams.stages.alert import Alerts

What = AlertEvent.What
# Nobody mutes for ever: who wants that disables the rule.
LONGEST_MUTE_DAYS = 90


class MuteRefused(DeltawatchError):
    """A mute that cannot be as it was asked for; the text says why."""


def acknowledge(ids: Collection[int], who: str, note: str = "", owner: str = "") -> int:
    """Somebody looks after these alerts, `owner` or else who says so: repeats and the escalation
    stop. Returns how many were open, or get another owner."""
    owner = owner or who
    said = note if owner == who else f"Owner: {owner}. {note}".strip()
    with _writing(ids) as (now, alerts, rows):
        chosen = [
            alert
            for alert in rows
            if alert.state == Alert.State.OPEN
            or (alert.state == Alert.State.ACKNOWLEDGED and alert.owner != owner)
        ]
        for alert in chosen:
            alerts.acknowledge(alert, now, who, said)
            alert.owner = owner
    return len(chosen)


def resolve_by_hand(ids: Collection[int], who: str, note: str = "") -> int:
    """Say that these are over; the next firing opens another alert. Returns how many were not
    resolved."""
    with _writing(ids) as (now, alerts, rows):
        chosen = [alert for alert in rows if alert.state != Alert.State.RESOLVED]
        for alert in chosen:
            alerts.resolve(alert, now, note or f"Resolved by {who}.", who)
            _settle(alert)
    return len(chosen)


def note(ids: Collection[int], who: str, text: str) -> int:
    """Write something into the lives of these alerts. Returns how many there are."""
    with _writing(ids) as (now, _, rows):
        AlertEvent.objects.bulk_create(
            AlertEvent(alert=alert, at=now, who=who, what=What.NOTED, note=text) for alert in rows
        )
    return len(rows)


def mute(rule: Rule | None, group: str | None, until: datetime, reason: str, who: str) -> Mute:
    """Send nothing for this group of the rule (None: for all its groups; no rule: for all rules)
    until then. MuteRefused without a reason, or if the end is past or too far away."""
    if not reason.strip():
        raise MuteRefused("Say why: whoever misses an alert wants to know.")
    if rule is None and group is not None:
        raise MuteRefused("A group is a rule's: name the rule.")
    now = _now()
    if until <= now:
        raise MuteRefused("The end of a mute lies ahead; this one is over already.")
    if (until - now).days >= LONGEST_MUTE_DAYS:
        raise MuteRefused(
            f"A mute lasts for at most {LONGEST_MUTE_DAYS} days. Disable the rule instead."
        )
    return Mute.objects.create(
        rule=rule, group=group, until=until, reason=reason.strip(), who=who, created_at=now
    )


def end_mute(mute: Mute, who: str) -> bool:
    """End a mute now; False if it was over. What is open is told within a second or two."""
    with transaction.atomic():
        locks.wait(locks.ALERTING)
        now = _now()
        running = Mute.objects.filter(pk=mute.pk, ended_at__isnull=True, until__gt=now)
        if not running.update(ended_at=now, ended_by=who):
            return False
        # What it may have held back is looked at anew: told, or held back by another.
        for time in Times._fields:
            Alert.objects.filter(**{time: mute.until}).update(**{time: now})
        waiting = Alert.objects.filter(digest_at__gt=now, rule__digest_seconds=0)
        waiting.update(digest_at=now)
    return True


@contextmanager
def _writing(ids: Collection[int]) -> Iterator[tuple[datetime, Alerts, list[Alert]]]:
    """The named alerts, while nobody else writes alerts; what is done is written at the end."""
    with transaction.atomic():
        locks.wait(locks.ALERTING)
        now = _now()
        alerts = Alerts(now)
        rows = list(Alert.objects.select_related("rule").filter(pk__in=ids).order_by("pk"))
        yield now, alerts, rows
        alerts.write()


def _settle(alert: Alert) -> None:
    """The rule learns that its alert is over."""
    state = RuleState.objects.filter(rule=alert.rule_id, group=alert.group).first()
    if state is None or alert.rule is None:
        return
    try:
        evaluator = evaluator_of(define(vars(alert.rule)))
    except (RuleError, ValueError):
        return  # a rule that cannot work, or one of health, remembers nothing of use
    settled = evaluator.settle(state.state)
    if settled is None:
        state.delete()
    else:
        RuleState.objects.filter(pk=state.pk).update(state=settled)


def _now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
