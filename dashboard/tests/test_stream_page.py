"""The stream's page: everything about one stream, and what people may do with it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from dashboard.tests.seeding import Shop, order, text
from streams.models import Edit, Gap, Problem, Shard, Stream
from streams.stages.publish import number_batches
from streams.stages.roll_up import roll_up
from streams.testing.factories import make_shard, make_stream

pytestmark = pytest.mark.django_db(transaction=True)

Page = Callable[..., str]


@pytest.fixture
def editor(client: Client, bob: User) -> Client:
    bob.user_permissions.add(Permission.objects.get(codename="change_stream"))
    client.force_login(bob)
    return client


def words(html: str) -> str:
    """The text of a page, without its tags, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_new_stream_says_that_nothing_is_there_yet(page_of: Page, shop: Shop) -> None:
    page = words(page_of("/streams/orders"))
    for said in (
        "Waiting for the first read.",
        "No change was stored in this time.",
        "No gap: nothing",
        "No change is stored yet.",
        "No problem has been reported.",
        "Nobody has changed it.",
    ):
        assert said in page, said


def test_a_stream_that_is_not_there(page_of: Page) -> None:
    page_of("/streams/nothing", status=404)


def test_the_charts_count_every_change_before_and_after_the_roll_up(
    page_of: Page, shop: Shop
) -> None:
    shop.insert("a", order("new"))
    shop.modify("a", order("new"), order("paid"))
    said = "2 changes (1 INSERT, 1 MODIFY) in 60 bars of 1 min"
    assert said in page_of("/streams/orders")
    roll_up()
    assert said in page_of("/streams/orders")
    assert said not in page_of("/streams/orders", since="2h", until="1h")


@pytest.mark.parametrize(("name", "bars"), [("1h", 60), ("6h", 360), ("24h", 1440), ("7d", 1009)])
def test_each_range_shows_the_newest_change(
    page_of: Page, shop: Shop, name: str, bars: int
) -> None:
    shop.insert("a", order("new"))
    page = page_of("/streams/orders", range=name)
    found = re.search(r"Throughput: 1 changes .* in (\d+) bars", page)
    assert found and abs(int(found[1]) - bars) <= 1
    assert f'href="?range={name}" aria-current="true"' in page
    table = page.split('class="grid numbers"')[1].split("</table>")[0]
    assert 20 < table.count('<th scope="row"') <= 60
    assert len(page) < 300_000


def test_a_range_that_is_not_understood_is_told(page_of: Page, shop: Shop) -> None:
    page = words(page_of("/streams/orders", since="soon"))
    assert "&#x27;soon&#x27; is no time." in page and "The last hour is shown." in page
    ends = words(page_of("/streams/orders", since="1h", until="2h"))
    assert "The range ends before it begins." in ends


def test_a_long_range_is_cut_into_coarse_bins(page_of: Page, shop: Shop) -> None:
    page = page_of("/streams/orders", since="300d")
    assert "Changes stored every 6 h" in page
    page_of("/streams/orders", since="999999d")


def test_the_latency_tells_how_much_was_stored_how_soon(page_of: Page, shop: Shop) -> None:
    shop.write_many(3)
    page = words(page_of("/streams/orders"))
    assert re.search(
        r"50 % within [12] s, 95 % within [12] s, 99 % within [12] s: the newest 3", page
    )


def test_shards_stand_below_their_parents(page_of: Page, shop: Shop) -> None:
    child = make_shard(shop.stream, "shardId-a-child", parent=shop.shard)
    make_shard(shop.stream, "shardId-b-grandchild", parent=child)
    rows = re.findall(r'data-depth="(\d)".*?<bdi class="data">([^<]+)', page_of("/streams/orders"))
    assert rows == [
        ("0", "shardId-orders"),
        ("1", "shardId-a-child"),
        ("2", "shardId-b-grandchild"),
    ]


def test_of_many_shards_the_ended_ones_are_left_out_at_first(page_of: Page, shop: Shop) -> None:
    for number in range(130):
        ended = timezone.now() if number < 70 else None
        made = make_shard(shop.stream, f"s{number:03}", ended_at=ended, closed=True)
        Shard.objects.filter(pk=made.pk).update(ended="read" if ended else "")
    page = page_of("/streams/orders")
    assert page.count('class="lineage"') == 61
    assert "70 ended ones are not shown." in words(page)
    every = page_of("/streams/orders", shards="all")
    assert every.count('class="lineage"') == 100
    assert 'href="?shards=all&amp;shard_page=2#shards"' in every
    last = page_of("/streams/orders", shards="all", shard_page="2")
    assert last.count('class="lineage"') == 31
    assert (
        page_of("/streams/orders", shards="all", shard_page="9999").count('class="lineage"') == 31
    )


def test_gaps_say_from_when_to_when_and_why(page_of: Page, shop: Shop) -> None:
    now = timezone.now()
    given: dict[str, Any] = {"stream": shop.stream, "shard": shop.shard, "to_at": now}
    Gap.objects.create(reason="trimmed", from_at=now - timedelta(hours=1), **given)
    Gap.objects.create(reason="skipped", note="<b>not needed</b>", **given)
    Gap.objects.create(reason="unread", harmless_at=now, **given)
    page = page_of("/streams/orders")
    said = words(page)
    assert "the source had deleted the records before they were read" in said
    assert "an unknown time –" in said and "nothing is missing after all:" in said
    assert "&lt;b&gt;not needed&lt;/b&gt;" in page


def test_hot_items_and_fields_link_to_what_they_name(page_of: Page, shop: Shop) -> None:
    for number in range(3):
        shop.modify("hot", order("a", seen=text(str(number))), order("a", seen=text("x")))
    shop.modify("cold", order("a"), order("b", "2"))
    page = page_of("/streams/orders")
    assert "Among the newest 4 changes." in words(page)
    assert f'href="/items/orders/{shop.token("hot")}"' in page
    assert "q=stream%3Aorders+changed%3A%22seen%22" in page
    fields = re.findall(
        r'<bdi>(\w+)</bdi></a></th><td class="number" data-label="Changes">(\d)', page
    )
    assert fields[:3] == [("hot", "3"), ("seen", "3"), ("status", "1")]


def test_problems_and_edits_are_listed(page_of: Page, shop: Shop) -> None:
    now = timezone.now()
    problem = Problem.objects.create(
        fingerprint="x", stream=shop.stream, kind="throttled", sentence="Too <many> readers.",
        first_seen=now, last_seen=now,
    )  # fmt: skip
    Edit.objects.create(who="carol", what="stream orders", fields={"keep_days": [30, None]})
    Edit.objects.create(who="dave", what="stream others", fields={"keep_days": [30, None]})
    page = page_of("/streams/orders")
    assert f'href="/problems/{problem.pk}"' in page and "Too &lt;many&gt; readers." in page
    assert "carol" in page and "dave" not in page


@pytest.mark.parametrize(
    ("view_type", "said"),
    [
        ("NEW_IMAGE", "old values come from our own history"),
        ("KEYS_ONLY", "which items changed and when, not what in them"),
    ],
)
def test_the_view_type_is_said_in_words(page_of: Page, view_type: str, said: str) -> None:
    make_stream("orders", view_type=view_type)
    assert said in page_of("/streams/orders")


def test_who_may_only_look_gets_no_buttons_and_no_way_around(
    client: Client, page_of: Page, shop: Shop
) -> None:
    shop.modify("a", order("a"), order("b"))
    page = page_of("/streams/orders")
    assert "Pause" not in page and "/ignore" not in page
    for path in ("pause", "ignore"):
        assert client.post(f"/streams/orders/{path}", {"names": "a"}).status_code == 403
    assert not Edit.objects.exists()


def test_pausing_and_resuming_is_recorded(editor: Client, shop: Shop) -> None:
    said = editor.post("/streams/orders/pause", {"act": "pause"}, follow=True).content.decode()
    assert "orders is paused." in said and "Resume reading" in said
    editor.post("/streams/orders/pause", {"act": "pause"})
    assert Stream.objects.get().paused_by == "bob"
    editor.post("/streams/orders/pause", {"act": "resume"})
    assert Stream.objects.get().paused_at is None
    assert [edit.who for edit in Edit.objects.all()] == ["bob", "bob"]


def test_actions_need_the_token_of_the_form(bob: User, shop: Shop) -> None:
    bob.user_permissions.add(Permission.objects.get(codename="change_stream"))
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(bob)
    assert strict.post("/streams/orders/pause", {"act": "pause"}).status_code == 403
    assert strict.get("/streams/orders/pause").status_code == 405


def test_fields_are_ignored_by_name_or_by_the_button(editor: Client, shop: Shop) -> None:
    editor.post("/streams/orders/ignore", {"names": " seen_at, views ,"})
    editor.post("/streams/orders/ignore", {"name": "odd, name"})
    assert Stream.objects.get().ignored_fields == ["odd, name", "seen_at", "views"]
    page = editor.post("/streams/orders/ignore", {"stop": "views"}, follow=True).content.decode()
    assert "Ignored fields of orders: odd, name, seen_at." in page
    assert Edit.objects.latest("id").fields == {
        "ignored_fields": [["odd, name", "seen_at", "views"], ["odd, name", "seen_at"]]
    }


def test_too_many_ignored_fields_are_refused_in_words(editor: Client, shop: Shop) -> None:
    names = ",".join(f"f{n}" for n in range(101))
    page = editor.post("/streams/orders/ignore", {"names": names}, follow=True).content.decode()
    assert "A stream can ignore 100 fields" in page
    assert Stream.objects.get().ignored_fields == []


def test_the_admin_edits_ignored_fields(client: Client, alice: User, shop: Shop) -> None:
    client.force_login(alice)
    path = f"/admin/streams/stream/{shop.stream.pk}/change/"
    given = {"table": shop.stream.options["table"], "region": "eu-central-1", "keep_days": ""}
    assert client.post(path, {**given, "ignored": "b, a"}).status_code == 302
    assert Stream.objects.get().ignored_fields == ["a", "b"]
    assert 'value="a, b"' in client.get(path).content.decode()
    assert Edit.objects.get().fields == {"ignored_fields": [[], ["a", "b"]]}


def test_the_part_that_renews_itself(page_of: Page, shop: Shop) -> None:
    number_batches()
    page = page_of("/streams/orders/now")
    assert "Changes stored" in page and "<html" not in page
