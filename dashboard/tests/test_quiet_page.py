"""Mutes and maintenance windows: the list, adding, changing and ending them."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from dashboard.tests.alerting import EVIL, make_alert, make_rule
from streams.models import Edit, MaintenanceWindow, Mute, Rule
from streams.queries.quiet import windows, windows_of
from streams.stages import answer

pytestmark = pytest.mark.django_db

Get = Callable[..., str]
NEW: dict[str, Any] = {
    "name": "Deploy",
    "weekdays": [0, 2],
    "begins": "02:30",
    "minutes": 90,
    "enabled": "on",
}


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def rule() -> Rule:
    return make_rule()


def post(client: Client, path: str, status: int = 200, **given: Any) -> str:
    response = client.post(path, given, follow=True)
    assert response.status_code == status
    return response.content.decode()


def mute(rule: Rule | None, group: str | None = None, reason: str = "Known") -> Mute:
    return answer.mute(rule, group, timezone.now() + timedelta(hours=1), reason, "alice")


def test_nothing_is_quiet(page_of: Get) -> None:
    page = page_of("/quiet")
    assert "Nothing is muted." in page and "nothing is quiet every week" in page


def test_mutes_are_listed_with_why_and_until_when(page_of: Get, rule: Rule) -> None:
    mute(rule, f"PK {EVIL}", f"Why {EVIL}")
    mute(None, reason="Everything moves")
    page = page_of("/quiet")
    assert "Large orders" in page and "All rules" in page and "Everything moves" in page
    assert "PK &lt;b onclick" in page and "<b onclick" not in page and "\u202e" not in page


def test_a_mute_is_ended_once(admin: Client, rule: Rule) -> None:
    ended = mute(rule, reason="Known bug")
    page = post(admin, f"/quiet/mutes/{ended.pk}/end")
    assert "The mute was ended" in page and "Nothing is muted." in page
    assert "ended by <bdi>alice" in page and "Known bug" in page
    assert "was over before" in post(admin, f"/quiet/mutes/{ended.pk}/end")
    assert post(admin, "/quiet/mutes/4711/end", status=404)


def test_muting_a_rule_until_a_time(admin: Client, rule: Rule) -> None:
    page = admin.get(f"/quiet/mutes/new?rule={rule.pk}").content.decode()
    assert f'<option value="{rule.pk}" selected>' in page
    until = (timezone.now() + timedelta(days=2)).replace(second=0, microsecond=0)
    given: dict[str, Any] = {"rule": rule.pk, "every": "on", "span": "", "reason": "Migration"}
    post(admin, "/quiet/mutes/new", **given, until=f"{until:%Y-%m-%dT%H:%M}")
    made = Mute.objects.get()
    assert (made.rule, made.group, made.until, made.who) == (rule, None, until, "alice")


def test_the_ungrouped_group_is_a_group(admin: Client, rule: Rule) -> None:
    post(admin, "/quiet/mutes/new", rule=rule.pk, group="", span="1h", reason="x")
    assert Mute.objects.get().group == ""
    post(admin, "/quiet/mutes/new", rule="", group="g", span="1h", reason="all of it")
    assert Mute.objects.get(rule=None).group is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"span": "1h", "reason": " "}, "This field is required"),
        ({"span": "", "reason": "x"}, "a mute without an end is forgotten"),
        ({"span": "", "reason": "x", "until": "2020-01-01T00:00"}, "That is past"),
        ({"span": "", "reason": "x", "until": "2999-01-01T00:00"}, "at most 90 days"),
        ({"span": "", "reason": "x", "until": "soon"}, "Enter a valid date/time"),
        ({"span": "1h", "reason": "x", "rule": "4711"}, "Select a valid choice"),
    ],
)
def test_a_mute_that_cannot_be(admin: Client, given: dict[str, str], said: str) -> None:
    page = post(admin, "/quiet/mutes/new", status=400, **given)
    assert said in page and "Not muted: see below." in page
    assert not Mute.objects.exists()


def test_a_form_leads_to_no_other_site(admin: Client) -> None:
    page = post(admin, "/quiet/mutes/new", status=400, next="javascript:alert(1)")
    assert "javascript:" not in page
    given = {"span": "1h", "reason": "x", "every": "on", "next": "https://evil.test/"}
    assert admin.post("/quiet/mutes/new", given)["Location"] == "/quiet"


def test_a_window_is_added_changed_and_deleted(admin: Client, rule: Rule) -> None:
    page = post(admin, "/quiet/windows/new", **NEW, zone="Europe/Prague", rules=[rule.pk])
    assert "Monday, Wednesday at 02:30 (Europe/Prague), 90 minutes" in page
    made = MaintenanceWindow.objects.get()
    assert made.weekdays == [0, 2] and list(made.rules.all()) == [rule]
    page = admin.get(f"/quiet/windows/{made.pk}").content.decode()
    assert 'value="02:30"' in page and 'value="Europe/Prague"' in page
    given: dict[str, Any] = {**NEW, "weekdays": list(range(7)), "minutes": 30, "zone": "UTC"}
    del given["enabled"]
    page = post(admin, f"/quiet/windows/{made.pk}", **given)
    assert "Every day at 02:30 (UTC), 30 minutes" in page and "Off</span>" in page
    edit = Edit.objects.filter(what="maintenance window Deploy")[0]
    assert edit.who == "alice" and edit.fields["minutes"] == [90, 30]
    assert edit.fields["rules"] == [["Large orders"], []]
    assert "Deleted" in post(admin, f"/quiet/windows/{made.pk}/delete")
    assert not MaintenanceWindow.objects.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weekdays": []}, "Choose at least one day."),
        ({"minutes": 0}, "greater than or equal to 1"),
        ({"minutes": 7 * 1440 + 1}, "less than or equal to 10080"),
        ({"zone": "Mars/Base"}, "is no time zone"),
        ({"zone": "../etc/passwd"}, "is no time zone"),
        ({"begins": "25:00"}, "Enter a valid time"),
    ],
)
def test_a_window_that_cannot_be(admin: Client, given: dict[str, Any], said: str) -> None:
    page = post(admin, "/quiet/windows/new", status=400, **{**NEW, "zone": "UTC", **given})
    assert said in page and not MaintenanceWindow.objects.exists()


def test_a_window_says_if_it_is_now_and_when_next() -> None:
    window = MaintenanceWindow.objects.create(
        name="Night", weekdays=[5], begins=time(23), minutes=120, zone="UTC"
    )  # Saturdays
    sunday = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
    (held,) = windows(sunday)
    assert held.quiet and held.now and held.now.end == sunday.replace(hour=1, minute=0)
    assert held.next and held.next.begin == datetime(2026, 11, 28, 23, tzinfo=UTC)
    assert not windows(sunday + timedelta(hours=1))[0].quiet
    MaintenanceWindow.objects.update(weekdays=[], zone="nowhere")
    assert windows(sunday) == [(window, None, None)]


def test_a_window_holds_the_alerts_of_its_rules(page_of: Get, rule: Rule) -> None:
    alert, other = make_alert(rule), make_alert(make_rule("Other"))
    window = MaintenanceWindow.objects.create(
        name="Always", weekdays=list(range(7)), begins=time(), minutes=1_440
    )
    now = timezone.now()
    assert windows_of(alert, now) and windows_of(other, now)
    window.rules.add(rule)
    assert windows_of(alert, now) and not windows_of(other, now)
    assert "it is the maintenance window <bdi>Always" in page_of(f"/alerts/{alert.pk}")
    MaintenanceWindow.objects.update(enabled=False)
    assert not windows_of(alert, now)


def test_who_may_only_look_is_told_what_to_ask_for(client: Client, bob: User, rule: Rule) -> None:
    client.force_login(bob)
    running = mute(rule)
    page = client.get("/quiet").content.decode()
    for name in ("streams.add_mute", "streams.change_mute", "streams.change_maintenancewindow"):
        assert name in page
    assert "End now" not in page
    for path in ("/quiet/mutes/new", f"/quiet/mutes/{running.pk}/end", "/quiet/windows/new"):
        post(client, path, status=403)
    bob.user_permissions.add(Permission.objects.get(codename="change_mute"))
    assert "The mute was ended" in post(client, f"/quiet/mutes/{running.pk}/end")
