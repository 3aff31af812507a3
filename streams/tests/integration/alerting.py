"""Short ways to make rules and destinations, to store changes that match, and to let time pass."""

import itertools
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from streams.models import (
    Alert,
    AlertEvent,
    Batch,
    Delivery,
    Destination,
    Match,
    Rule,
    RuleState,
    Shard,
)
from streams.rulebook import save
from streams.stages.evaluate import evaluate
from streams.stages.publish import number_batches
from streams.testing.factories import make_change
from streams.tests.integration.storing import last_batch, store_in

_numbers = itertools.count(1)


def make_rule(kind: str = "match", *, rule: Rule | None = None, **fields: Any) -> Rule:
    """Save a rule as a person does; Alice by name."""
    number = next(_numbers)
    given = {"name": f"rule {number}", "kind": kind} if rule is None else {}
    return save({**given, **fields}, "alice", rule=rule)


def make_destination(name: str = "", **fields: Any) -> Destination:
    name = name or f"destination {next(_numbers)}"
    given = {"kind": "webhook", "options": {"url": "http://127.0.0.1:9/"}, **fields}
    return Destination.objects.create(name=name, **given)


def matching(
    shard: Shard, rule: Rule, count: int = 1, *, group: str = "", part: int = 1, **fields: Any
) -> list[Match]:
    """Store so many changes as one batch, with a match of this rule for each, whatever the rule
    asks, and no others; not numbered yet."""
    numbers = [next(_numbers) for _ in range(count)]
    changes = [
        make_change(
            shard.stream_id,
            number,
            key=f"key{number}",
            old={"n": {"N": "0"}},
            new={"n": {"N": str(number)}},
        )
        for number in numbers
    ]
    store_in(shard, *changes)
    return matches_of(last_batch(shard), rule, count, group=group, part=part, **fields)


def matches_of(
    batch: Batch, rule: Rule, count: int, *, group: str = "", part: int = 1, **fields: Any
) -> list[Match]:
    assert batch.oldest_change_at
    Match.objects.filter(batch=batch).delete()
    return Match.objects.bulk_create(
        Match(
            rule=rule,
            rule_version=fields.get("version", rule.version),
            part=part,
            batch=batch,
            ordinal=ordinal,
            stream_id=batch.stream_id,
            item="00000000-0000-0000-0000-000000000000",
            occurred_at=batch.oldest_change_at,
            group=group,
            seen=fields.get("seen", ""),
        )
        for ordinal in range(count)
    )


def evaluated() -> int:
    """Number the batches and evaluate; how many matches that were."""
    number_batches()
    done = evaluate()
    assert not done.more
    return done.matches


def outcomes(rule: Rule) -> list[str]:
    found = Match.objects.filter(rule=rule).order_by("pk")
    return list(found.values_list("outcome", flat=True))


def alerts_of(rule: Rule) -> list[Alert]:
    return list(Alert.objects.filter(rule=rule).order_by("pk"))


def life_of(alert: Alert) -> list[str]:
    """What happened to an alert, in its order."""
    found = AlertEvent.objects.filter(alert=alert).order_by("at", "pk")
    return list(found.values_list("what", flat=True))


def sent() -> list[tuple[str, str]]:
    """Reason and destination of all deliveries, in the order they were made."""
    found = Delivery.objects.order_by("pk")
    return list(found.values_list("reason", "destination__name"))


def pass_time(**span: float) -> None:
    """Let so much time pass for alerts, rules and mutes: everything they wait for is put back."""
    with connection.cursor() as cursor:
        for table, columns in _TIMES.items():
            moved = ", ".join(f"{column} = {column} - %(span)s" for column in columns)
            given: dict[str, Any] = {"span": timedelta(**span)}
            cursor.execute(f"UPDATE {table} SET {moved}", given)


_TIMES = {
    "streams_alert": ("digest_at", "repeat_at", "escalate_at", "opened_at", "last_at"),
    "streams_mute": ("created_at", "until"),
}


def let_rules_wait(rule: Rule, seconds: int) -> None:
    """As if all that the rule remembers had happened so much earlier."""
    span = seconds * 1_000_000
    for row in RuleState.objects.filter(rule=rule, due_at__isnull=False):
        assert row.due_at
        row.state = {name: _earlier(value, span) for name, value in row.state.items()}
        row.due_at -= timedelta(seconds=seconds)
        row.save()


def _earlier(value: Any, span: int) -> Any:
    """Times are the only large numbers in a state."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 10**15:
        return value
    return value - span


def fire(shard: Shard, rule: Rule, *, group: str = "") -> Alert:
    """Let the rule open an alert."""
    matching(shard, rule, group=group)
    evaluated()
    return Alert.objects.filter(rule=rule).latest("pk")


def ends(**span: float) -> datetime:
    return timezone.now() + timedelta(**span)
