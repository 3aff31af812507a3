"""Time passes for rules: deadlines of what they remember, the beginning of those that wait without
any match, and what becomes of alerts whose rule does not know of them any more."""

from datetime import datetime, timedelta
from functools import partial

from django.db.models import Exists, OuterRef, Q

from streams.alerting.evaluate import Evaluator, Happening
from streams.change import microseconds
from streams.models import Alert, Rule, RuleState
from streams.stages.alert import Alerts
from streams.stages.asked_rules import AskedRules, resting
from streams.stages.outcomes import Outcomes
from streams.stages.rule_states import Key, RuleStates, due_states

# In one transaction; the rest a second later.
_MOST_DUE = 2_000
# These wait without any match.
_WAIT = (Rule.Kind.ABSENCE, Rule.Kind.RATE)


def let_time_pass(now: datetime) -> int:
    """Every deadline up to now, all matches before it being evaluated; how many deliveries."""
    _rest()
    alerts, outcomes, rules = Alerts(now), Outcomes(), AskedRules()
    _begin(now, rules)
    _meet_deadlines(now, alerts, outcomes, rules)
    deliveries = alerts.write()
    outcomes.write()
    return deliveries + _resolve_forgotten(now)


def _meet_deadlines(now: datetime, alerts: Alerts, outcomes: Outcomes, rules: AskedRules) -> None:
    keys = due_states(now, resting(now), _MOST_DUE)
    if not keys:
        return
    rules.look_up(rule_id for rule_id, _ in keys)
    states, happened = RuleStates(keys), []
    for rule_id in dict.fromkeys(rule_id for rule_id, _ in keys):
        groups = [group for rule, group in keys if rule == rule_id]
        happened += _advance(rule_id, groups, rules, states, now)
    outcomes.look_up(one for _, happenings in happened for one in happenings)
    alerts.look_up(key for key, happenings in happened if happenings)
    for (rule_id, group), happenings in happened:
        outcomes.follow(rules.get(rule_id), group, happenings, alerts)
    states.write()


def _advance(
    rule_id: int, groups: list[str], rules: AskedRules, states: RuleStates, now: datetime
) -> list[tuple[Key, list[Happening]]]:
    clock = microseconds(now)

    def advance(evaluator: Evaluator) -> list[tuple[Key, list[Happening]]]:
        take = partial(evaluator.advance, clock=clock)
        return [((rule_id, group), states.step((rule_id, group), take)) for group in groups]

    found = rules.attempt(rule_id, now, advance)
    if found is None:
        states.leave(rule_id)
    return found or []


def _begin(now: datetime, rules: AskedRules) -> None:
    """Rules that wait without any match begin when they were saved or enabled, or when what came
    before had been read for them."""
    known = RuleState.objects.filter(rule=OuterRef("pk"))
    new = Rule.objects.filter(
        ~Exists(known), kind__in=_WAIT, enabled=True, ready_at__isnull=False
    ).exclude(pk__in=resting(now))
    for rule in new:
        _begin_one(rule, now, rules)


def _begin_one(rule: Rule, now: datetime, rules: AskedRules) -> None:
    rules.look_up([rule.pk])
    states = RuleStates([])
    begun = microseconds(max(at for at in (rule.ready_at, rule.changed_at) if at))

    def begin(evaluator: Evaluator) -> list[Happening]:
        return states.step((rule.pk, ""), lambda _: evaluator.begin(begun))

    if rules.attempt(rule.pk, now, begin) is not None:
        states.write()


def _rest() -> None:
    """A rule that is not enabled forgets; it begins anew, and without what happened meanwhile."""
    off = Rule.objects.filter(enabled=False).exclude(kind=Rule.Kind.HEALTH)
    RuleState.objects.filter(rule__in=off).delete()
    off.filter(kind=Rule.Kind.RATE, ready_at__isnull=False).update(ready_at=None)


def _resolve_forgotten(now: datetime) -> int:
    """Alerts whose rule was deleted; and those that their rule does not know of any more, because
    it was changed or not enabled for a time: they end as late as it says."""
    alerts = Alerts(now)
    is_open = Alert.objects.filter(~Q(state=Alert.State.RESOLVED))
    for alert in is_open.filter(rule=None):
        alerts.resolve(alert, now, "Its rule was deleted.")
    known = RuleState.objects.filter(rule=OuterRef("rule"), group=OuterRef("group"))
    forgotten = is_open.filter(~Exists(known), rule__resolve_seconds__gt=0)
    for alert in forgotten.exclude(rule__kind=Rule.Kind.HEALTH).select_related("rule"):
        seconds = alert.rule.resolve_seconds if alert.rule else 0
        if alert.last_at + timedelta(seconds=seconds) <= now:
            alerts.resolve(alert, now, "The rule was changed since, and nothing more came.")
    return alerts.write()
