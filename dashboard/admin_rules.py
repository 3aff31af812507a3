"""Rules in the admin: made, edited and deleted through the rulebook, which keeps every version."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm, Script
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from dashboard.admin_lists import ReadOnlyAdmin
from dashboard.forms.admin_rule import RuleAdminForm
from dashboard.forms.rule import PARAMS
from streams import rulebook
from streams.alerting.definition import RuleError
from streams.models import Rule, RuleVersion

if TYPE_CHECKING:
    RuleModelAdmin = admin.ModelAdmin[Rule]
else:  # generic for the type checker only
    RuleModelAdmin = admin.ModelAdmin

_SPANS = ["resolve_seconds", "cool_down_seconds", "digest_seconds", "repeat_seconds"]


def _settings() -> list[tuple[str, dict[str, Any]]]:
    """A box for each kind that has settings; the page shows the one of the chosen kind."""
    boxes = []
    for kind, title in Rule.Kind.choices:
        fields = [*(["then_query"] if kind == "sequence" else []), *PARAMS[kind].values()]
        if fields:
            boxes.append((title.capitalize(), {"fields": fields, "classes": ["kind", kind]}))
    return boxes


@admin.register(Rule)
class RuleAdmin(RuleModelAdmin):
    list_display = [
        "name", "kind", "severity", "enabled", "trouble", "owner", "version", "changed_at",
        "changed_by",
    ]  # fmt: skip
    list_filter = ["enabled", "kind", "severity"]
    search_fields = ["name", "query", "owner"]
    actions = ["enable", "disable"]
    readonly_fields = ["on_its_page", "changed_at", "changed_by", "ready_at", "trouble"]

    class Media:
        js = [Script("js/admin_rule.js", type="module")]

    @admin.display(description="trouble")
    def trouble(self, rule: Rule) -> str:
        return f"{rule.error} {rule.fix}".strip() or "none"

    @admin.display(description="version")
    def on_its_page(self, rule: Rule) -> str:
        address = reverse("rule-history", args=[rule.pk])
        return format_html('{}, <a href="{}">all versions</a>', rule.version, address)

    def get_fieldsets(self, request: HttpRequest, obj: Rule | None = None) -> Any:
        asked = ["name", "enabled", "severity", "kind", "query"]
        told = [*_SPANS, "destinations", "escalate_seconds", "escalate_to"]
        rest = ["owner", "runbook", "note", "why", *(["seen_version"] if obj else [])]
        sets: list[tuple[str | None, dict[str, Any]]] = [(None, {"fields": asked}), *_settings()]
        sets.append(("Alerts", {"fields": ["group_by", *told]}))
        sets.append(("For people", {"fields": rest}))
        if obj:
            sets.append(("As it is now", {"fields": self.readonly_fields}))
        return sets

    def get_form(
        self, request: HttpRequest, obj: Rule | None = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[Rule]]":
        """Its fields are the builder's and not the model's, so the admin makes none."""
        return type("RuleAdminForm", (RuleAdminForm,), {"who": _who(request)})

    def get_readonly_fields(self, request: HttpRequest, obj: Rule | None = None) -> list[str]:
        return self.readonly_fields if obj else []

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        """Nothing is left to save: the form did it, through the rulebook."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Its destinations, too."""

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Only the rules: what they remember is too much to list, and alerts and versions stay."""
        return [str(rule) for rule in objs], {"rules": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Rule) -> None:
        rulebook.delete(obj, _who(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        for rule in queryset:
            rulebook.delete(rule, _who(request))

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        self._switch(request, queryset.filter(enabled=False), on=True)

    @admin.action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Rule]) -> None:
        self._switch(request, queryset.filter(enabled=True), on=False)

    def _switch(self, request: HttpRequest, rules: QuerySet[Rule], *, on: bool) -> None:
        done = []
        for rule in rules:
            try:
                rulebook.save({"enabled": on}, _who(request), rule=rule)
                done.append(rule.name)
            except RuleError as error:
                self.message_user(request, f"{rule.name}: {error.sentence}", "warning")
        said = "Enabled" if on else "Disabled"
        self.message_user(request, f"{said}: {', '.join(done) or 'nothing'}.")


@admin.register(RuleVersion)
class RuleVersionAdmin(ReadOnlyAdmin):
    """Every rule as it was saved, deleted ones too."""

    list_display = ["at", "rule_name", "version", "who", "why"]
    search_fields = ["rule_name", "who"]


def _who(request: HttpRequest) -> str:
    return request.user.get_username()
