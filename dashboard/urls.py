"""The addresses of the pages and of the API."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import path

from dashboard.api.alerts import alerts
from dashboard.api.changes import change, changes
from dashboard.api.problems import problems
from dashboard.api.streams import streams
from dashboard.views.alerts import alert_page, alerts_page, answer_alerts
from dashboard.views.change import change_page, change_text
from dashboard.views.destinations import (
    destination_page,
    destinations_page,
    new_destination,
    remove_destination,
    try_destination,
)
from dashboard.views.display import display
from dashboard.views.drift import drift_page
from dashboard.views.export import export
from dashboard.views.go import go
from dashboard.views.health import healthz
from dashboard.views.item import item_page
from dashboard.views.item_entry import entry_page
from dashboard.views.item_field import blame_page
from dashboard.views.item_proof import evidence_page, export_item
from dashboard.views.item_undo import undo_page
from dashboard.views.live import live
from dashboard.views.login import LogIn
from dashboard.views.noise import apply_edit, noise_page
from dashboard.views.overview import overview, overview_table, pin
from dashboard.views.poison import raw_record, retry_all, retry_record, skip_record
from dashboard.views.problems import handle_problems, problem_page, problems_page
from dashboard.views.pulse import pulse
from dashboard.views.quiet import delete_window, end_mute, new_mute, quiet_page, window
from dashboard.views.rule import new_rule, rule_page
from dashboard.views.rule_deeds import rule_deed
from dashboard.views.rule_history import history_page
from dashboard.views.rule_preview import rule_explain, rule_preview
from dashboard.views.rules import rules_page
from dashboard.views.saved_views import delete_view, edit_view, new_view, views_page
from dashboard.views.search import search_more, search_page, view_page
from dashboard.views.search_summary import search_summary, search_without
from dashboard.views.start import look_for_tables, start_page, start_streams, watch_table
from dashboard.views.stream import stream_ignore, stream_now, stream_page, stream_pause
from dashboard.views.suggest import suggest_page
from dashboard.views.system import system_page, system_part

urlpatterns = [
    path("", overview, name="overview"),
    path("overview/table", overview_table, name="overview-table"),
    path("overview/pin", pin, name="overview-pin"),
    path("go", go, name="go"),
    path("pulse", pulse, name="pulse"),
    path("display", display, name="display"),
    path("streams/<str:name>", stream_page, name="stream"),
    path("streams/<str:name>/now", stream_now, name="stream-now"),
    path("streams/<str:name>/pause", stream_pause, name="stream-pause"),
    path("streams/<str:name>/ignore", stream_ignore, name="stream-ignore"),
    path("live", live, name="live"),
    path("search", search_page, name="search"),
    path("search/more", search_more, name="search-more"),
    path("search/summary", search_summary, name="search-summary"),
    path("search/without", search_without, name="search-without"),
    path("search/export", export, name="search-export"),
    path("suggest", suggest_page, name="suggest"),
    path("views", views_page, name="views"),
    path("views/new", new_view, name="view-new"),
    path("views/<int:view_id>", view_page, name="view"),
    path("views/<int:view_id>/edit", edit_view, name="view-edit"),
    path("views/<int:view_id>/delete", delete_view, name="view-delete"),
    path("changes/<str:change_id>", change_page, name="change"),
    path("changes/<str:change_id>/text", change_text, name="change-text"),
    path("items", entry_page, name="items"),
    path("items/<str:stream>/<str:token>", item_page, name="item"),
    path("items/<str:stream>/<str:token>/blame", blame_page, name="item-blame"),
    path("items/<str:stream>/<str:token>/evidence", evidence_page, name="item-evidence"),
    path("items/<str:stream>/<str:token>/export", export_item, name="item-export"),
    path("items/<str:stream>/<str:token>/undo/<str:change_id>", undo_page, name="item-undo"),
    path("problems", problems_page, name="problems"),
    path("problems/handle", handle_problems, name="problems-handle"),
    path("problems/<int:problem_id>", problem_page, name="problem"),
    path("problems/<int:problem_id>/retry", retry_all, name="problem-retry"),
    path("problems/records/<int:record_id>/raw", raw_record, name="poison-raw"),
    path("problems/records/<int:record_id>/retry", retry_record, name="poison-retry"),
    path("problems/records/<int:record_id>/skip", skip_record, name="poison-skip"),
    path("alerts", alerts_page, name="alerts"),
    path("alerts/answer", answer_alerts, name="alerts-answer"),
    path("alerts/<int:alert_id>", alert_page, name="alert"),
    path("quiet", quiet_page, name="quiet"),
    path("quiet/mutes/new", new_mute, name="mute-new"),
    path("quiet/mutes/<int:mute_id>/end", end_mute, name="mute-end"),
    path("quiet/windows/new", window, name="window-new"),
    path("quiet/windows/<int:window_id>", window, name="window"),
    path("quiet/windows/<int:window_id>/delete", delete_window, name="window-delete"),
    path("destinations", destinations_page, name="destinations"),
    path("destinations/new", new_destination, name="destination-new"),
    path("destinations/<int:destination_id>", destination_page, name="destination"),
    path("destinations/<int:destination_id>/test", try_destination, name="destination-test"),
    path("destinations/<int:destination_id>/delete", remove_destination, name="destination-delete"),
    path("noise", noise_page, name="noise"),
    path("noise/apply", apply_edit, name="noise-apply"),
    path("rules", rules_page, name="rules"),
    path("rules/new", new_rule, name="rule-new"),
    path("rules/preview", rule_preview, name="rule-preview"),
    path("rules/explain", rule_explain, name="rule-explain"),
    path("rules/<int:rule_id>", rule_page, name="rule"),
    path("rules/<int:rule_id>/deed", rule_deed, name="rule-deed"),
    path("rules/<int:rule_id>/history", history_page, name="rule-history"),
    path("drift", drift_page, name="drift"),
    path("start", start_page, name="start"),
    path("start/streams", start_streams, name="start-streams"),
    path("start/look", look_for_tables, name="start-look"),
    path("start/watch", watch_table, name="start-watch"),
    path("system", system_page, name="system"),
    path("system/part", system_part, name="system-part"),
    path("log-in", LogIn.as_view(), name="login"),
    path("log-out", LogoutView.as_view(), name="logout"),
    path("healthz", healthz, name="healthz"),
    path("api/v1/alerts", alerts, name="api-alerts"),
    path("api/v1/changes", changes, name="api-changes"),
    path("api/v1/changes/<str:change_id>", change, name="api-change"),
    path("api/v1/problems", problems, name="api-problems"),
    path("api/v1/streams", streams, name="api-streams"),
    path("admin/", admin.site.urls),
]

handler403 = "dashboard.views.failed.forbidden"
handler404 = "dashboard.views.failed.not_found"
handler500 = "dashboard.views.failed.server_error"
