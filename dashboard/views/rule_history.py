"""Every version of a rule: who, when, why, and what was changed."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from streams.models import Rule, RuleVersion
from streams.rule_diff import Difference, differences
from streams.span import spell_span

_PAGE = 20
# Settings that are seconds.
_SPANS = {f"params.{name}" for name in ("window", "seconds", "within", "limit")}


@require_GET
def history_page(request: HttpRequest, rule_id: int) -> HttpResponse:
    rule = get_object_or_404(Rule, pk=rule_id)
    before = request.GET.get("before", "")
    versions = rule.versions.order_by("-version")
    if before.isdecimal() and len(before) < 10:
        versions = versions.filter(version__lt=int(before))
    found = list(versions[: _PAGE + 1])
    facts = {
        "rule": rule,
        "versions": _with_differences(found)[:_PAGE],
        "older": found[_PAGE - 1].version if len(found) > _PAGE else None,
        "may_change": request.user.has_perm("streams.change_rule"),
    }
    return render(request, "rules/history.html", facts)


def _with_differences(versions: list[RuleVersion]) -> list[tuple[RuleVersion, list[Difference]]]:
    """Newest first; each is compared with the one behind it."""
    older: list[RuleVersion | None] = [*versions[1:], None]
    return [
        (version, _shown(before.content if before else None, version.content or {}))
        for version, before in zip(versions, older, strict=True)
    ]


def _shown(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Difference]:
    """What changed, each side as text, "" for nothing; all that is not a default at first."""
    found = differences(before, after)
    if before and before.get("name") != after.get("name"):
        found = [Difference("name", before.get("name"), after.get("name")), *found]
    return [
        Difference(_named(field), _spelled(field, old), _spelled(field, new))
        for field, old, new in found
    ]


def _named(field: str) -> str:
    return field.removeprefix("params.").removesuffix("_seconds").replace("_", " ")


def _spelled(field: str, value: Any) -> str:
    if value is None or value in ("", [], {}):
        return ""
    if field in _SPANS or field.endswith("_seconds"):
        return spell_span(value) if value else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
