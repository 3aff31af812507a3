"""Destinations and quiet times are made in the admin; alerts and what belongs to them are read."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard.tests.alerting import make_alert, make_delivery, make_match, make_rule
from dashboard.tests.seeding import Shop, order
from streams.models import Alert, Destination, Edit, MaintenanceWindow, Mute

pytestmark = pytest.mark.django_db

HOOK = {"name": "hook", "kind": "webhook", "enabled": "on", "webhook_url": "https://x.test/secret"}
DESTINATION = "/admin/streams/destination"
MUTE = "/admin/streams/mute"
WINDOW = "/admin/streams/maintenancewindow"
NIGHT = {
    **{"name": "Night", "weekdays": ["0", "6"], "begins": "02:30", "minutes": "90"},
    **{"zone": "Europe/Prague", "enabled": "on"},
}


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def alert(shop: Shop) -> Alert:
    """One with a match and a delivery."""
    found = shop.insert("4711", order("paid"))
    alert = make_alert(make_rule("<b>Paid</b>"), found)
    make_match(alert, found)
    make_delivery(alert, "503 later", "200 taken")
    return alert


def test_a_destination_has_the_fields_of_its_kind(admin: Client) -> None:
    assert admin.post(f"{DESTINATION}/add/", HOOK).status_code == 302
    hook = Destination.objects.get()
    assert (hook.kind, hook.options) == ("webhook", {"url": "https://x.test/secret"})
    assert Edit.objects.get(who="alice").what == "destination hook"
    mail = {"name": "desk", "kind": "email", "enabled": "on", "email_to": "a@x.test, b@x.test"}
    assert admin.post(f"{DESTINATION}/add/", mail).status_code == 302
    desk = Destination.objects.get(name="desk")
    assert desk.options == {"to": ["a@x.test", "b@x.test"]}
    address = f"{DESTINATION}/{desk.pk}/change/"
    assert 'value="a@x.test, b@x.test"' in admin.get(address).text
    assert admin.post(address, {"name": "desk", "email_to": "c@x.test"}).status_code == 302
    desk.refresh_from_db()
    assert (desk.kind, desk.options, desk.enabled) == ("email", {"to": ["c@x.test"]}, False)
    assert Edit.objects.latest("pk").fields["to"] == [["a@x.test", "b@x.test"], ["c@x.test"]]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"webhook_url": "example.com"}, "webhook_url"),
        ({"kind": "email", "email_to": "anna"}, "email_to"),
        ({"kind": "pigeon"}, "kind"),
        ({"name": ""}, "name"),
    ],
)
def test_an_option_that_cannot_work_is_said_at_its_field(
    admin: Client, given: dict[str, str], field: str
) -> None:
    response = admin.post(f"{DESTINATION}/add/", HOOK | given)
    assert list(response.context["adminform"].form.errors) == [field]
    assert not Destination.objects.exists()


def test_who_may_only_look_sees_no_secret(client: Client, bob: User) -> None:
    hook = Destination.objects.create(name="hook", kind="webhook", options={"url": "https://x/s3c"})
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="view_destination"))
    client.force_login(bob)
    for address in (f"{DESTINATION}/", f"{DESTINATION}/{hook.pk}/change/"):
        page = client.get(address).text
        assert "https://x/…" in page and "s3c" not in page
    assert client.post(f"{DESTINATION}/add/", HOOK).status_code == 403


def test_a_mute_is_made_and_ended_and_never_edited(admin: Client) -> None:
    rule = make_rule()
    given = {"rule": rule.pk, "every": "on", "span": "1h", "reason": "load test"}
    assert admin.post(f"{MUTE}/add/", given).status_code == 302
    mute = Mute.objects.get()
    assert (mute.rule, mute.group, mute.who, mute.reason) == (rule, None, "alice", "load test")
    assert timedelta(minutes=59) < mute.until - timezone.now() < timedelta(hours=1)
    page = admin.get(f"{MUTE}/{mute.pk}/change/").text
    assert "load test" in page and 'name="reason"' not in page
    assert admin.post(f"{MUTE}/{mute.pk}/change/", given).status_code == 403
    assert admin.post(f"{MUTE}/{mute.pk}/delete/").status_code == 403
    action = {"action": "end", "_selected_action": [mute.pk]}
    assert "Ended: 1." in admin.post(f"{MUTE}/", action, follow=True).text
    mute.refresh_from_db()
    assert mute.ended_at and mute.ended_by == "alice"


def test_a_mute_says_until_when_and_why(admin: Client) -> None:
    response = admin.post(f"{MUTE}/add/", {"every": "on", "span": ""})
    assert set(response.context["adminform"].form.errors) == {"until", "reason"}


def test_a_maintenance_window_is_made_changed_and_deleted(admin: Client) -> None:
    rule = make_rule()
    assert admin.post(f"{WINDOW}/add/", NIGHT | {"rules": [rule.pk]}).status_code == 302
    window = MaintenanceWindow.objects.get()
    assert (window.weekdays, window.minutes, list(window.rules.all())) == ([0, 6], 90, [rule])
    address = f"{WINDOW}/{window.pk}/change/"
    assert "Europe/Prague" in admin.get(address).text
    assert admin.post(address, NIGHT | {"minutes": "30"}).status_code == 302
    kept = Edit.objects.filter(what="maintenance window Night", who="alice").latest("pk")
    assert kept.fields == {"minutes": [90, 30], "rules": [[rule.name], []]}
    admin.post(f"{WINDOW}/{window.pk}/delete/", {"post": "yes"})
    assert not MaintenanceWindow.objects.exists()
    assert Edit.objects.filter(what="maintenance window Night").count() == 3


def test_a_zone_that_is_none_is_refused(admin: Client) -> None:
    response = admin.post(f"{WINDOW}/add/", NIGHT | {"zone": "Prague"})
    assert list(response.context["adminform"].form.errors) == ["zone"]


def test_alerts_matches_and_deliveries_are_read(admin: Client, alert: Alert) -> None:
    (match,), (delivery,) = alert.matches.all(), alert.deliveries.all()
    pages: list[tuple[str, Any, list[str]]] = [
        ("alert", alert, ["&lt;b&gt;Paid&lt;/b&gt;", f"/alerts/{alert.pk}"]),
        ("match", match, [f"/changes/{match.change}"]),
        ("delivery", delivery, ["On call", f"/alerts/{alert.pk}", "503 later", "200 taken"]),
    ]
    for name, row, said in pages:
        listed = admin.get(f"/admin/streams/{name}/").text
        shown = admin.get(f"/admin/streams/{name}/{row.pk}/change/").text
        assert f"/admin/streams/{name}/{row.pk}/change/" in listed
        assert [text for text in said if text not in shown] == []
        assert "<b>Paid" not in listed + shown and "https://hook.test" not in listed + shown
        assert admin.post(f"/admin/streams/{name}/{row.pk}/change/", {}).status_code == 403
        assert admin.post(f"/admin/streams/{name}/{row.pk}/delete/").status_code == 403
        assert admin.get(f"/admin/streams/{name}/add/").status_code == 403


def test_the_lists_count_to_a_thousand_at_most(admin: Client, alert: Alert) -> None:
    for name in ("alert", "match", "delivery", "ruleversion"):
        with CaptureQueriesContext(connection) as caught:
            assert admin.get(f"/admin/streams/{name}/").status_code == 200
        counts = [query["sql"] for query in caught if "COUNT(" in query["sql"]]
        assert len(counts) == 1 and f'FROM "streams_{name}" LIMIT 1000)' in counts[0]
