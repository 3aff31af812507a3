"""Mutes and maintenance windows in the admin, with the same forms as on their page."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from dashboard.forms.quiet import MuteForm, WindowForm
from streams.models import Edit, MaintenanceWindow, Mute
from streams.stages import answer

if TYPE_CHECKING:
    MuteModelAdmin = admin.ModelAdmin[Mute]
    WindowModelAdmin = admin.ModelAdmin[MaintenanceWindow]
else:  # generic for the type checker only
    MuteModelAdmin = WindowModelAdmin = admin.ModelAdmin


class MuteAdminForm(MuteForm):
    # The admin sets it for each request.
    who = ""

    def _post_clean(self) -> None:
        """Saved here and not in `save`, so that a refusal is an error of the form."""
        super()._post_clean()  # type: ignore[misc]  # Django's own forms extend it too
        if self.errors:
            return
        try:
            self.instance = self.apply(self.who)
        except answer.MuteRefused as error:
            self.add_error(None, str(error))


class WindowAdminForm(WindowForm):
    def __init__(self, data: Any = None, *_: Any, instance: Any = None, **__: Any) -> None:
        super().__init__(data, instance or MaintenanceWindow())


@admin.register(Mute)
class MuteAdmin(MuteModelAdmin):
    """A mute is made and ended, and never edited: what was promised to whom stays readable."""

    list_display = ["until", "rule", "group", "reason", "who", "ended_at", "ended_by"]
    list_filter = ["rule"]
    list_select_related = ["rule"]
    show_full_result_count = False
    actions = ["end"]

    def get_fieldsets(self, request: HttpRequest, obj: Mute | None = None) -> Any:
        made = ["rule", "group", "until", "reason"]
        kept = ["who", "created_at", "ended_at", "ended_by", "noticed_at"]
        return [(None, {"fields": [*made, *kept] if obj else MuteForm.Meta.fields})]

    def get_form(
        self, request: HttpRequest, obj: Mute | None = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[Mute]]":
        if obj:
            return super().get_form(request, obj, change, **kwargs)
        return type("MuteAdminForm", (MuteAdminForm,), {"who": request.user.get_username()})

    def save_model(self, request: HttpRequest, obj: Mute, form: Any, change: bool) -> None:
        """Nothing is left to save: the form did it, through the engine."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("streams.change_mute")

    @admin.action(description="End now", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[Mute]) -> None:
        ended = sum(answer.end_mute(mute, request.user.get_username()) for mute in queryset)
        self.message_user(request, f"Ended: {ended}. What is open is told in a moment.")


@admin.register(MaintenanceWindow)
class WindowAdmin(WindowModelAdmin):
    list_display = ["name", "begins", "minutes", "zone", "enabled"]

    def get_form(
        self,
        request: HttpRequest,
        obj: MaintenanceWindow | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> "type[ModelForm[MaintenanceWindow]]":
        return WindowAdminForm

    def get_fieldsets(self, request: HttpRequest, obj: MaintenanceWindow | None = None) -> Any:
        return [(None, {"fields": WindowForm.Meta.fields})]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        fields = {
            name: [_said(form.initial.get(name)), _said(form.cleaned_data[name])]
            for name in form.changed_data
        }
        _note(request, form.instance.name, fields)

    def delete_model(self, request: HttpRequest, obj: MaintenanceWindow) -> None:
        _note(request, obj.name, {"name": [obj.name, None]})
        obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[MaintenanceWindow]) -> None:
        for window in queryset:
            self.delete_model(request, window)


def _note(request: HttpRequest, name: str, fields: dict[str, Any]) -> None:
    who = request.user.get_username()
    Edit.objects.create(who=who, what=f"maintenance window {name}", fields=fields)


def _said(value: Any) -> Any:
    """As JSON takes it; rules by their names."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [each if isinstance(each, int) else str(each) for each in value]
    return value if isinstance(value, bool | int | None) else str(value)
