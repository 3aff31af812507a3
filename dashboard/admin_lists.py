"""What every list of the admin has in common: it is for reading, and counts no big table."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
    AnyAdmin = admin.ModelAdmin[Any]
else:  # generic for the type checker only
    AnyPaginator, AnyAdmin = Paginator, admin.ModelAdmin

_MOST = 1_000


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
