"""The addresses of the pages and of the API."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import path

from dashboard.api.changes import change, changes
from dashboard.api.streams import streams
from dashboard.views.change import change_page
from dashboard.views.health import healthz
from dashboard.views.item import item_page
from dashboard.views.live import live
from dashboard.views.login import LogIn
from dashboard.views.overview import overview, overview_table
from dashboard.views.saved_views import delete_view, edit_view, new_view
from dashboard.views.search import search_page, view_page

urlpatterns = [
    path("", overview, name="overview"),
    path("overview/table", overview_table, name="overview-table"),
    path("live", live, name="live"),
    path("search", search_page, name="search"),
    path("views/new", new_view, name="view-new"),
    path("views/<int:view_id>", view_page, name="view"),
    path("views/<int:view_id>/edit", edit_view, name="view-edit"),
    path("views/<int:view_id>/delete", delete_view, name="view-delete"),
    path("changes/<str:change_id>", change_page, name="change"),
    path("items/<str:stream>/<str:token>", item_page, name="item"),
    path("log-in", LogIn.as_view(), name="login"),
    path("log-out", LogoutView.as_view(), name="logout"),
    path("healthz", healthz, name="healthz"),
    path("api/v1/changes", changes, name="api-changes"),
    path("api/v1/changes/<str:change_id>", change, name="api-change"),
    path("api/v1/streams", streams, name="api-streams"),
    path("admin/", admin.site.urls),
]
