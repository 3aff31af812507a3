"""Destinations in the admin. What is secret of them is shown only to those who may change them."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm, Script
from django.http import HttpRequest

from dashboard.forms.admin_destination import DestinationAdminForm, field_name
from streams.destinations.base import DestinationError
from streams.destinations.registry import DESTINATIONS, kind_of, open_destination
from streams.models import Destination

if TYPE_CHECKING:
    DestinationModelAdmin = admin.ModelAdmin[Destination]
else:  # generic for the type checker only
    DestinationModelAdmin = admin.ModelAdmin


@admin.register(Destination)
class DestinationAdmin(DestinationModelAdmin):
    list_display = ["name", "kind", "leads_to", "enabled", "created_at"]
    search_fields = ["name"]

    class Media:
        js = [Script("js/admin_rule.js", type="module")]

    @admin.display(description="leads to")
    def leads_to(self, destination: Destination) -> str:
        try:
            return open_destination(destination.kind, destination.options).target()
        except DestinationError as error:
            return str(error)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Its own page does it, and says what is in the way."""
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: Destination | None = None
    ) -> list[str]:
        return ["kind", "leads_to"] if obj else []

    def get_fieldsets(self, request: HttpRequest, obj: Destination | None = None) -> Any:
        named = ["name", "enabled", "kind", *(["leads_to"] if obj else [])]
        sets: list[tuple[str | None, dict[str, Any]]] = [(None, {"fields": named})]
        if obj is None or self.has_change_permission(request, obj):
            for kind in [obj.kind] if obj else DESTINATIONS:
                adapter = kind_of(kind)
                fields = [field_name(kind, option.name) for option in adapter.options]
                classes = [] if obj else ["kind", kind]
                sets.append((adapter.title, {"fields": fields, "classes": classes}))
        return sets

    def get_form(
        self,
        request: HttpRequest,
        obj: Destination | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> "type[ModelForm[Destination]]":
        """Its fields are the kinds' options, so the admin makes none."""
        who = request.user.get_username()
        return type("DestinationAdminForm", (DestinationAdminForm,), {"who": who})

    def save_model(self, request: HttpRequest, obj: Destination, form: Any, change: bool) -> None:
        """Nothing is left to save: the form did it, through the engine."""
