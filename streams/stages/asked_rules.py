"""The rules that matches are evaluated by: their evaluators, what they asked in earlier versions,
and what happens to one that raises. Read anew in each transaction."""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from streams.alerting.definition import define
from streams.alerting.evaluate import Evaluator, evaluator_of
from streams.errors import DeltawatchError
from streams.models import Rule, RuleVersion

log = logging.getLogger(__name__)
T = TypeVar("T")

# With this begins what a rule says that raised while it was evaluated.
FAILED = "Its matches could not be evaluated"
_FIX = (
    "They wait and are not lost, and it is tried again every minute. Change the rule; if that does "
    "not help, report this sentence as a bug."
)
# How long such a rule rests.
_REST = timedelta(minutes=1)
# What a mistake in an evaluator, or in a state that it does not know any more, can raise.
_RAISED = (
    *(ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError),
    DeltawatchError,
)


class AskedRules:
    def __init__(self) -> None:
        self._rules: dict[int, Rule] = {}
        self._evaluators: dict[int, Evaluator] = {}
        self._same: dict[tuple[int, int], bool] = {}

    def look_up(self, ids: Iterable[int]) -> None:
        self._rules |= Rule.objects.in_bulk(set(ids) - self._rules.keys())

    def get(self, rule_id: int) -> Rule:
        return self._rules[rule_id]

    def asked_this(self, rule_id: int | None, version: int) -> bool:
        """Whether that version of the rule found the same changes as the rule does now; False if
        the rule was deleted."""
        rule = self._rules.get(rule_id or 0)
        if rule is None:
            return False
        if (key := (rule.pk, version)) not in self._same:
            self._same[key] = rule.version == version or _found_the_same(rule, version)
        return self._same[key]

    def attempt(self, rule_id: int, now: datetime, work: Callable[[Evaluator], T]) -> T | None:
        """Do it with the rule's evaluator. None if that raises: then the rule says so, and what
        was done is not to be kept."""
        rule = self._rules[rule_id]
        try:
            if rule_id not in self._evaluators:
                self._evaluators[rule_id] = evaluator_of(define(vars(rule)))
            done = work(self._evaluators[rule_id])
        except _RAISED as error:
            log.warning("The rule %s was not evaluated.", rule, exc_info=error)
            said = f"{FAILED}: {type(error).__name__}, {error}"[:1_000]
            _say(rule, said, _FIX, now)
            return None
        if rule.error.startswith(FAILED):
            _say(rule, "", "", None)
        return done


def resting(now: datetime) -> list[int]:
    """The rules that raised within the last minute."""
    found = Rule.objects.filter(error__startswith=FAILED, error_at__gt=now - _REST)
    return list(found.values_list("pk", flat=True))


def _say(rule: Rule, error: str, fix: str, at: datetime | None) -> None:
    rule.error, rule.fix, rule.error_at = error, fix, at
    rule.save(update_fields=["error", "fix", "error_at"])


def _found_the_same(rule: Rule, version: int) -> bool:
    saved = RuleVersion.objects.filter(rule=rule, version=version).first()
    if saved is None or saved.content is None:
        return False
    return _question(saved.content) == _question(vars(rule))


def _question(content: Mapping[str, Any]) -> list[Any]:
    """What decides which changes a rule finds, and in which groups."""
    kind = str(content["kind"])
    asked: list[Any] = [content["query"], list(content["group_by"])]
    if kind == Rule.Kind.SEQUENCE:
        return [*asked, content["then_query"]]
    if kind == Rule.Kind.FIRST_SEEN:
        return [*asked, content["params"].get("what"), "first"]
    return asked
