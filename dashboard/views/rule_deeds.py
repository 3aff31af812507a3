"""What is done with a rule beside saving it: enable, disable, mute, roll back, delete."""

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from dashboard import access
from dashboard.forms.quiet import MuteForm
from streams import rulebook
from streams.errors import DeltawatchError
from streams.models import Rule
from streams.queries import rules as query
from streams.stages import answer

_MOST_TEXT = 1_000


class NotDone(Exception):
    """The deed lacks something; the text says what."""


@require_POST
def rule_deed(request: HttpRequest, rule_id: int) -> HttpResponse:
    """`deed` says what; a sentence on the page that follows says what came of it."""
    rule = get_object_or_404(Rule, pk=rule_id)
    name = request.POST.get("deed", "")
    if name not in _DEEDS:
        raise Http404("There is no such deed.")
    permission, deed = _DEEDS[name]
    if not request.user.has_perm(permission):
        raise PermissionDenied(f"This needs the permission {permission}: ask an administrator.")
    try:
        messages.success(request, deed(rule, request.POST, access.person(request).get_username()))
    except (NotDone, DeltawatchError) as error:
        messages.error(request, f"Nothing was changed. {error}")
        return redirect("rule-history" if name == "roll-back" else "rule", rule.pk)
    to_list = name == "delete" or request.POST.get("back") == "rules"
    return redirect("rules") if to_list else redirect("rule", rule.pk)


def _enable(rule: Rule, given: QueryDict, who: str) -> str:
    rulebook.save({"enabled": True}, who, "Enabled.", rule=rule)
    return f"{rule.name} is enabled, and active in a moment."


def _disable(rule: Rule, given: QueryDict, who: str) -> str:
    rulebook.save({"enabled": False}, who, "Disabled.", rule=rule)
    return f"{rule.name} is disabled and matches nothing any more. Its open alerts stay."


def _roll_back(rule: Rule, given: QueryDict, who: str) -> str:
    text = given.get("version", "")
    known = text.isdecimal() and len(text) < 10
    if not known or not rule.versions.filter(version=int(text), content__isnull=False).exists():
        raise NotDone(f"There is no version {text[:20]} to go back to.")
    saved = rulebook.roll_back(rule, int(text), who, _comment(given))
    if saved.version == rule.version:
        return f"It says what version {text} said already."
    return f"Version {saved.version} says what version {text} said. It is active in a moment."


def _delete(rule: Rule, given: QueryDict, who: str) -> str:
    if given.get("confirmed") != "yes":
        raise NotDone("Tick that the rule shall be deleted.")
    rulebook.delete(rule, who, _comment(given))
    return f"The rule {rule.name} was deleted. Its alerts and its versions are kept."


def _mute(rule: Rule, given: QueryDict, who: str) -> str:
    asked = {"rule": str(rule.pk), "every": "on", "span": given.get("span", "")}
    form = MuteForm({**asked, "reason": given.get("reason", "")})
    if not form.is_valid():
        raise NotDone(" ".join(str(e) for errors in form.errors.values() for e in errors))
    mute = form.apply(who)
    return f"Muted until {mute.until:%Y-%m-%d %H:%M} UTC: alerts open, and nothing is sent."


def _end_mute(rule: Rule, given: QueryDict, who: str) -> str:
    status = query.find(rule.pk)
    if status is None or status.mute is None or status.mute.rule_id != rule.pk:
        raise NotDone("No mute of this rule is on.")
    answer.end_mute(status.mute, who)
    return "The mute was ended: alerts are sent again."


def _comment(given: QueryDict) -> str:
    """PostgreSQL takes no text with a NUL."""
    return given.get("why", "").replace("\0", "").strip()[:_MOST_TEXT]


# The permission each needs.
_DEEDS: Mapping[str, tuple[str, Callable[[Rule, QueryDict, str], str]]] = {
    "enable": ("streams.change_rule", _enable),
    "disable": ("streams.change_rule", _disable),
    "roll-back": ("streams.change_rule", _roll_back),
    "delete": ("streams.delete_rule", _delete),
    "mute": ("streams.add_mute", _mute),
    "end-mute": ("streams.change_mute", _end_mute),
}
