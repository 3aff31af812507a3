"""Short ways to make streams, workers and destinations unwell, and to look at the alerts of the
health rules."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils import timezone

from streams.models import Alert, Heartbeat, Poller, Rule, RuleState, RuleVersion, Shard, Stream
from streams.stages.health import check_health
from streams.testing.factories import make_shard, make_stream

# The default rules, by what they are about.
NAMES = {
    "lag": "Lag over 5 minutes",
    "stalled": "A stream is stalled",
    "loss 12": "Less than 12 hours until loss",
    "loss 4": "Less than 4 hours until loss",
    "gap": "A gap in the history",
    "throttled": "Reading is throttled",
    "worker": "No worker is reading",
    "beat": "Beat is gone",
    "deliveries": "Deliveries fail",
}


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


def make_default_rules(**age: float) -> None:
    """The rules of the migration, as if it had run so long ago."""
    import_module("streams.migrations.0011_health_rules").make(apps, None)
    Rule.objects.update(created_at=ago(**age))
    RuleVersion.objects.update(at=ago(**age))


def everybody_is_there() -> None:
    Poller.objects.create(number=1, owner="a", expires_at=ago(days=-9))
    Heartbeat.objects.create(name="beat", seen_at=ago(days=-9))


def make_read_stream() -> Stream:
    """A stream that was added long ago, with one shard that was read to its end a moment ago."""
    stream = make_stream("orders")
    Stream.objects.update(created_at=ago(days=9), discovered_at=ago(days=-1))
    make_shard(stream, "a", position="41", last_read_at=ago(), caught_up_at=ago())
    return Stream.objects.get(pk=stream.pk)


def rule(what: str) -> Rule:
    return Rule.objects.get(name=NAMES[what])


def is_read(**fields: Any) -> None:
    Shard.objects.update(**{"last_read_at": ago(), "caught_up_at": ago(), **fields})


def wait_longer(**span: float) -> None:
    """As if what is waited for had begun so much earlier, and been looked at all the time."""
    for state in RuleState.objects.all():
        since = datetime.fromisoformat(state.state["since"]) - timedelta(**span)
        state.state["since"] = since.isoformat()
        state.save()


def hold() -> None:
    """Look, as if what is waited for had lasted for a minute by then."""
    check_health()
    wait_longer(minutes=1)
    check_health()


def opened() -> set[str]:
    """What the open alerts are about."""
    found = set(Alert.objects.exclude(state="resolved").values_list("rule_name", flat=True))
    return {what for what, name in NAMES.items() if name in found}


def the(what: str) -> Alert:
    """The newest alert about it."""
    return Alert.objects.filter(rule_name=NAMES[what]).latest("pk")
