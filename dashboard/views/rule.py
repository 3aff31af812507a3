"""The builder of a rule: what it asks on the left, what it would have done on the right."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from dashboard import access
from dashboard.forms.quiet import SPANS
from dashboard.forms.rule import GROUPED, RuleForm
from dashboard.views.rule_preview import PERIODS, explanation_facts, preview_facts
from streams import rulebook
from streams.alerting.definition import RuleError
from streams.alerting.rule_sentence import sentence_of
from streams.models import Rule
from streams.queries import rules as query
from streams.rules.expressions.rows import ALONE, OPERATORS

ADD, CHANGE, DELETE, MUTE = (
    *("streams.add_rule", "streams.change_rule", "streams.delete_rule"),
    "streams.add_mute",
)


@require_http_methods(["GET", "POST"])
def new_rule(request: HttpRequest) -> HttpResponse:
    """A rule that is not there yet: empty, filled in by the address, or like another (`copy`)."""
    if request.method == "POST":
        return _posted(request, None)
    content: dict[str, Any] = {}
    if (copied := request.GET.get("copy", "")) and copied.isdecimal() and len(copied) < 10:
        like = get_object_or_404(Rule, pk=copied)
        content = rulebook.content_of(like) | {"name": f"{like.name[:113]} (copy)"}
    return _builder(request, RuleForm(content=content, prefill=request.GET.dict()), None)


@require_http_methods(["GET", "POST"])
def rule_page(request: HttpRequest, rule_id: int) -> HttpResponse:
    rule = get_object_or_404(Rule, pk=rule_id)
    if request.method == "POST":
        return _posted(request, rule)
    form = RuleForm(content=rulebook.content_of(rule), new=False, version=rule.version)
    return _builder(request, form, rule)


def _posted(request: HttpRequest, rule: Rule | None) -> HttpResponse:
    """Saved, or shown again with what the pressed button asks for."""
    action = request.POST.get("action", "save")
    form = RuleForm(request.POST, saving=action == "save", new=rule is None)
    valid = form.is_valid()
    if action == "save":
        if not request.user.has_perm(ADD if rule is None else CHANGE):
            form.add_error(None, "It was not saved: you lack the permission to save rules.")
            return _builder(request, form, rule, status=403)
        if valid and (saved := _saved(request, form, rule)):
            return redirect("rule", saved.pk)
        return _builder(request, form, rule, status=400)
    facts: dict[str, Any] = {}
    if action in ("preview", "longer"):
        facts = preview_facts(request, form, rule)
    elif action == "explain":
        facts = explanation_facts(request, form)
    return _builder(request, form, rule, **facts)


def _saved(request: HttpRequest, form: RuleForm, rule: Rule | None) -> Rule | None:
    """The rule; None if it was refused, and then the form says why."""
    who, why = access.person(request).get_username(), form.cleaned_data["why"]
    try:
        seen = form.cleaned_data["seen_version"]
        saved = rulebook.save(form.content(), who, why, rule=rule, seen=seen)
    except RuleError as error:
        form.refused(error)
        return None
    if rule is not None and saved.version == rule.version:
        messages.info(request, "Nothing was changed, so there is no new version.")
    else:
        messages.success(request, f"Saved as version {saved.version}. It is active in a moment.")
    return saved


def _builder(
    request: HttpRequest, form: RuleForm, rule: Rule | None, *, status: int = 200, **facts: Any
) -> HttpResponse:
    found = query.find(rule.pk) if rule else None
    if rule and found is None:
        raise Http404(f"There is no rule {rule.pk}.")
    may = {deed: request.user.has_perm(f"streams.{deed}_rule") for deed in ("change", "delete")}
    facts |= {
        "form": form,
        "rule": rule,
        "status": found,
        "may": may | {"save": request.user.has_perm(CHANGE if rule else ADD)},
        "may_add": request.user.has_perm(ADD),
        "may_mute": request.user.has_perm(MUTE),
        "operators": list(OPERATORS.items()),
        "alone": ALONE,
        "grouped": GROUPED,
        "periods": [(name, label) for name, (label, _) in PERIODS.items()],
        "period": request.POST.get("period", "24h"),
        "spans": [(name, label) for name, (label, _) in SPANS.items()],
    }
    if "said" not in facts and form.is_bound and form.definition:
        facts["said"] = sentence_of(form.definition)
    return render(request, "rules/rule.html", facts, status=status)
