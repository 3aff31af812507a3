"""Health: the rules about the streams and the installation itself.

Beat's tick checks them; a poller does when beat is gone, and a web process when both are
(dashboard/watchman.py). An alert opens when what its rule says has lasted for a while (`_HOLD`), as
every look saw it, and resolves when it has been gone for as long. It resolves at once when its
stream is paused or deleted, or its rule switched off. One that somebody resolved by hand opens
again if its cause lasts. Of gaps, each opens an alert of its own, once; it resolves when it turned
out that nothing is missing, `resolve_seconds` after it ended, or by hand.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from streams import locks
from streams.alerting.definition import Health, RuleError
from streams.alerting.holding import Wait, waiting
from streams.models import Alert, Gap, Rule, RuleState
from streams.queries.health import GAPS_FOR, Finding, Found, Look, gaps
from streams.rulebook import definition_of
from streams.stages import rule_faults
from streams.stages.alert import Alerts, open_health, resolve_health

_NOW = timedelta(0)
# What is judged anew every few seconds comes and goes. What is stalled was not read for 20 s, and
# a dead poller's seat took 10 s to run out, before that; at a start, workers come after the web.
_HOLD = {
    "lag": timedelta(seconds=30),
    "stalled": timedelta(seconds=20),
    "loss": timedelta(seconds=10),
    "throttled": timedelta(seconds=30),
    "worker": timedelta(seconds=30),
    "beat": timedelta(seconds=30),
    "deliveries": _NOW,
}
_OVER = {
    "lag": "The lag is below the limit again.",
    "stalled": "It is read again.",
    "loss": "There is more time left again.",
    "throttled": "It is read without being throttled.",
    "worker": "A worker is reading.",
    "beat": "Beat is running.",
    "deliveries": "A delivery succeeded.",
}
_SWITCHED_OFF = "The rule was switched off."
_NO_GAP = "There is no such gap any more, or the rule asks something else now."
# How often an open alert says how things stand.
_SAID_AGAIN = timedelta(minutes=1)
# An alert of a gap is opened soon after the gap was found, by whichever clock.
_FOUND_WITHIN = GAPS_FOR + timedelta(days=1)


def check_health(late: timedelta = _NOW) -> bool:
    """Open and resolve the alerts of all health rules; False if nothing was done, because somebody
    else did within `late`, or does so now. Safe to run twice."""
    if not _is_late(late):
        return False
    look = Look()
    checks = [_Check(rule, look) for rule in Rule.objects.filter(kind=Rule.Kind.HEALTH)]
    for check in checks:
        check.find()
    with transaction.atomic():
        # Nobody waits for another's look: after a later one, an earlier one is worth nothing.
        if not locks.free(locks.HEALTH) or not _note(look.now):
            return False
        locks.wait(locks.ALERTING)
        alerts = Alerts(look.now)
        for check in checks:
            check.settle(alerts)
        alerts.write()
    return True


class _Check:
    """One rule, at one look. `find` only reads, and may ask the broker; `settle` writes."""

    def __init__(self, rule: Rule, look: Look) -> None:
        self._rule, self._now, self._look = rule, look.now, look
        self._params: Health | None = None
        self._found = Found({}, {})
        self._open = _open_groups(rule)
        self._begins: dict[str, Finding] = {}
        self._ends: dict[str, str] = {}

    def find(self) -> None:
        if not self._rule.enabled:
            return
        try:
            params = definition_of(self._rule).params
        except RuleError as error:
            rule_faults.note(self._rule.pk, self._rule.version, rule_faults.of_refused(error))
            return
        if not isinstance(params, Health):
            return
        self._params = params
        if params.what != "gap":
            self._found = self._look.find(params, self._open)

    def settle(self, alerts: Alerts) -> None:
        if not self._rule.enabled:
            self._ends = dict.fromkeys(self._open, _SWITCHED_OFF)
            RuleState.objects.filter(rule=self._rule).delete()
        elif self._params is None:
            return
        elif self._params.what == "gap":
            self._settle_gaps(self._params)
        else:
            self._settle_lasting(self._params.what)
        alerts.look_up((self._rule.pk, group) for group in [*self._ends, *self._begins])
        for group, why in sorted(self._ends.items()):
            resolve_health(alerts, self._rule, group, why)
        for group, (sentence, fix, stream_id) in self._begins.items():
            open_health(alerts, self._rule, group, sentence, fix, stream_id)

    def _settle_lasting(self, what: str) -> None:
        unwell, excused, unknown = self._found
        self._ends = {group: excused[group] for group in self._open.keys() & excused.keys()}
        before = {each.group: each.state for each in RuleState.objects.filter(rule=self._rule)}
        differing = (unwell.keys() ^ self._open.keys()) - excused.keys() - unknown
        waits = {}
        for group in sorted(differing):
            opens = group in unwell
            wait = waiting(before.get(group), opens, self._now, _HOLD[what])
            if wait is not None:
                waits[group] = wait
            elif opens:
                self._begins[group] = unwell[group]
            else:
                self._ends[group] = _OVER[what]
        _remember(self._rule, before, waits)
        for group in self._open.keys() & unwell.keys():
            if self._now - self._open[group] >= _SAID_AGAIN:
                self._begins[group] = unwell[group]

    def _settle_gaps(self, params: Health) -> None:
        found = gaps(params, self._now, _enabled_since(self._rule))
        told = Alert.objects.filter(
            rule=self._rule, opened_at__gt=self._now - _FOUND_WITHIN, group__in=found
        )
        known = set(told.values_list("group", flat=True))
        self._begins = {group: each for group, each in found.items() if group not in known}
        numbers = {group: group.rpartition(" ")[2] for group in self._open}
        kept = Gap.objects.in_bulk([int(n) for n in numbers.values() if n.isdecimal()])
        for group, number in numbers.items():
            if why := self._over(kept.get(int(number)) if number.isdecimal() else None):
                self._ends[group] = why

    def _over(self, gap: Gap | None) -> str:
        """Why the alert of a gap is over; "" if it is not."""
        resolve = timedelta(seconds=self._rule.resolve_seconds)
        if gap is None:
            return _NO_GAP
        if gap.harmless_at:
            return "Nothing is missing after all: the source had kept everything."
        if resolve and not gap.growing and self._now - gap.detected_at >= resolve:
            return "The gap has ended. What is missing stays missing."
        return ""


def _open_groups(rule: Rule) -> dict[str, datetime]:
    """The groups of the rule's open alerts, and when these spoke last."""
    found = Alert.objects.filter(rule=rule).exclude(state=Alert.State.RESOLVED)
    return dict(found.values_list("group", "last_at"))


def _remember(rule: Rule, before: dict[str, Wait], waits: dict[str, Wait]) -> None:
    over = before.keys() - waits.keys()
    if over:
        RuleState.objects.filter(rule=rule, group__in=over).delete()
    RuleState.objects.bulk_create(
        [RuleState(rule=rule, group=group, state=wait) for group, wait in waits.items()],
        update_conflicts=True,
        unique_fields=["rule", "group"],
        update_fields=["state"],
    )


def _enabled_since(rule: Rule) -> datetime:
    """Since when the rule is there, is switched on, and asks for gaps."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT min(at) FROM streams_ruleversion
               WHERE rule_id = %s AND version > coalesce((
                   SELECT max(version) FROM streams_ruleversion
                   WHERE rule_id = %s AND (content ->> 'enabled' = 'false' OR
                       content -> 'params' ->> 'what' IS DISTINCT FROM 'gap')), 0)""",
            [rule.pk, rule.pk],
        )
        since: datetime | None = cursor.fetchone()[0]
    return since or rule.created_at


def _is_late(late: timedelta) -> bool:
    """Whether the last look was so long ago."""
    given: dict[str, Any] = {"late": late}
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT NOT EXISTS (SELECT 1 FROM streams_heartbeat WHERE name = 'health'
                                  AND seen_at > clock_timestamp() - %(late)s)""",
            given,
        )
        return bool(cursor.fetchone()[0])


def _note(now: datetime) -> bool:
    """Write down that somebody looked; False if somebody has looked since."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO streams_heartbeat AS h (name, seen_at) VALUES ('health', %s)
               ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at
               WHERE h.seen_at < excluded.seen_at""",
            [now],
        )
        return bool(cursor.rowcount == 1)
