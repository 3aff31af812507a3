"""The noise report: the rules that make most alerts and the attributes that make most changes, each
with the one edit that would quiet it.

Everything is bounded: the newest alerts of the period, matches counted up to a limit, and a sample
of each stream's newest changes.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, Sum

from streams.alerting.quieting import Edit, Fired, Now, quieter
from streams.models import Alert, Delivery, Match, Rule, Shard, Stream
from streams.queries.alerts import changes_by_id
from streams.queries.hot import hot

PERIODS = {"24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}
# The newest so many alerts of the period; the report says from when they are.
MOST_ALERTS = 20_000
# Counting a rule's matches stops here.
MOST_MATCHES = 10_000
_RULES = 20
# So many of a rule's newest matches say which attribute its matches are mostly about.
_SAMPLE = 100
# The streams that changed last, and the attributes of all of them.
_STREAMS, _ATTRIBUTES = 8, 20
# From this share of a stream's MODIFYs on, an attribute that changes alone is worth ignoring.
_LEAST_SHARE = 0.05


class NoisyRule(NamedTuple):
    """A rule and what it made. `matches` up to MOST_MATCHES; `attribute` is what most of its newest
    matches changed, in `share` of them ("" where nothing is in at least half)."""

    rule: Rule
    alerts: int
    suppressed: int
    sent: int
    matches: int
    attribute: str
    share: float
    edit: Edit | None


class NoisyAttribute(NamedTuple):
    """An attribute that is often all that a MODIFY changes: in `alone` of the newest `looked_at`
    changes of its stream."""

    stream: Stream
    name: str
    changes: int
    alone: int
    looked_at: int

    @property
    def share(self) -> float:
        return self.alone / self.looked_at


class Report(NamedTuple):
    """`since` is the beginning of the period, or later where it has more alerts than are read."""

    since: datetime
    cut: bool
    alerts: int
    rules: list[NoisyRule]
    attributes: list[NoisyAttribute]


def report(period: timedelta) -> Report:
    with connection.cursor() as cursor:
        given: list[Any] = [period]
        cursor.execute("SELECT clock_timestamp() - %s", given)
        since: datetime = cursor.fetchone()[0]
    found = Alert.objects.filter(opened_at__gt=since).order_by("-opened_at", "-pk")
    rows = list(found.values_list("rule_id", "group", "opened_at", "last_at")[:MOST_ALERTS])
    cut = len(rows) == MOST_ALERTS
    if cut:
        since = rows[-1][2]
    by_rule: dict[int, list[Fired]] = defaultdict(list)
    for rule_id, group, opened_at, last_at in rows:
        if rule_id is not None:  # of a deleted rule nothing can be edited
            by_rule[rule_id].append(Fired(group, opened_at, last_at))
    return Report(since, cut, len(rows), _rules(by_rule, since), attributes())


def _rules(by_rule: dict[int, list[Fired]], since: datetime) -> list[NoisyRule]:
    top = sorted(by_rule, key=lambda rule_id: -len(by_rule[rule_id]))[:_RULES]
    rules = Rule.objects.in_bulk(top)
    suppressed, sent = _suppressed(top, since), _sent(top, since)
    found = []
    for rule_id in top:
        rule = rules[rule_id]
        attribute, share = _mostly(rule)
        found.append(
            NoisyRule(
                rule=rule,
                alerts=len(by_rule[rule_id]),
                suppressed=suppressed.get(rule_id, 0),
                sent=sent.get(rule_id, 0),
                matches=_matches(rule, since),
                attribute=attribute,
                share=share,
                edit=quieter(by_rule[rule_id], _now(rule)),
            )
        )
    return found


def _now(rule: Rule) -> Now:
    # Those kinds resolve when what they tell of is gone; `resolve_seconds` means nothing to them.
    resolves = rule.kind not in (Rule.Kind.HEALTH, Rule.Kind.ABSENCE, Rule.Kind.RATE)
    return Now(rule.resolve_seconds, rule.cool_down_seconds, rule.digest_seconds, resolves)


def _suppressed(rules: Sequence[int], since: datetime) -> dict[int, int]:
    found = Alert.objects.filter(rule__in=rules, opened_at__gt=since).order_by()
    return dict(found.values_list("rule").annotate(Sum("suppressed")))


def _sent(rules: Sequence[int], since: datetime) -> dict[int, int]:
    """Deliveries that tell of their alerts."""
    told = Delivery.objects.filter(alerts__rule__in=rules, alerts__opened_at__gt=since).order_by()
    return dict(told.values_list("alerts__rule").annotate(Count("pk", distinct=True)))


def _matches(rule: Rule, since: datetime) -> int:
    return Match.objects.filter(rule=rule, occurred_at__gt=since)[:MOST_MATCHES].count()


def _mostly(rule: Rule) -> tuple[str, float]:
    newest = Match.objects.filter(rule=rule).order_by("-occurred_at")
    changes = changes_by_id(list(newest[:_SAMPLE]))
    names: Counter[str] = Counter(
        name
        for change in changes.values()
        if change.operation == "MODIFY"
        for name in change.changed or ()
    )
    if not names:
        return "", 0.0
    name, count = names.most_common(1)[0]
    share = count / len(changes)
    return (name, share) if share >= 0.5 else ("", 0.0)


def attributes() -> list[NoisyAttribute]:
    """The attributes that alone make most changes of the streams that changed last, and are not
    ignored yet; the worst first."""
    found = [each for stream in _latest() for each in _of_stream(stream)]
    return sorted(found, key=lambda each: -each.share)[:_ATTRIBUTES]


def _latest() -> Collection[Stream]:
    shards = Shard.objects.filter(newest_change_at__isnull=False).order_by("-newest_change_at")
    ids = list(dict.fromkeys(shards.values_list("stream", flat=True)[:1_000]))[:_STREAMS]
    return Stream.objects.in_bulk(ids).values()


def _of_stream(stream: Stream) -> list[NoisyAttribute]:
    looked = hot(stream.pk)
    return [
        NoisyAttribute(stream, field.name, field.changes, field.alone, looked.looked_at)
        for field in looked.fields
        if field.alone >= _LEAST_SHARE * looked.looked_at
        and field.name not in stream.ignored_fields
    ]
