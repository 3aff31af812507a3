"""Rules, destinations and quiet times in the admin: all go through the engine."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from streams import rulebook
from streams.models import Destination, Edit, Rule, RuleVersion, Sighting
from streams.testing.factories import make_stream

pytestmark = pytest.mark.django_db

ADD = "/admin/streams/rule/add/"
FORM = {"name": "Paid", "kind": "match", "enabled": "on", "severity": "warning"}
SETTINGS: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
    "match": ({}, {}),
    "count": (
        {"count_threshold": "3", "count_window": "5 min"},
        {"threshold": 3, "window": 300},
    ),
    "rate": (
        {
            **{"rate_ratio": "2.5", "rate_window": "300", "rate_direction": "both"},
            **{"rate_weeks": "2", "rate_weeks_needed": "1", "rate_least": "5"},
        },
        {
            **{"ratio": 2.5, "window": 300, "direction": "both"},
            **{"weeks": 2, "weeks_needed": 1, "least": 5.0},
        },
    ),
    "absence": ({"absence_seconds": "1 h"}, {"seconds": 3600}),
    "first-seen": ({"seen_what": "new.status"}, {"what": "new.status"}),
    "sequence": (
        {"then_query": "op:REMOVE", "sequence_within": "90", "sequence_expect": "missing"},
        {"within": 90, "expect": "missing"},
    ),
    "health": (
        {"health_what": "lag", "health_limit": "10 min", "health_streams": "orders"},
        {"what": "lag", "limit": 600, "streams": ["orders"]},
    ),
}


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def shown(admin: Client, address: str, data: dict[str, Any]) -> str:
    """The form as it comes back: nothing was saved."""
    response = admin.post(address, data)
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("kind", Rule.Kind.values)
def test_a_rule_of_each_kind_is_made_with_fields_of_its_own(admin: Client, kind: str) -> None:
    Destination.objects.create(name="ops", kind="webhook", options={})
    given, params = SETTINGS[kind]
    told = {"destinations": ["ops"], "digest_seconds": "1 min", "why": "as agreed"}
    response = admin.post(ADD, FORM | {"kind": kind, "query": "op:INSERT"} | given | told)
    assert response.status_code == 302, response.context["adminform"].form.errors
    content = rulebook.content_of(Rule.objects.get())
    assert (content["kind"], content["params"]) == (kind, params)
    assert (content["destinations"], content["digest_seconds"]) == (["ops"], 60)
    version = RuleVersion.objects.get()
    assert (version.who, version.why, version.version) == ("alice", "as agreed", 1)
    page = admin.get(f"/admin/streams/rule/{Rule.objects.get().pk}/change/").content.decode()
    assert 'name="params"' not in page and "as it is now" in page.lower()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"query": "new.total>"}, "query"),
        ({"kind": "count", "count_window": "1 min", "count_threshold": "20000"}, "count_threshold"),
        ({"kind": "count", "count_threshold": "3", "count_window": "40 d"}, "count_window"),
        ({"kind": "absence", "absence_seconds": "5 s"}, "absence_seconds"),
        ({"kind": "first-seen", "seen_what": "status"}, "seen_what"),
        ({"kind": "health", "health_what": "lag"}, "health_limit"),
        (
            {
                **{"kind": "rate", "rate_ratio": "2", "rate_window": "300", "rate_weeks": "2"},
                **{"rate_weeks_needed": "3"},
            },
            "rate_weeks_needed",
        ),
        ({"group_by": "country"}, "group_by"),
        ({"destinations": ["gone"]}, "destinations"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    admin: Client, given: dict[str, Any], field: str
) -> None:
    response = admin.post(ADD, FORM | given)
    assert response.status_code == 200
    assert list(response.context["adminform"].form.errors) == [field]
    assert not Rule.objects.exists()


def test_a_change_is_a_new_version_and_needs_a_why(admin: Client) -> None:
    rule = rulebook.save({"name": "Paid", "query": "op:INSERT"}, "ann")
    address = f"/admin/streams/rule/{rule.pk}/change/"
    given = FORM | {"severity": "critical", "query": "op:INSERT", "seen_version": "1"}
    assert "This field is required." in shown(admin, address, given)
    assert admin.post(address, given | {"why": "it is"}).status_code == 302
    rule.refresh_from_db()
    assert (rule.severity, rule.version, rule.changed_by) == ("critical", 2, "alice")
    assert Edit.objects.filter(what="rule Paid", who="alice").count() == 1


def test_somebody_elses_edit_is_not_overwritten(admin: Client) -> None:
    rule = rulebook.save({"name": "Paid"}, "ann")
    rulebook.save({"severity": "info"}, "ben", rule=rule)
    given = FORM | {"seen_version": "1", "why": "mine"}
    said = shown(admin, f"/admin/streams/rule/{rule.pk}/change/", given)
    assert "ben saved version 2 meanwhile" in said


def test_a_pattern_keeps_its_lines(admin: Client) -> None:
    pattern = '{\n  "eventName": ["INSERT"]\n}'
    rule = rulebook.save({"name": "Paid", "query": pattern}, "ann")
    address = f"/admin/streams/rule/{rule.pk}/change/"
    assert "{\n  &quot;eventName&quot;" in admin.get(address).text
    sent = {"query": pattern.replace("\n", "\r\n"), "why": "none", "enabled": "on"}
    assert admin.post(address, FORM | {"resolve_seconds": "15 min"} | sent).status_code == 302
    rule.refresh_from_db()
    assert (rule.query, rule.version) == (pattern, 1)


def test_a_name_that_is_taken_is_refused(admin: Client) -> None:
    rulebook.save({"name": "Paid"}, "ann")
    assert "There is a rule &#x27;Paid&#x27; already." in shown(admin, ADD, FORM)


def test_rules_are_switched_and_deleted_through_the_rulebook(admin: Client) -> None:
    rule = rulebook.save({"name": "Paid"}, "ann")
    Sighting.objects.create(rule=rule, stream=make_stream(), what="a:S", first_at=timezone.now())
    action = {"action": "disable", "_selected_action": [rule.pk]}
    assert "Disabled: Paid." in admin.post("/admin/streams/rule/", action, follow=True).text
    delete = action | {"action": "delete_selected"}
    asked = admin.post("/admin/streams/rule/", delete).text
    assert "Paid" in asked and "a:S" not in asked
    admin.post("/admin/streams/rule/", delete | {"post": "yes"})
    assert not Rule.objects.exists()
    said = list(RuleVersion.objects.values_list("version", "who", "content__enabled"))
    assert said == [(3, "alice", None), (2, "alice", False), (1, "ann", True)]


def test_who_may_only_look_sees_a_rule_and_changes_nothing(client: Client, bob: User) -> None:
    rule = rulebook.save({"name": "Paid"}, "ann")
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="view_rule"))
    client.force_login(bob)
    address = f"/admin/streams/rule/{rule.pk}/change/"
    assert "Paid" in client.get(address).text
    assert client.post(address, FORM | {"why": "x"}).status_code == 403
    assert client.post(ADD, FORM).status_code == 403
