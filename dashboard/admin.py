"""Django's admin: streams are added and edited here; everything else is for reading.

Nothing counts a big table: lists are cut at their newest thousand rows.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.http import urlencode

from dashboard.feed.preview import visible
from dashboard.forms.stream import AddStreamForm, StreamOptionsForm
from streams.models import Edit, Gap, PoisonRecord, Problem, Shard, Stream
from streams.stages import add as stages

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
    AnyAdmin = admin.ModelAdmin[Any]
    StreamModelAdmin = admin.ModelAdmin[Stream]
else:  # generic for the type checker only
    AnyPaginator = Paginator
    AnyAdmin = StreamModelAdmin = admin.ModelAdmin

admin.site.site_header = admin.site.site_title = "Deltawatch"
admin.site.index_title = "Administration"
admin.site.site_url = "/"

_MOST = 1_000
_RAW = 20_000


class NewestPaginator(AnyPaginator):
    """Pages over the first thousand rows; the count stops there too, so its cost is bounded."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by()[:_MOST].count()


class ReadOnlyAdmin(AnyAdmin):
    show_full_result_count = False
    paginator = NewestPaginator
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Stream)
class StreamAdmin(StreamModelAdmin):
    list_display = ["name", "source", "table", "view_type", "paused", "created_at"]
    search_fields = ["name"]
    actions = ["pause", "resume"]
    readonly_fields = [
        "source", "arn", "generation", "view_type", "key_schema", "start_at",
        "paused_at", "paused_by", "created_at", "discovered_at",
    ]  # fmt: skip
    _options = ("Source", {"fields": ["table", "region", "endpoint_url", "role_arn"]})

    @admin.display(description="table")
    def table(self, stream: Stream) -> str:
        return str(stream.options.get("table", ""))

    @admin.display(boolean=True)
    def paused(self, stream: Stream) -> bool:
        return stream.paused_at is not None

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A stream's history would go with it; pausing stops the reading."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Stream | None = None) -> list[str]:
        return ["name", "start", *self.readonly_fields] if obj else []

    def get_fieldsets(self, request: HttpRequest, obj: Stream | None = None) -> Any:
        if obj is None:
            start = ("Where to begin", {"fields": ["start", "start_time"]})
            return [(None, {"fields": ["name"]}), self._options, start]
        said = {"fields": ["start", *self.readonly_fields]}
        return [(None, {"fields": ["name"]}), self._options, ("As it is now", said)]

    def get_form(
        self, request: HttpRequest, obj: Stream | None = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[Stream]]":
        kwargs["form"] = StreamOptionsForm if obj else AddStreamForm
        form = super().get_form(request, obj, change, **kwargs)
        form.who = request.user.get_username()  # type: ignore[attr-defined]  # a class of its own
        return form

    def changeform_view(self, *args: Any, **kwargs: Any) -> Any:
        """Without the admin's transaction: adding asks the source, and no transaction may wait
        for a network. The engine opens its own around what it writes."""
        return self._changeform_view(*args, **kwargs)  # type: ignore[attr-defined]

    def save_model(self, request: HttpRequest, obj: Stream, form: Any, change: bool) -> None:
        """Nothing is left to save: the form did it, through the engine."""

    @admin.action(description="Pause reading (the source keeps changes for 24 hours)")
    def pause(self, request: HttpRequest, queryset: QuerySet[Stream]) -> None:
        self._each(request, queryset.filter(paused_at=None), stages.pause, "Paused")

    @admin.action(description="Resume reading")
    def resume(self, request: HttpRequest, queryset: QuerySet[Stream]) -> None:
        self._each(request, queryset.exclude(paused_at=None), stages.resume, "Resumed")

    def _each(
        self,
        request: HttpRequest,
        streams: QuerySet[Stream],
        act: Callable[[Stream, str], None],
        done: str,
    ) -> None:
        names = []
        for stream in streams:
            act(stream, request.user.get_username())
            names.append(stream.name)
        self.message_user(request, f"{done}: {', '.join(names) or 'nothing'}.")


@admin.register(Shard)
class ShardAdmin(ReadOnlyAdmin):
    list_display = ["name", "stream", "generation", "closed", "ended", "changes", "last_read_at"]
    list_filter = ["stream", "closed", "ended"]
    list_select_related = ["stream"]
    exclude = ["digest", "iterator"]


class OpenFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Open"), ("no", "Resolved")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        return queryset.filter(resolved_at__isnull=self.value() == "yes")


@admin.register(Problem)
class ProblemAdmin(ReadOnlyAdmin):
    list_display = ["kind", "stream", "sentence", "count", "first_seen", "last_seen", "resolved_at"]
    list_filter = [OpenFilter, "stream"]
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


@admin.register(PoisonRecord)
class PoisonRecordAdmin(ReadOnlyAdmin):
    list_display = ["seen_at", "shard", "sequence", "reason"]
    list_select_related = ["shard"]
    fields = ["problem", "shard", "sequence", "reason", "seen_at", "raw_record"]

    @admin.display(description="raw")
    def raw_record(self, record: PoisonRecord) -> str:
        """As text where it is text; every other byte as \\x.. ."""
        raw = bytes(record.raw)
        text = visible(raw[:_RAW].decode("utf-8", "backslashreplace"), lines=True)
        cut = f" … and {len(raw) - _RAW:,} more bytes" if len(raw) > _RAW else ""
        return format_html("<pre>{}{}</pre>", text, cut)


@admin.register(Gap)
class GapAdmin(ReadOnlyAdmin):
    list_display = ["detected_at", "stream", "shard", "reason", "from_at", "to_at"]
    list_filter = ["stream", "reason"]
    list_select_related = ["stream", "shard"]


@admin.register(Edit)
class EditAdmin(ReadOnlyAdmin):
    list_display = ["at", "who", "what"]
    search_fields = ["who", "what"]
