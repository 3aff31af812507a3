"""The rulebook: saving, deleting and rolling back rules, and how a rule is spelled outside the
database (pages, YAML, versions). Every rule that changes goes through here."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F

from streams.alerting.definition import Definition, FirstSeen, Rate, RuleError, define
from streams.models import Destination, Edit, Rule, RuleHead, RuleState, RuleVersion, Sighting
from streams.stages.evaluate import evaluate_before_change

# What a rule says, in this order, besides its name and its destinations.
FIELDS = (
    *("kind", "enabled", "severity", "query", "then_query", "params", "group_by"),
    *("resolve_seconds", "cool_down_seconds", "digest_seconds", "repeat_seconds"),
    *("escalate_seconds", "owner", "runbook", "note"),
)
_TO = ("destinations", "escalate_to")
# A change of one of these makes what the rule remembers worthless.
_EVALUATED = ("kind", "query", "then_query", "params", "group_by")


def content_of(rule: Rule) -> dict[str, Any]:
    """What the rule says, JSON-able: its name, FIELDS, and its destinations by name."""
    content: dict[str, Any] = {"name": rule.name}
    content |= {field: getattr(rule, field) for field in FIELDS}
    content |= {field: str(content[field]) for field in ("kind", "severity")}
    for field in _TO:
        content[field] = sorted(getattr(rule, field).values_list("name", flat=True))
    return content


def definition_of(rule: Rule) -> Definition:
    """RuleError if the rule cannot work as it is."""
    return define({field: getattr(rule, field) for field in FIELDS})


def check(content: Mapping[str, Any]) -> Definition:
    """Whether a rule of this content could be saved; missing fields have their defaults.
    RuleError names the field."""
    unknown = content.keys() - {"name", *FIELDS, *_TO}
    if unknown:
        raise RuleError(min(unknown), f"A rule has no field {min(unknown)!r}.")
    rule = Rule(**{name: content[name] for name in ("name", *FIELDS) if name in content})
    try:
        said = {"name", *FIELDS}
        rule.clean_fields(exclude={f.name for f in Rule._meta.get_fields()} - said)
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        raise RuleError(field, " ".join(sentences)) from error
    for field in _TO:
        _destinations(field, content.get(field, ()))
    return definition_of(rule)


def save(
    content: Mapping[str, Any],
    who: str,
    why: str = "",
    *,
    rule: Rule | None = None,
    seen: int | None = None,
) -> Rule:
    """Save a new rule, or a new version of `rule`; RuleError, and nothing is changed.

    Saving what is there already makes no version. Pollers take it up within a second or two; what
    was stored until now is evaluated first, by what the rule said before. `seen` is the version
    that was edited; another one now is a RuleError: two people's edits are never mixed by chance.
    """
    with transaction.atomic():
        rule = _held(rule, seen) if rule else Rule()
        before = content_of(rule) if rule.pk else None
        check({**(before or {}), **content})
        for field in ("name", *FIELDS):
            if field in content:
                setattr(rule, field, content[field])
        _refuse_taken_name(rule)
        if before is None:
            rule.save()
        for field in _TO:
            if field in content:
                getattr(rule, field).set(_destinations(field, content[field]))
        after = content_of(rule)
        if after == before:
            return rule
        rule.version += 1
        rule.changed_at, rule.changed_by = _now(), who
        rule.error, rule.fix, rule.error_at = "", "", None
        if before is None or any(before[field] != after[field] for field in _EVALUATED):
            _forget(rule)
        rule.save()
        RuleVersion.objects.create(
            rule=rule, rule_name=rule.name, version=rule.version, who=who, why=why, content=after
        )
        _note(who, rule.name, before, after)
        _advance()
    return rule


def delete(rule: Rule, who: str, why: str = "") -> None:
    """Delete a rule. Its alerts and its versions stay."""
    with transaction.atomic():
        rule = _held(rule)
        before = content_of(rule)
        RuleVersion.objects.create(
            rule=rule,
            rule_name=rule.name,
            version=rule.version + 1,
            who=who,
            why=why,
            content=None,
        )
        rule.delete()
        _note(who, before["name"], before, None)
        _advance()


def roll_back(rule: Rule, version: int, who: str, why: str = "") -> Rule:
    """Save what an earlier version said, as a new version. RuleError if it cannot be saved now, as
    when a destination is gone."""
    content = rule.versions.get(version=version).content or {}
    return save(content, who, why or f"Back to version {version}.", rule=rule)


def head() -> int:
    """Grows with every change of any rule."""
    return RuleHead.objects.filter(pk=1).values_list("number", flat=True).first() or 0


def _held(rule: Rule, seen: int | None = None) -> Rule:
    """The rule as it is now, while nobody else changes it; what was stored until now is evaluated
    by it. RuleError if it is deleted, or not the version that was seen."""
    evaluate_before_change()
    now = Rule.objects.select_for_update().filter(pk=rule.pk).first()
    if now is None:
        raise RuleError("", f"The rule {rule.name!r} was deleted meanwhile.")
    if seen not in (None, now.version):
        raise RuleError(
            "",
            f"{now.changed_by} saved version {now.version} meanwhile: yours began with version"
            f" {seen}. Look at the history, then open the rule anew.",
        )
    return now


def _destinations(field: str, names: Any) -> list[Destination]:
    found = {each.name: each for each in Destination.objects.filter(name__in=list(names))}
    for name in names:
        if name not in found:
            raise RuleError(field, f"There is no destination {name!r}. Add it first.")
    return list(found.values())


def _refuse_taken_name(rule: Rule) -> None:
    if Rule.objects.filter(name=rule.name).exclude(pk=rule.pk).exists():
        raise RuleError("name", f"There is a rule {rule.name!r} already.")


def _forget(rule: Rule) -> None:
    """A rule that asks something else begins anew; its open alerts stay, and resolve by time or by
    hand."""
    if rule.pk:
        RuleState.objects.filter(rule=rule).delete()
        Sighting.objects.filter(rule=rule).delete()
    needs_the_past = isinstance(definition_of(rule).params, FirstSeen | Rate)
    rule.ready_at = None if needs_the_past else _now()


def _note(
    who: str, name: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> None:
    fields = sorted({*(before or {}), *(after or {})})
    pairs = {field: [(before or {}).get(field), (after or {}).get(field)] for field in fields}
    changed = {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}
    Edit.objects.create(who=who, what=f"rule {name}", fields=changed)


def _advance() -> None:
    RuleHead.objects.get_or_create(pk=1)
    RuleHead.objects.filter(pk=1).update(number=F("number") + 1)


def _now() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
