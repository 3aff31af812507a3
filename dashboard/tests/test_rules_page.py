"""The pages of rules as the server makes them: all of it works without a script."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from dashboard.tests.rule_pages import post, sent
from dashboard.tests.seeding import Shop, order
from streams import rulebook
from streams.models import Mute, Rule, RuleVersion

pytestmark = pytest.mark.django_db(transaction=True)

Get = Callable[..., str]
EVIL = '<b onclick="x">‮evil'


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def rule() -> Rule:
    return rulebook.save({"name": "Deleted", "query": "op:REMOVE", "group_by": ["item"]}, "anna")


def test_without_rules_three_are_proposed_from_own_tables(page_of: Get, shop: Shop) -> None:
    Rule.objects.all().delete()
    for number, status in enumerate(["new", "new", "paid"]):
        shop.insert(str(number), order(status))
    page = page_of("/rules")
    assert "Begin with one of these" in page and "made from your tables" in page
    assert "stream:orders status: * -&gt; paid" in page
    assert "stream:orders op:REMOVE -actor:ttl" in page
    opened = page_of("/rules/new", kind="count", query="op:REMOVE", count_threshold="20")
    assert 'value="20"' in opened and 'value="op:REMOVE"' in opened
    assert not Rule.objects.exists()


def test_without_tables_it_says_what_comes_first(page_of: Get) -> None:
    Rule.objects.all().delete()
    assert "Watch a table first" in page_of("/rules")


def test_a_line_tells_all_of_a_rule(page_of: Get, rule: Rule) -> None:
    rulebook.save({"name": f"Gone {EVIL}", "owner": "ops"}, "anna", rule=rule)
    page = page_of("/rules")
    assert "Gone &lt;b onclick=&quot;x&quot;&gt;⟨U+202E⟩evil" in page
    assert "Alerts on each change on REMOVE, apart for each value of item." in page
    assert "OK</span>" in page and "never" in page and "nobody" in page and "ops" in page
    assert "No rule has that" in page_of("/rules", q="nothing like it")


def test_a_rule_is_made(admin: Client) -> None:
    page = post(admin, "/rules/new", **sent(group_by="item", cool_down_seconds="1 h"))
    assert "Saved as version 1" in page
    rule = Rule.objects.get(name="Deleted")
    assert (rule.query, rule.group_by, rule.cool_down_seconds) == ("op:REMOVE", ["item"], 3_600)
    assert rule.versions.get().why == "Because"


def test_a_new_version_asks_for_a_comment(admin: Client, rule: Rule) -> None:
    page = post(admin, f"/rules/{rule.pk}", 400, **sent(query="op:INSERT", why=""))
    assert "Not saved." in page and "Comment: This field is required." in page
    post(admin, f"/rules/{rule.pk}", **sent(query="op:INSERT", seen_version=1))
    rule.refresh_from_db()
    assert (rule.version, rule.query, rule.changed_by) == (2, "op:INSERT", "alice")


def test_saving_what_is_there_is_no_new_version(admin: Client, rule: Rule) -> None:
    page = post(admin, f"/rules/{rule.pk}", **sent(group_by="item", seen_version=1))
    assert "no new version" in page
    assert rule.versions.count() == 1


def test_two_people_s_edits_are_not_mixed(admin: Client, rule: Rule) -> None:
    rulebook.save({"severity": "critical"}, "anna", rule=rule)
    page = post(admin, f"/rules/{rule.pk}", 400, **sent(query="op:INSERT", seen_version=1))
    assert "anna saved version 2 meanwhile" in page
    rule.refresh_from_db()
    assert rule.version == 2 and rule.query == "op:REMOVE"


def test_what_is_wrong_is_told_and_what_was_typed_stays(admin: Client, rule: Rule) -> None:
    page = post(admin, "/rules/new", 400, **sent(query="op:MODIFY tabel:orders", name="Other"))
    assert "did you mean `table`" in page and "<mark>t</mark>abel:orders" in page
    assert 'value="op:MODIFY tabel:orders"' in page and 'value="Other"' in page
    assert "There is a rule &#x27;Deleted&#x27; already." in post(
        admin, "/rules/new", 400, **sent()
    )


def test_a_text_of_several_lines_keeps_them(admin: Client) -> None:
    page = post(admin, "/rules/new", **sent(query="op:MODIFY\r\nnew.a:1", action="preview"))
    assert 'aria-describedby="id_query_helptext">\nop:MODIFY\nnew.a:1</textarea>' in page
    given = sent(kind="sequence", then_query='{"op": [', sequence_within="1 h", action="preview")
    page = post(admin, "/rules/new", **given)
    assert 'aria-invalid="true">\n{&quot;op&quot;: [</textarea>' in page


def test_rows_and_text_without_a_script(admin: Client) -> None:
    page = post(admin, "/rules/new", **sent(query="op:REMOVE new.total>100", action="rows"))
    assert page.count('name="row_field"') == 2 and 'value="new.total"' in page
    given = {
        "filter_as": "rows",
        "row_field": ["op", "new.total"],
        "row_not": ["", "not"],
        "row_operator": [":", ">"],
        "row_value": ["REMOVE", "100"],
    }
    page = post(admin, "/rules/new", **sent(**given, action="text"))
    assert 'value="op:REMOVE -new.total&gt;100"' in page
    page = post(admin, "/rules/new", **sent(query="op:REMOVE OR op:INSERT", action="rows"))
    assert "It has an OR, and rows all hold together." in page
    post(admin, "/rules/new", **sent(**given))
    assert Rule.objects.get(name="Deleted").query == "op:REMOVE -new.total>100"


def test_the_history_has_every_version_with_its_difference(admin: Client, rule: Rule) -> None:
    rulebook.save({"query": "op:INSERT", "cool_down_seconds": 60}, "bob", f"Why {EVIL}", rule=rule)
    page = admin.get(f"/rules/{rule.pk}/history").content.decode()
    assert "Version 2" in page and "Version 1" in page and "by <bdi>bob</bdi>" in page
    assert "op:REMOVE</bdi></del>" in page and "op:INSERT</bdi></ins>" in page
    assert "1 min</bdi></ins>" in page and "⟨U+202E⟩evil" in page


def test_a_version_is_gone_back_to(admin: Client, rule: Rule) -> None:
    rulebook.save({"query": "op:INSERT"}, "bob", "Try", rule=rule)
    page = post(admin, f"/rules/{rule.pk}/deed", deed="roll-back", version="1", why="It was better")
    assert "Version 3 says what version 1 said" in page
    rule.refresh_from_db()
    assert rule.query == "op:REMOVE"
    assert rule.versions.get(version=3).why == "It was better"
    page = post(admin, f"/rules/{rule.pk}/deed", deed="roll-back", version="9")
    assert "There is no version 9" in page


def test_the_history_goes_on(admin: Client, rule: Rule) -> None:
    for number in range(25):
        rulebook.save({"note": f"note {number}"}, "anna", rule=rule)
    first = admin.get(f"/rules/{rule.pk}/history")
    assert first.context["older"] == 7 and len(first.context["versions"]) == 20
    rest = admin.get(f"/rules/{rule.pk}/history?before=7").context
    assert [version.version for version, _ in rest["versions"]] == [6, 5, 4, 3, 2, 1]


def test_a_rule_is_disabled_enabled_and_deleted(admin: Client, rule: Rule) -> None:
    address = f"/rules/{rule.pk}/deed"
    assert "Deleted is disabled" in post(admin, address, deed="disable", back="rules")
    assert not Rule.objects.get(pk=rule.pk).enabled
    assert "Deleted is enabled" in post(admin, address, deed="enable")
    assert Rule.objects.get(pk=rule.pk).version == 3
    assert "Nothing was changed." in post(admin, address, deed="delete")
    page = post(admin, address, deed="delete", confirmed="yes", why="Not needed")
    assert "was deleted. Its alerts and its versions are kept." in page
    assert not Rule.objects.filter(pk=rule.pk).exists()
    assert (
        RuleVersion.objects.filter(rule_name="Deleted", content__isnull=True).get().why
        == "Not needed"
    )


def test_a_rule_is_muted_and_unmuted(admin: Client, rule: Rule) -> None:
    address = f"/rules/{rule.pk}/deed"
    assert "Nothing was changed." in post(admin, address, deed="mute", span="1h", reason="")
    page = post(admin, address, deed="mute", span="1h", reason="Moving house")
    assert "Muted until" in page and "Moving house" in page and "End the mute" in page
    mute = Mute.objects.get()
    assert mute.rule_id == rule.pk and mute.group is None and mute.who == "alice"
    assert 3_590 < (mute.until - timezone.now()).total_seconds() <= 3_600
    assert "The mute was ended" in post(admin, address, deed="end-mute")
    assert "No mute of this rule is on." in post(admin, address, deed="end-mute")


def test_a_copy_is_filled_in_and_not_saved(admin: Client, rule: Rule) -> None:
    page = admin.get(f"/rules/new?copy={rule.pk}").content.decode()
    assert 'value="Deleted (copy)"' in page and 'value="op:REMOVE"' in page
    assert Rule.objects.filter(name__startswith="Deleted").count() == 1


def test_a_rule_that_does_not_work_says_so_and_what_to_do(page_of: Get, rule: Rule) -> None:
    Rule.objects.filter(pk=rule.pk).update(
        error=f"It raised {EVIL}.", fix="Mend it.", error_at=timezone.now()
    )
    page = page_of(f"/rules/{rule.pk}")
    assert "This rule does not work." in page and "Mend it." in page
    assert "It raised &lt;b onclick" in page and "Error</span>" in page


def test_everybody_may_look_and_try_but_not_change(
    page_of: Get, client: Client, rule: Rule
) -> None:
    page = page_of(f"/rules/{rule.pk}")
    assert "you need the permission <code>streams.change_rule</code>" in page
    assert 'value="save"' not in page and "Delete…" not in page and "Mute…" not in page
    assert "streams.add_rule" in page_of("/rules/new")
    assert "No changes are stored" in post(client, "/rules/preview", **sent())
    page = post(client, f"/rules/{rule.pk}", 403, **sent(query="op:INSERT"))
    assert "you lack the permission" in page
    for deed in ("enable", "disable", "roll-back", "delete", "mute", "end-mute"):
        assert "permission" in post(client, f"/rules/{rule.pk}/deed", 403, deed=deed)
    rule.refresh_from_db()
    assert rule.version == 1 and rule.enabled


def test_the_permission_is_enough(client: Client, bob: User, rule: Rule) -> None:
    bob.user_permissions.add(Permission.objects.get(codename="change_rule"))
    client.force_login(bob)
    post(client, f"/rules/{rule.pk}", **sent(query="op:INSERT", seen_version=1))
    rule.refresh_from_db()
    assert rule.query == "op:INSERT"


@pytest.mark.parametrize("path", ["/rules/999999", "/rules/999999/history", "/rules/new?copy=99"])
def test_what_is_not_there_is_not_found(page_of: Get, path: str) -> None:
    page_of(path, 404)
