"""The health rules that every installation has from the start, for all its streams."""

from typing import Any

from django.db import migrations
from django.utils import timezone

_WHO = "Deltawatch"
# Seconds. What concerns many streams at once, as when no worker reads, is told in one message.
_COOL_DOWN, _DIGEST = 900, 30

# Name, severity, params, cool-down and digest in seconds, note. They are rules like all others: who
# changes or deletes one keeps it so.
_RULES: list[tuple[str, str, dict[str, Any], int, int, str]] = [
    (
        "Lag over 5 minutes",
        "warning",
        {"what": "lag", "limit": 300},
        _COOL_DOWN,
        _DIGEST,
        "Changes arrive late. If the lag shrinks, wait; if it grows, start more workers.",
    ),
    (
        "A stream is stalled",
        "critical",
        {"what": "stalled"},
        0,
        _DIGEST,
        "A stream that should be read is not, for whatever reason. AWS keeps changes for 24 hours.",
    ),
    (
        "Less than 12 hours until loss",
        "warning",
        {"what": "loss", "limit": 43_200},
        0,
        0,
        "Half of the time in which AWS keeps unread changes is over. Told during a pause, too.",
    ),
    (
        "Less than 4 hours until loss",
        "critical",
        {"what": "loss", "limit": 14_400},
        0,
        0,
        "Unread changes will be lost for good in a few hours. Told during a pause, too.",
    ),
    (
        "A gap in the history",
        "critical",
        {"what": "gap"},
        0,
        _DIGEST,
        "Changes are missing. Each gap has an alert, which stays until somebody resolves it.",
    ),
    (
        "Reading is throttled",
        "warning",
        {"what": "throttled"},
        _COOL_DOWN,
        _DIGEST,
        "Mostly because more than two readers share a shard.",
    ),
    (
        "No worker is reading",
        "critical",
        {"what": "worker"},
        0,
        0,
        "Nothing is read from any stream. A web process notices it, and tells of it.",
    ),
    (
        "Beat is gone",
        "critical",
        {"what": "beat"},
        0,
        0,
        "Reading goes on, but nothing replaces what stops and no other rule is evaluated.",
    ),
    (
        "Deliveries fail",
        "warning",
        {"what": "deliveries"},
        _COOL_DOWN,
        0,
        "A destination refused something three times, or for good. Name another destination here "
        "than the one that fails.",
    ),
]


def make(apps: Any, schema_editor: Any) -> None:
    """Make those whose name is free."""
    rule_model = apps.get_model("streams", "Rule")
    version_model = apps.get_model("streams", "RuleVersion")
    now = timezone.now()
    for name, severity, params, cool_down, digest, note in _RULES:
        if rule_model.objects.filter(name=name).exists():
            continue
        said = {
            "kind": "health",
            "enabled": True,
            "severity": severity,
            "query": "",
            "then_query": "",
            "params": params,
            "group_by": [],
            # Health alerts resolve when what they tell of is gone.
            "resolve_seconds": 0,
            "cool_down_seconds": cool_down,
            "digest_seconds": digest,
            "repeat_seconds": 0,
            "escalate_seconds": 0,
            "owner": "",
            "runbook": "",
            "note": note,
        }
        rule = rule_model.objects.create(
            name=name, version=1, changed_at=now, changed_by=_WHO, ready_at=now, **said
        )
        version_model.objects.create(
            rule=rule,
            rule_name=name,
            version=1,
            who=_WHO,
            why="On from the start.",
            content={"name": name, **said, "destinations": [], "escalate_to": []},
        )


class Migration(migrations.Migration):
    dependencies = [
        ("streams", "0010_rules_and_alerts"),
    ]

    operations = [
        migrations.RunPython(make, migrations.RunPython.noop),
    ]
