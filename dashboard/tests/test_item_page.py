"""The page of an item: its timeline, two versions compared, what it was at a moment, one field."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from dashboard.tests.item_lives import HOUR, live
from dashboard.tests.seeding import Item, Shop, order, text
from streams.models import Gap
from streams.queries.rows import StoredChange

pytestmark = pytest.mark.django_db(transaction=True)

Get = Callable[..., str]
DAY = 24 * HOUR


@pytest.fixture
def base(shop: Shop) -> str:
    return f"/items/orders/{shop.token('4711')}"


def versions(shop: Shop, *steps: tuple[float, Item | None]) -> list[StoredChange]:
    return live(shop, "4711", *steps)


def three(shop: Shop) -> list[StoredChange]:
    return versions(
        shop, (300, order("new", "1")), (200, order("paid", "1")), (100, order("paid", "2"))
    )


def side(page: str) -> str:
    return page.split('id="side"')[1].split("</section>")[0]


def timeline(page: str) -> str:
    return page.split('id="timeline"')[1].split("</section>")[0]


def shown(html: str) -> str:
    """The text of a part of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# The timeline


def test_versions_are_grouped_by_day_with_what_changed(page_of: Get, shop: Shop, base: str) -> None:
    versions(shop, (2 * DAY, order("new")), (100, order("paid", "99")))
    text_ = shown(timeline(page_of(base)))
    assert text_.count("UTC") >= 3 and "INSERT 2 fields" in text_
    assert "MODIFY 2 fields: status, total" in text_


def test_a_deleted_period_is_a_band(page_of: Get, shop: Shop, base: str) -> None:
    versions(shop, (900, order("new")), (600, None), (300, order("again")))
    page = timeline(page_of(base))
    assert 'class="deleted"' in page and "Deleted for 5 min" in shown(page)
    assert "there was no item" in shown(page)


def test_a_deleted_item_says_since_when(page_of: Get, shop: Shop, base: str) -> None:
    live(shop, "4711", (900, order("new")), (600, None), ttl=True)
    page = page_of(base)
    assert "Deleted since" in shown(timeline(page)) and ">TTL<" in page
    assert 'class="chip warn">Deleted<' in page


def test_a_gap_is_drawn_once_and_marks_the_versions_in_it(
    page_of: Get, shop: Shop, base: str
) -> None:
    changes = three(shop)
    begin, end = changes[0].occurred_at, changes[2].occurred_at
    Gap.objects.create(stream=shop.stream, reason="trimmed", from_at=begin, to_at=end)
    page = timeline(page_of(base))
    assert page.count('class="gap"') == 1 and page.count('class="in-gap"') == 3
    assert "they were not recorded" in shown(page)


def test_versions_of_ignored_fields_are_folded(page_of: Get, shop: Shop, base: str) -> None:
    shop.stream.ignored_fields = ["seen_at"]
    shop.stream.save()
    seen = [order("new", seen_at={"N": str(n)}) for n in range(4)]
    versions(shop, *zip((90, 80, 70, 60), seen, strict=True), (50, order("paid")))
    page = timeline(page_of(base))
    assert "3 versions of ignored fields · Show" in shown(page)
    assert page.count("data-id=") == 2
    everything = timeline(page_of(base, noise="show"))
    assert everything.count("data-id=") == 5 and "Fold them" in everything


def test_a_compared_version_is_never_folded(page_of: Get, shop: Shop, base: str) -> None:
    shop.stream.ignored_fields = ["total"]
    shop.stream.save()
    changes = three(shop)
    assert f'data-id="{changes[2].id}" data-side="b"' in timeline(page_of(base))


def test_the_map_shows_the_whole_life(page_of: Get, shop: Shop, base: str) -> None:
    three(shop)
    page = page_of(base)
    assert "3 versions" in shown(page.split("<figcaption>")[1])
    assert 'class="shown"' in page and "style=" not in page


def test_jumping_to_a_moment(page_of: Get, client: Client, shop: Shop, base: str) -> None:
    changes = three(shop)
    page_of(base)
    response = client.get(base, {"at": changes[1].occurred_at.isoformat(), "noise": "show"})
    assert response.status_code == 302
    page = client.get(response["Location"]).content.decode()
    assert f'data-id="{changes[1].id}" data-side="b"' in page and changes[2].id not in page
    assert "noise=show" in response["Location"]


def test_a_moment_that_is_none(page_of: Get, shop: Shop, base: str) -> None:
    three(shop)
    assert "&#x27;soon&#x27; is no time" in page_of(base, at="soon")
    assert "&#x27;soon&#x27; is no time" in page_of(base, asof="soon")


# Comparing


def test_the_newest_version_is_compared_with_the_one_before(
    page_of: Get, shop: Shop, base: str
) -> None:
    three(shop)
    page = side(page_of(base))
    assert "What this version changed" in page and "total" in page and "status" not in page


def test_any_two_versions_are_compared(page_of: Get, shop: Shop, base: str) -> None:
    first, second, third = three(shop)
    page = side(page_of(base, a=first.id, b=third.id))
    assert "A compared with B" in page and "total" in page and "status" in page
    assert "backwards" in side(page_of(base, a=third.id, b=first.id))
    page = side(page_of(base, a=second.id, b=first.id))
    assert f"?a={first.id}&amp;b={second.id}" in page  # swap


def test_an_older_version_can_be_compared_with_the_current_one(
    page_of: Get, shop: Shop, base: str
) -> None:
    first, _, third = three(shop)
    page = side(page_of(base, b=first.id))
    assert f"?b={third.id}&amp;a={first.id}" in page or f"?a={first.id}&amp;b={third.id}" in page


def test_a_version_after_which_there_was_no_item(page_of: Get, shop: Shop, base: str) -> None:
    changes = versions(shop, (9, order("new")), (8, None), (7, order("x")))
    page = shown(side(page_of(base, a=changes[0].id, b=changes[1].id)))
    assert "status" in page and "not known" not in page


@pytest.mark.parametrize("query", ["a=1-9999", "b=x", "b=99999999-0"])
def test_a_version_of_another_item_is_not_found(
    page_of: Get, shop: Shop, base: str, query: str
) -> None:
    three(shop)
    name, _, value = query.partition("=")
    page_of(base, status=404, **{name: value})
    other = live(shop, "0815", (1, order("new")))[0]
    page_of(base, status=404, a=other.id)


def test_without_values_it_says_why(page_of: Get, shop: Shop, base: str) -> None:
    shop.stream.view_type = "KEYS_ONLY"
    shop.stream.save()
    shop.write(("4711", "INSERT", None, None), ("4711", "MODIFY", None, None))
    page = page_of(base)
    assert "sends keys only" in side(page) and "values not in the stream" in timeline(page)


def test_an_item_with_only_a_remove(page_of: Get, shop: Shop, base: str) -> None:
    shop.remove("4711", order("old"))
    page = page_of(base)
    assert "nothing stored before" in side(page) and "had 2 fields" in shown(timeline(page))


# As of a moment


def at(change: StoredChange, seconds: float = 0) -> str:
    return (change.occurred_at + timedelta(seconds=seconds)).isoformat()


def test_the_state_at_a_moment_with_its_certainty(page_of: Get, shop: Shop, base: str) -> None:
    changes = three(shop)
    page = side(page_of(base, asof=at(changes[1], 50)))
    assert "Exact" in page and f"set by the change {changes[1].id}" in page
    assert "paid" in page and "The next change" in page


def test_the_same_second_has_a_switch(page_of: Get, shop: Shop, base: str) -> None:
    versions(shop, (50, order("a")), (50, order("b")), (50, order("c")))
    moment = at(live(shop, "other", (50, order("x")))[0], 0.7)
    page = side(page_of(base, asof=moment))
    assert "changes are in the same second" in page and ">c<" in page
    assert ">a<" in side(page_of(base, asof=moment, step="1"))
    assert "Before the first recorded change" in side(page_of(base, asof=moment, step="0"))


def test_a_gap_makes_the_state_possibly_incomplete(page_of: Get, shop: Shop, base: str) -> None:
    changes = three(shop)
    end = changes[1].occurred_at + timedelta(seconds=20)
    Gap.objects.create(stream=shop.stream, reason="trimmed", from_at=end, to_at=end)
    page = shown(side(page_of(base, asof=at(changes[1], 50))))
    assert "Possibly incomplete" in page and "▲" in page


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-999, "Before the first recorded change"), (150, "No item"), (99_999_999_999, "is no time")],
)
def test_other_moments(page_of: Get, shop: Shop, base: str, seconds: int, said: str) -> None:
    changes = versions(shop, (300, order("new")), (200, None), (100, order("x")))
    moment = at(changes[0], seconds) if seconds < 10**9 else "99999-01-01"
    assert said in side(page_of(base, asof=moment))


# One field


def test_a_field_over_time(page_of: Get, shop: Shop, base: str) -> None:
    three(shop)
    page = shown(page_of(base, field="status").split('class="lens-page"')[1])
    assert page.count("Open") == 2 and "100 s" in page and "now" in page


def test_a_field_inside_a_map(page_of: Get, shop: Shop, base: str) -> None:
    inner: list[Any] = [{"M": {"city": text(city)}} for city in ("Brno", "Praha")]
    versions(shop, *((n, order("x", address=inner[n % 2])) for n in (40, 30, 29, 20)))
    page = page_of(base, field="address.city")
    assert page.count(">Brno<") == 2 and page.count(">Praha<") == 1


def test_a_field_that_nobody_knows(page_of: Get, shop: Shop, base: str) -> None:
    three(shop)
    assert "No stored version has a field of this path" in page_of(base, field="nope")
    assert "is no path of a field" in page_of(base, field="a..b")


# States


def test_an_unknown_item_names_near_ones(page_of: Get, shop: Shop) -> None:
    live(shop, "ORD#4711", (9, order("new")), (8, None))
    page = page_of(f"/items/orders/{shop.token('ORD#4712')}", status=404)
    assert "No change of this item is stored" in page and ">ORD#4711<" in page


def test_markup_in_data_is_text(page_of: Get, shop: Shop) -> None:
    evil = "<script>alert(1)</script>\u202e"
    changes = live(
        shop, evil, (9, {evil: text(evil)}), (8, {evil: text("x"), "m": {"M": {evil: text("")}}})
    )
    base = f"/items/orders/{shop.token(evil)}"
    paths = ["", "/blame", "/blame?path=m", f"/undo/{changes[0].id}", "/evidence"]
    paths += ["?asof=1s", "?field=m", f"?field=[%22{evil}%22]"]
    for path in paths:
        page = page_of(base + path, status=302 if path == "/evidence" else 200)
        assert "<script>alert" not in page and "\u202e" not in page
