"""The admin's lists of problems, and of the records that could not be read, to be settled."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode

from dashboard.admin_lists import ReadOnlyAdmin
from dashboard.feed.preview import raw_text
from streams.errors import UnreadableRecord
from streams.models import PoisonRecord, Problem
from streams.stages import settle

_RAW = 20_000
# So much of a record tells on the page that asks for the reason which one it is.
_GLIMPSE = 300


class _OpenFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "open"
    settled = ""
    # The condition under which a row is open.
    condition: dict[str, Any]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Open"), ("no", self.settled)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.filter(**self.condition)
        return queryset.exclude(**self.condition) if self.value() == "no" else queryset


class OpenProblemFilter(_OpenFilter):
    settled = "Resolved"
    condition = {"resolved_at": None}


class OpenRecordFilter(_OpenFilter):
    settled = "Settled"
    condition = {"outcome": ""}


@admin.register(Problem)
class ProblemAdmin(ReadOnlyAdmin):
    list_display = ["kind", "stream", "sentence", "count", "first_seen", "last_seen", "resolved_at"]
    list_filter = [OpenProblemFilter, "stream"]
    list_select_related = ["stream"]
    exclude = ["fingerprint"]
    readonly_fields = ["kept_records"]

    @admin.display(description="records kept")
    def kept_records(self, problem: Problem) -> str:
        if not problem.records.exists():
            return "none"
        address = reverse("admin:streams_poisonrecord_changelist")
        query = urlencode({"problem__id__exact": problem.pk})
        return format_html('<a href="{}?{}">Show the raw records</a>', address, query)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        label="Why they may be lost",
        widget=forms.TextInput(attrs={"autofocus": True, "class": "vTextField"}),
    )


@admin.register(PoisonRecord)
class PoisonRecordAdmin(ReadOnlyAdmin):
    list_display = ["seen_at", "stream", "shard", "sequence", "reason", "state"]
    list_filter = [OpenRecordFilter, "shard__stream"]
    list_select_related = ["shard__stream"]
    fields = [
        "problem", "stream", "shard", "sequence", "reason", "seen_at",
        "state", "settled_at", "settled_by", "raw_record",
    ]  # fmt: skip
    readonly_fields = ["stream", "state", "raw_record"]
    actions = ["retry", "skip"]

    @admin.display(description="stream", ordering="shard__stream__name")
    def stream(self, record: PoisonRecord) -> str:
        return record.shard.stream.name

    @admin.display(description="state", ordering="outcome")
    def state(self, record: PoisonRecord) -> str:
        return record.get_outcome_display() if record.outcome else "open"

    @admin.display(description="raw")
    def raw_record(self, record: PoisonRecord) -> str:
        """As text where it is text; every other byte as \\x.. ."""
        return format_html("<pre>{}</pre>", _text(record, _RAW))

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Records are never edited, so Django's permission to change them means settling here."""
        return request.user.has_perm("streams.change_poisonrecord")

    @admin.action(description="Retry: read and store them now", permissions=["settle"])
    def retry(self, request: HttpRequest, queryset: QuerySet[PoisonRecord]) -> None:
        who, stored, refused = request.user.get_username(), 0, list[str]()
        for record in queryset.filter(outcome=""):
            try:
                stored += settle.retry(record, who)
            except UnreadableRecord as error:
                refused.append(f"{record.sequence or record.pk}: {error}")
        self.message_user(request, f"Stored: {stored}.")
        for sentence in refused[:10]:
            self.message_user(request, f"Still open, {sentence}", messages.WARNING)
        if len(refused) > 10:
            text = f"Still open: {len(refused) - 10} more."
            self.message_user(request, text, messages.WARNING)

    @admin.action(description="Skip: give up, as a gap", permissions=["settle"])
    def skip(self, request: HttpRequest, queryset: QuerySet[PoisonRecord]) -> HttpResponse | None:
        """First a page that names what is lost and asks for the reason, then the deed."""
        records = queryset.filter(outcome="").select_related("shard__stream")
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            reason, who = form.cleaned_data["reason"], request.user.get_username()
            skipped = sum(settle.skip(record, who, reason) for record in records)
            self.message_user(request, f"Skipped: {skipped}. Each is a gap now.")
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Skip records that could not be read",
            "opts": self.model._meta,
            "form": form,
            "records": [(record, _text(record, _GLIMPSE)) for record in records],
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/streams/poisonrecord/skip.html", context)


def _text(record: PoisonRecord, most: int) -> str:
    raw = bytes(record.raw)
    text = raw_text(raw[:most])
    return text + (f" … and {len(raw) - most:,} more bytes" if len(raw) > most else "")
