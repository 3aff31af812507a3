"""The alerts, as the page and the API list them: a page at a time, newest first."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from streams.models import Alert, Match, Rule, Stream
from streams.queries.place import Place
from streams.queries.problems import Watch, watch

# Unresolved ones are open or acknowledged.
STATES = ("unresolved", "open", "acknowledged", "resolved", "all")
# Only these are counted: an index holds them, and the others grow for ever.
COUNTED_STATES = STATES[:3]
# Counting stops here.
COUNTED = 100
# So many open alerts are looked at to say which stream has any.
_LOOKED_AT = 1_000
# So many waiting matches are looked at; each should be evaluated a second after it was stored.
_WAITING = 200
_LATE = timedelta(seconds=15)


class Asked(NamedTuple):
    """Which alerts: `state` as above, of a severity, rule or stream, or all; and where to go on."""

    state: str = "unresolved"
    severity: str = ""
    rule: Rule | None = None
    stream: Stream | None = None
    before: Place | None = None


class Page(NamedTuple):
    rows: list[Alert]
    following: Place | None


def page(asked: Asked, limit: int) -> Page:
    found = _chosen(asked)
    if asked.before:
        at, number = asked.before
        found = found.filter(Q(opened_at__lt=at) | Q(opened_at=at, pk__lt=number))
    found = found.select_related("stream", "rule").order_by("-opened_at", "-pk")
    rows = list(found[: limit + 1])
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(rows[:limit], Place(last.opened_at, last.pk) if last else None)


def counts(asked: Asked) -> dict[str, int]:
    """How many alerts of COUNTED_STATES there are, with the other choices; at most COUNTED."""
    return {
        state: _chosen(asked._replace(state=state)).order_by()[:COUNTED].count()
        for state in COUNTED_STATES
    }


def unresolved() -> QuerySet[Alert]:
    """Asked with the very condition of the index of open alerts."""
    return Alert.objects.filter(~Q(state=Alert.State.RESOLVED))


def count_open() -> int:
    """How many alerts are open or acknowledged, counted up to COUNTED."""
    return unresolved().order_by()[:COUNTED].count()


def open_by_stream() -> dict[int, int]:
    """How many of the newest thousand open alerts each stream has, by its id."""
    newest = unresolved().order_by("-opened_at", "-pk")[:_LOOKED_AT]
    found = Counter(newest.values_list("stream_id", flat=True))
    return {stream: count for stream, count in found.items() if stream is not None}


def matches_of(change_id: str) -> list[Match]:
    """The matches of a change (its permalink's id), each with its rule and alert, None where there
    is none; at most COUNTED."""
    batch, _, ordinal = change_id.partition("-")
    found = Match.objects.filter(batch_id=int(batch), ordinal=int(ordinal))
    return list(found.select_related("rule", "alert").order_by("pk")[:COUNTED])


@dataclass(frozen=True)
class Calm:
    """What an empty list is worth: how many rules are enabled, when an alert last opened (None if
    none ever did), and when beat, which has the rules evaluated, last showed a sign of life. `late`
    there if that is long ago, so that "none" proves nothing. `waiting` is for how many seconds a
    match has waited too long to be evaluated, None if none has."""

    rules: int
    last_opened_at: datetime | None
    watch: Watch
    waiting: float | None


def calm() -> Calm:
    last = Alert.objects.order_by("-opened_at", "-pk").values_list("opened_at", flat=True)
    enabled = Rule.objects.filter(enabled=True).count()
    return Calm(enabled, last.first(), watch(), _waiting())


def _waiting() -> float | None:
    """Of the first matches that wait; those of rules that are not ready or cannot work wait on
    purpose."""
    waiting = Match.objects.filter(outcome="").order_by("batch_id")
    facts = ("rule__ready_at", "rule__error", "batch__numbered_at")
    clocks = [
        numbered
        for ready, error, numbered in waiting.values_list(*facts)[:_WAITING]
        if ready and not error and numbered
    ]
    age = timezone.now() - min(clocks) if clocks else timedelta()
    return age.total_seconds() if age > _LATE else None


def spelled(alert: Alert) -> dict[str, Any]:
    """An alert as the API shows it."""
    return {
        "id": alert.pk,
        "state": alert.state,
        "severity": alert.severity,
        "sentence": alert.sentence,
        "fix": alert.fix,
        "rule": alert.rule_name,
        "rule_id": alert.rule_id,
        "rule_version": alert.rule_version,
        "kind": alert.kind,
        "group": alert.group,
        "stream": alert.stream.name if alert.stream else None,
        "opened_at": alert.opened_at,
        "last_at": alert.last_at,
        "resolved_at": alert.resolved_at,
        "resolved_by": alert.resolved_by,
        "acknowledged_at": alert.acknowledged_at,
        "owner": alert.owner,
        "count": alert.count,
        "suppressed": alert.suppressed,
        "sample": alert.sample,
        "sample_change": alert.sample_change,
    }


def _chosen(asked: Asked) -> QuerySet[Alert]:
    if asked.state == "all":
        found = Alert.objects.all()
    elif asked.state == "resolved":
        found = Alert.objects.filter(state=Alert.State.RESOLVED)
    else:
        found = unresolved()
        if asked.state != "unresolved":
            found = found.filter(state=asked.state)
    chosen = {"severity": asked.severity, "rule": asked.rule, "stream": asked.stream}
    return found.filter(**{name: value for name, value in chosen.items() if value})
