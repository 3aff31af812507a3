"""The rules with what became of them: the list of rules, and the head of a rule's page."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Min, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import TruncDay
from django.utils import timezone

from streams import rulebook
from streams.alerting.definition import RuleError
from streams.alerting.rule_sentence import sentence_of
from streams.models import Alert, Destination, Mute, Rule

DAYS = 7


class RuleStatus(NamedTuple):
    """`state` is "error", "disabled", "muted", "firing", "preparing" or "ok", the first that holds;
    `since` belongs to it (of "muted" it is the end). `week` counts the alerts that opened on each
    of the last days (UTC), today last."""

    rule: Rule
    state: str
    since: datetime | None
    sentence: str
    open: int
    last_at: datetime | None
    week: list[int]
    mute: Mute | None
    destinations: list[Destination]

    @property
    def fired(self) -> int:
        return sum(self.week)


class Page(NamedTuple):
    """`following` is the name to go on after, "" at the end."""

    rows: list[RuleStatus]
    following: str


def page(*, text: str = "", after: str = "", size: int = 100) -> Page:
    """Rules by name: those that have the text in their name, filter, owner or note."""
    rules = _rules().filter(name__gt=after) if after else _rules()
    if text:
        says = Q(name__icontains=text) | Q(query__icontains=text) | Q(then_query__icontains=text)
        rules = rules.filter(says | Q(owner__icontains=text) | Q(note__icontains=text))
    found = list(rules.order_by("name")[: size + 1])
    shown = found[:size]
    return Page(statuses(shown), shown[-1].name if len(found) > size else "")


def find(rule_id: int) -> RuleStatus | None:
    return next(iter(statuses(_rules().filter(pk=rule_id))), None)


def own_rules() -> bool:
    """Whether somebody made a rule: health rules are there from the beginning."""
    return Rule.objects.exclude(kind=Rule.Kind.HEALTH).exists()


def statuses(rules: Iterable[Rule]) -> list[RuleStatus]:
    """In the order of the rules, which `_rules` has read."""
    rules, now = list(rules), timezone.now()
    ids = [rule.pk for rule in rules]
    open_ = _open(ids)
    week, mutes = _week(ids, now), _mutes(ids, now)
    found = []
    for rule in rules:
        count, opened = open_.get(rule.pk, (0, None))
        mute = mutes.get(rule.pk) or mutes.get(None)
        state, since = _state(rule, opened, mute)
        found.append(
            RuleStatus(
                rule=rule,
                state=state,
                since=since,
                sentence=_sentence(rule),
                open=count,
                last_at=rule.last_at,  # type: ignore[attr-defined]
                week=week.get(rule.pk, [0] * DAYS),
                mute=mute,
                destinations=list(rule.destinations.all()),
            )
        )
    return found


def _rules() -> QuerySet[Rule]:
    newest = Alert.objects.filter(rule=OuterRef("pk")).order_by("-opened_at")
    names = Prefetch("destinations", Destination.objects.order_by("name"))
    last = Subquery(newest.values("opened_at")[:1])
    return Rule.objects.annotate(last_at=last).prefetch_related(names)


def _open(ids: Sequence[int]) -> dict[int, tuple[int, datetime]]:
    alerts = Alert.objects.exclude(state=Alert.State.RESOLVED).filter(rule__in=ids)
    rows = alerts.order_by().values_list("rule").annotate(Count("id"), Min("opened_at"))
    return {rule: (count, opened) for rule, count, opened in rows}


def _week(ids: Sequence[int], now: datetime) -> dict[int, list[int]]:
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS - 1)
    alerts = Alert.objects.filter(rule__in=ids, opened_at__gte=first).order_by()
    rows = alerts.annotate(day=TruncDay("opened_at")).values_list("rule", "day")
    found: dict[int, list[int]] = {}
    for rule, day, count in rows.annotate(Count("id")):
        place = min(DAYS - 1, (day - first).days)
        found.setdefault(rule, [0] * DAYS)[place] += count
    return found


def _mutes(ids: Sequence[int], now: datetime) -> dict[int | None, Mute]:
    """The mute of a whole rule, or of all of them (None), that ends last."""
    current = Mute.objects.filter(ended_at=None, until__gt=now, group=None)
    chosen = current.filter(Q(rule__in=ids) | Q(rule=None)).order_by("until")
    return {mute.rule_id: mute for mute in chosen}


def _state(rule: Rule, opened: datetime | None, mute: Mute | None) -> tuple[str, datetime | None]:
    if rule.error:
        return "error", rule.error_at
    if not rule.enabled:
        return "disabled", None
    if mute:
        return "muted", mute.until
    if opened:
        return "firing", opened
    return ("ok", None) if rule.ready_at else ("preparing", rule.changed_at)


def _sentence(rule: Rule) -> str:
    try:
        return sentence_of(rulebook.definition_of(rule))
    except RuleError as error:
        return f"It cannot work as it is: {error.sentence}"
