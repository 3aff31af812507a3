"""The alerts: the list, one of them, and what may be done, as the server makes the pages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from dashboard.tests.alerting import (
    EVIL,
    answer,
    make_alert,
    make_delivery,
    make_match,
    make_rule,
    post,
)
from dashboard.tests.seeding import Shop, order
from streams.models import AlertEvent, Batch, Match, Rule
from streams.stages.watch import watch

pytestmark = pytest.mark.django_db(transaction=True)

Get = Callable[..., str]


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def rule() -> Rule:
    return make_rule()


def test_without_an_alert_it_proves_that_somebody_evaluates(page_of: Get) -> None:
    Rule.objects.update(enabled=False)
    assert "No rule is enabled" in page_of("/alerts")
    rule = make_rule()
    page = page_of("/alerts")
    assert "Nobody evaluates the rules" in page and "proves nothing" in page
    watch()
    page = page_of("/alerts")
    assert "No open alerts" in page and "1 rule is enabled" in page and "None has opened" in page
    make_alert(rule, state="resolved", resolved_at=timezone.now())
    assert "The last alert opened at" in page_of("/alerts")


def test_a_change_that_waits_too_long_is_told(page_of: Get, shop: Shop, rule: Rule) -> None:
    watch()
    change = shop.insert("4711", order("new", "101"))
    assert Match.objects.get(outcome="").change == change.id
    assert "Evaluated</span>" in page_of("/alerts")
    Batch.objects.update(numbered_at=timezone.now() - timedelta(minutes=5))
    page = page_of("/alerts")
    assert (
        "Behind</span>" in page and "has waited for 5 min" in page and "No open alerts" not in page
    )
    Rule.objects.filter(pk=rule.pk).update(error="It cannot work.")  # its matches wait on purpose
    assert "Evaluated</span>" in page_of("/alerts")


def test_a_line_tells_all_of_an_alert(page_of: Get, shop: Shop, rule: Rule) -> None:
    make_alert(
        rule, sentence=f"Said {EVIL}.", group=f"PK {EVIL}", stream=shop.stream, count=1_234,
        suppressed=7, owner="bob", severity="critical",
    )  # fmt: skip
    page = page_of("/alerts")
    assert "Said &lt;b onclick=&quot;x&quot;&gt;⟨U+202E⟩evil." in page and "\u202e" not in page
    for text in ("Large orders", ">1,234<", "7 suppressed", "bob", "Critical", "orders", "PK &lt;"):
        assert text in page


def test_tabs_and_filters_choose(page_of: Get, shop: Shop, rule: Rule) -> None:
    other = make_rule("Other")
    make_alert(rule, sentence="One.", stream=shop.stream)
    make_alert(rule, sentence="Two.", group="g", state="acknowledged", severity="critical")
    make_alert(other, sentence="Three.", state="resolved", resolved_at=timezone.now())

    def told(query: str) -> list[str]:
        page = page_of(f"/alerts{query}")
        return [text for text in ("One.", "Two.", "Three.") if text in page]

    assert told("") == ["One.", "Two."]
    assert told("?state=open") == ["One."]
    assert told("?state=acknowledged") == ["Two."]
    assert told("?state=resolved") == ["Three."]
    assert told("?state=all") == ["One.", "Two.", "Three."]
    assert told("?severity=critical") == ["Two."]
    assert told(f"?state=all&rule={other.pk}") == ["Three."]
    assert told("?stream=orders") == ["One."]
    assert "No alert matches" in page_of("/alerts?severity=info")


@pytest.mark.parametrize(
    "query",
    ["state=x", "severity=x", "rule=x", "rule=999999", "stream=nope", "before=x", "before=~1"],
)
def test_what_there_is_not_is_not_found(page_of: Get, query: str) -> None:
    page_of(f"/alerts?{query}", status=404)


def test_the_list_is_paged_and_counts_to_a_hundred(page_of: Get, rule: Rule) -> None:
    now = timezone.now()
    for number in range(101):
        make_alert(
            rule, group=str(number), sentence=f"Number {number}.",
            opened_at=now - timedelta(seconds=number // 2),
        )  # fmt: skip
    page, seen = page_of("/alerts"), ""
    assert "100+</span>" in page
    for _ in range(2):
        seen += page
        address = page.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
        page = page_of(address)
    seen += page
    assert 'rel="next"' not in page
    assert all(seen.count(f"Number {number}.") == 1 for number in range(101))


def test_many_are_resolved_together(admin: Client, rule: Rule) -> None:
    ids = [make_alert(rule, group=str(n)).pk for n in range(3)]
    given: dict[str, Any] = {"alert": ids[:2], "deed": "resolve", "note": "one cause"}
    assert "Resolved: 2." in post(admin, "/alerts/answer", **given, next="/alerts")
    assert AlertEvent.objects.filter(what="resolved", note="one cause").count() == 2
    assert "Choose an alert first." in post(admin, "/alerts/answer", deed="resolve")


@pytest.mark.parametrize("after", ["https://elsewhere.test/", "//elsewhere.test", ""])
def test_nobody_is_sent_elsewhere(admin: Client, rule: Rule, after: str) -> None:
    given = {"alert": make_alert(rule).pk, "deed": "resolve", "next": after}
    assert admin.post("/alerts/answer", given)["Location"] == "/alerts"


def test_who_may_only_look_is_told_what_to_ask_for(client: Client, bob: User, rule: Rule) -> None:
    client.force_login(bob)
    alert = make_alert(rule)
    page = client.get(f"/alerts/{alert.pk}").content.decode()
    assert "streams.change_alert" in page and "streams.add_mute" in page
    assert 'name="deed"' not in page and "streams.change_alert" in client.get("/alerts").text
    post(client, "/alerts/answer", status=403, alert=alert.pk, deed="resolve")
    bob.user_permissions.add(Permission.objects.get(codename="change_alert"))
    assert "Resolved: 1." in answer(client, alert, "resolve")


def test_the_api_lists_alerts(client: Client, bob: User, rule: Rule) -> None:
    assert client.get("/api/v1/alerts").status_code == 401
    client.force_login(bob)
    now = timezone.now()
    ids = [
        make_alert(rule, group=str(n), opened_at=now + timedelta(seconds=n)).pk for n in range(3)
    ]
    told = client.get("/api/v1/alerts?limit=2").json()
    assert [row["id"] for row in told["alerts"]] == [ids[2], ids[1]]
    assert told["alerts"][0]["rule"] == "Large orders" and told["checking"] is False
    rest = client.get("/api/v1/alerts", {"before": told["before"]}).json()
    assert [row["id"] for row in rest["alerts"]] == [ids[0]] and rest["before"] is None
    assert client.get("/api/v1/alerts?limit=0").json()["error"]["code"] == "bad-request"
    assert client.get("/api/v1/alerts?state=x").status_code == 404


def test_the_overview_tells_which_stream_has_open_alerts(
    page_of: Get, shop: Shop, rule: Rule
) -> None:
    assert "open alert<" not in page_of("/overview/table")
    make_alert(rule, stream=shop.stream)
    make_alert(rule, stream=shop.stream, group="g", state="resolved", resolved_at=timezone.now())
    page = page_of("/overview/table")
    assert 'href="/alerts?stream=orders">1 open alert<' in page
    assert "Open alerts</a></dt><dd>1</dd>" in page


def test_the_pages_make_few_queries(
    admin: Client, shop: Shop, rule: Rule, django_assert_max_num_queries: Any
) -> None:
    changes = shop.write_many(20)
    alerts = [make_alert(rule, changes[0], group=str(n)) for n in range(50)]
    for change in changes:
        make_match(alerts[0], change)
    for _ in range(10):
        make_delivery(alerts[0], "503", "200")
    with django_assert_max_num_queries(20):
        admin.get("/alerts")
    with django_assert_max_num_queries(26):
        admin.get(f"/alerts/{alerts[0].pk}")
