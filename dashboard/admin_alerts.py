"""Alerts, their matches and what was sent, for reading in the admin: the newest thousand of each.

What people do about alerts is done on their pages.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from dashboard.admin_lists import ReadOnlyAdmin
from streams.models import Alert, AlertEvent, Attempt, Delivery, Match

if TYPE_CHECKING:
    EventInline = admin.TabularInline[AlertEvent, Alert]
    AttemptInlineBase = admin.TabularInline[Attempt, Delivery]
else:  # generic for the type checker only
    EventInline = AttemptInlineBase = admin.TabularInline

# A digest may tell of thousands.
_MOST_NAMED = 50


class AlertEventInline(EventInline):
    model = AlertEvent
    fields = ["at", "who", "what", "note"]
    readonly_fields = ["at", "who", "what", "note"]
    can_delete = False
    extra = max_num = 0


class AttemptInline(AttemptInlineBase):
    model = Attempt
    fields = ["at", "seconds", "succeeded", "response"]
    readonly_fields = ["at", "seconds", "succeeded", "response"]
    can_delete = False
    extra = max_num = 0


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ["opened_at", "state", "severity", "rule_name", "group", "stream", "sentence"]
    list_filter = ["state", "severity"]
    list_select_related = ["stream"]
    sortable_by = ()
    inlines = [AlertEventInline]
    exclude = ["digest_at", "repeat_at", "escalate_at"]
    readonly_fields = ["on_its_page"]

    @admin.display(description="page")
    def on_its_page(self, alert: Alert) -> str:
        return _link(alert)


@admin.register(Match)
class MatchAdmin(ReadOnlyAdmin):
    """No filters: no index would serve them with the order of the list."""

    list_display = ["occurred_at", "stream", "change_link", "rule", "part", "group", "outcome"]
    list_select_related = ["stream", "rule"]
    sortable_by = ()
    ordering = ["-id"]
    exclude = ["batch", "ordinal", "item"]
    readonly_fields = ["change_link"]

    @admin.display(description="change")
    def change_link(self, match: Match) -> str:
        address = reverse("change", args=[match.change])
        return format_html('<a href="{}">{}</a>', address, match.change)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "destination", "reason", "state", "tries", "due_at", "sent_at"]
    list_filter = ["state", "destination"]
    list_select_related = ["destination"]
    sortable_by = ()
    inlines = [AttemptInline]
    exclude = ["alerts", "message"]
    readonly_fields = ["of_alerts", "subject", "text"]

    @admin.display(description="alerts")
    def of_alerts(self, delivery: Delivery) -> str:
        alerts = list(delivery.alerts.order_by("pk")[: _MOST_NAMED + 1])
        named = [_link(alert) for alert in alerts[:_MOST_NAMED]]
        more = ["and more"] if len(alerts) > _MOST_NAMED else []
        return format_html_join("", "<p>{}</p>", [(said,) for said in named + more]) or "none"

    @admin.display(description="subject")
    def subject(self, delivery: Delivery) -> str:
        return str(delivery.message.get("subject", ""))

    @admin.display(description="text")
    def text(self, delivery: Delivery) -> str:
        return format_html("<pre>{}</pre>", delivery.message.get("text", ""))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Lists need no messages, which may be long."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        listing = match is not None and str(match.url_name).endswith("_changelist")
        return rows.defer("message") if listing else rows


def _link(alert: Alert) -> str:
    return format_html('<a href="{}">{}</a>', reverse("alert", args=[alert.pk]), alert.sentence)
