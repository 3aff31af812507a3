"""Rules as code: what a file of rules would change, and changing it.

A plan compares each rule of the file with the rule of that name, so applying a file twice changes
nothing the second time.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from django.db import IntegrityError, transaction

from streams import locks, rulebook
from streams.alerting.definition import RuleError
from streams.models import Rule
from streams.rule_diff import differences, lines
from streams.rulefile import Mistake, RuleFileError

_MARKS = {"add": "+", "change": "~", "delete": "-"}


class Step(NamedTuple):
    """One rule that is not as the file says: its content before and after; None is not there."""

    what: Literal["add", "change", "delete"]
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Plan(NamedTuple):
    steps: list[Step]
    unchanged: int
    # Rules that the file does not have, and that stay.
    left: list[str]

    def lines(self) -> Iterator[str]:
        """The plan for a terminal, a sentence with its sum last."""
        for step in self.steps:
            kind = f" ({step.after['kind']})" if step.after and not step.before else ""
            yield f"{_MARKS[step.what]} {step.name}{kind}"
            if step.what != "delete":
                for difference in differences(step.before, step.after):
                    yield from (f"    {line}" for line in lines(difference))
        if self.left:
            yield f"Not in the file, and left alone: {', '.join(self.left)}."
        done = [step.what for step in self.steps]
        sums = ", ".join(f"{done.count(what)} to {what}" for what in _MARKS)  # type: ignore[arg-type]
        yield f"{sums}, {self.unchanged} as they are." if done else "Nothing to change."


def plan(contents: Sequence[Mapping[str, Any]], *, prune: bool = False) -> Plan:
    """What applying these rules (of `rulefile.load`) would do. RuleFileError names every rule that
    could not be saved, and the field."""
    _check(contents)
    stored = {rule.name: rulebook.content_of(rule) for rule in Rule.objects.all()}
    wanted = {content["name"]: _as_stored(content) for content in contents}
    steps = [
        Step("change" if name in stored else "add", name, stored.get(name), content)
        for name, content in wanted.items()
        if stored.get(name) != content
    ]
    others = [name for name in stored if name not in wanted]
    if prune:
        steps = [*(Step("delete", name, stored[name], None) for name in others), *steps]
    unchanged = sum(stored.get(name) == content for name, content in wanted.items())
    return Plan(steps, unchanged, [] if prune else others)


def apply(
    contents: Sequence[Mapping[str, Any]], who: str, why: str = "", *, prune: bool = False
) -> Plan:
    """Make the rules what the file says, all of them or none; what was done. RuleFileError."""
    try:
        with transaction.atomic():
            # Nobody edits a rule between the plan and its steps. The rulebook takes this lock
            # before the rules' rows, so it comes first here, too.
            locks.wait(locks.ALERTING)
            made = plan(contents, prune=prune)
            rules = {rule.name: rule for rule in Rule.objects.all()}
            for step in made.steps:
                if step.after is None:
                    rulebook.delete(rules[step.name], who, why)
                else:
                    _save(step, rules.get(step.name), who, why)
    except IntegrityError as error:
        sentence = (
            "Somebody added a rule of the same name meanwhile. Nothing was changed: try again."
        )
        raise RuleFileError([Mistake("", "", sentence)]) from error
    return made


def _save(step: Step, rule: Rule | None, who: str, why: str) -> None:
    try:
        rulebook.save(step.after or {}, who, why, rule=rule)
    except RuleError as error:  # it could be saved a moment ago: a destination went meanwhile
        raise RuleFileError([_mistake(step.name, error)]) from error


def _check(contents: Sequence[Mapping[str, Any]]) -> None:
    mistakes = []
    for content in contents:
        try:
            rulebook.check(content)
        except RuleError as error:
            mistakes.append(_mistake(content["name"], error))
    if mistakes:
        raise RuleFileError(mistakes)


def _mistake(name: str, error: RuleError) -> Mistake:
    place = f"{error.field}.{error.setting}" if error.setting else error.field
    return Mistake(name, place, error.sentence)


def _as_stored(content: Mapping[str, Any]) -> dict[str, Any]:
    """As `rulebook.content_of` would give it back."""
    sorted_ = {field: sorted(set(content[field])) for field in ("destinations", "escalate_to")}
    return {**content, **sorted_}
