"""Django's admin: streams, rules and what belongs to them are made and edited here, by the engine;
everything else is for reading.

Nothing counts a big table: lists are cut at their newest thousand rows.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

# Their lists register themselves.
from dashboard import admin_alerts as admin_alerts
from dashboard import admin_destinations as admin_destinations
from dashboard import admin_problems as admin_problems
from dashboard import admin_quiet as admin_quiet
from dashboard import admin_rules as admin_rules
from dashboard.admin_lists import ReadOnlyAdmin
from dashboard.forms.stream import AddStreamForm, ChangeStreamForm
from streams.models import Edit, Gap, SavedView, Shard, Stream
from streams.queries.retention import plan, spelled_size
from streams.stages import add as stages

if TYPE_CHECKING:
    StreamModelAdmin = admin.ModelAdmin[Stream]
    ViewModelAdmin = admin.ModelAdmin[SavedView]
else:  # generic for the type checker only
    StreamModelAdmin = ViewModelAdmin = admin.ModelAdmin

admin.site.site_header = admin.site.site_title = "Deltawatch"
admin.site.index_title = "Administration"
admin.site.site_url = "/"

# More leaves of a stream than this are for the command line.
_MOST_LEAVES = 100


@admin.register(Stream)
class StreamAdmin(StreamModelAdmin):
    list_display = ["name", "source", "table", "view_type", "paused", "created_at"]
    search_fields = ["name"]
    actions = ["pause", "resume"]
    readonly_fields = [
        "source", "arn", "generation", "view_type", "key_schema", "start_at",
        "paused_at", "paused_by", "created_at", "discovered_at", "indexed_since", "stored_changes",
    ]  # fmt: skip
    _options = ("Source", {"fields": ["table", "region", "endpoint_url", "role_arn"]})
    _search = ("Search and lists", {"fields": ["indexed", "ignored"]})

    @admin.display(description="table")
    def table(self, stream: Stream) -> str:
        return str(stream.options.get("table", ""))

    @admin.display(description="stored changes")
    def stored_changes(self, stream: Stream) -> str:
        """Each leaf, the oldest first, and when it will be dropped."""
        leaves = plan(stream, stream.keep_days)
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            [
                (
                    f"{leaf.from_at:%Y-%m-%d}",
                    f"{leaf.to_at:%Y-%m-%d}",
                    f"{leaf.rows:,}",
                    spelled_size(leaf.size),
                    leaf.fate,
                )
                for leaf in leaves[:_MOST_LEAVES]
            ],
        )
        if not rows:
            return "none yet"
        more = len(leaves) - _MOST_LEAVES
        return format_html(
            "<table><thead><tr><th>From (UTC)</th><th>Up to</th><th>Changes (estimate)</th>"
            "<th>Size</th><th>Dropped</th></tr></thead><tbody>{}</tbody></table>{}",
            rows,
            f"and {more} newer ones: manage.py retention {stream.name}" if more > 0 else "",
        )

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
            kept = ("Retention", {"fields": ["keep_days"]})
            return [(None, {"fields": ["name"]}), self._options, start, kept, self._search]
        kept = ("Retention", {"fields": ["keep_days", "confirm_drop", "shown_days"]})
        said = ("As it is now", {"fields": ["start", *self.readonly_fields]})
        return [(None, {"fields": ["name"]}), self._options, kept, self._search, said]

    def get_form(
        self, request: HttpRequest, obj: Stream | None = None, change: bool = False, **kwargs: Any
    ) -> "type[ModelForm[Stream]]":
        kwargs["form"] = ChangeStreamForm if obj else AddStreamForm
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


@admin.register(Gap)
class GapAdmin(ReadOnlyAdmin):
    list_display = [
        "detected_at", "stream", "shard", "reason", "from_at", "to_at", "growing", "harmless_at",
    ]  # fmt: skip
    list_filter = ["stream", "reason"]
    list_select_related = ["stream", "shard"]


@admin.register(Edit)
class EditAdmin(ReadOnlyAdmin):
    list_display = ["at", "who", "what"]
    search_fields = ["who", "what"]


@admin.register(SavedView)
class SavedViewAdmin(ViewModelAdmin):
    """People make their own on the search page; here stands who has which."""

    list_display = ["name", "owner", "shared", "query", "changed_at"]
    list_filter = ["shared"]
    list_select_related = ["owner"]
    raw_id_fields = ["owner"]
    search_fields = ["name", "query"]
