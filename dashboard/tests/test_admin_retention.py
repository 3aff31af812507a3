"""The admin's retention: what will be dropped is shown and confirmed before it is saved."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from dashboard.tests.seeding import Shop
from streams.change import microseconds
from streams.models import Edit, Shard, Stream
from streams.stages.publish import number_batches
from streams.testing.factories import make_change
from streams.tests.integration.storing import store_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def old_shop(shop: Shop) -> Shop:
    """Its oldest change is forty days old, and everything is read."""
    now = datetime.now(UTC)
    for number, days in enumerate((40, 20, 0)):
        moment = microseconds(now - timedelta(days=days))
        store_in(shop.shard, make_change(shop.stream.pk, number, occurred=moment))
    number_batches()
    Shard.objects.filter(pk=shop.shard.pk).update(caught_up_at=now)
    Stream.objects.filter(pk=shop.stream.pk).update(
        options={"table": "orders", "region": "eu-central-1"}
    )
    return shop


def post(admin: Client, shop: Shop, keep_days: object, **more: str) -> str:
    """The page after saving, "" if it was saved."""
    fields = {"table": "orders", "region": "eu-central-1", "keep_days": str(keep_days), **more}
    answer = admin.post(f"/admin/streams/stream/{shop.stream.pk}/change/", fields)
    return "" if answer.status_code == 302 else answer.content.decode()


def kept(shop: Shop) -> int | None:
    return Stream.objects.get(pk=shop.stream.pk).keep_days


def test_the_page_lists_each_leaf_and_when_it_is_dropped(admin: Client, old_shop: Shop) -> None:
    Stream.objects.filter(pk=old_shop.stream.pk).update(keep_days=30)
    page = admin.get(f"/admin/streams/stream/{old_shop.stream.pk}/change/").content.decode()
    assert "Changes (estimate)" in page
    assert page.count("within a minute or two") == 1
    assert "held:" not in page


def test_fewer_days_are_shown_first_and_saved_when_confirmed(admin: Client, old_shop: Shop) -> None:
    page = post(admin, old_shop, 30)
    assert "With 30 days, what happened from" in page and "will be dropped" in page
    assert kept(old_shop) is None
    assert 'name="shown_days" value="30"' in page
    assert post(admin, old_shop, 30, confirm_drop="on", shown_days="30") == ""
    assert kept(old_shop) == 30
    edit = Edit.objects.latest("pk")
    assert (edit.who, edit.fields) == ("alice", {"keep_days": [None, 30]})


def test_a_confirmation_is_for_the_number_that_was_shown(admin: Client, old_shop: Shop) -> None:
    page = post(admin, old_shop, 10, confirm_drop="on", shown_days="30")
    assert "With 10 days" in page and "checked" not in page
    assert kept(old_shop) is None


def test_it_says_when_nothing_is_dropped_at_once(admin: Client, old_shop: Shop) -> None:
    assert "With 300 days, nothing will be dropped at once" in post(admin, old_shop, 300)


def test_more_days_need_no_confirmation(admin: Client, old_shop: Shop) -> None:
    Stream.objects.filter(pk=old_shop.stream.pk).update(keep_days=30)
    assert post(admin, old_shop, 60) == ""
    assert post(admin, old_shop, "") == ""
    assert kept(old_shop) is None


@pytest.mark.parametrize("days", ["1", "0", "-3", "3651", "x"])
def test_a_number_that_is_not_allowed_is_refused(admin: Client, old_shop: Shop, days: str) -> None:
    assert "errorlist" in post(admin, old_shop, days)
    assert kept(old_shop) is None


def test_the_source_is_asked_only_when_its_options_change(admin: Client, old_shop: Shop) -> None:
    with patch("dashboard.forms.stream.change_options") as change:
        post(admin, old_shop, 60, confirm_drop="on", shown_days="60")
    change.assert_not_called()
    assert kept(old_shop) == 60


def test_a_new_stream_begins_with_the_servers_number(admin: Client, settings: Settings) -> None:
    settings.KEEP_DAYS = 45
    assert 'name="keep_days" value="45"' in admin.get("/admin/streams/stream/add/").content.decode()


def test_other_attributes_are_indexed_from_the_next_day_on(admin: Client, old_shop: Shop) -> None:
    post(admin, old_shop, "", indexed="sku, status")
    stream = Stream.objects.get(pk=old_shop.stream.pk)
    assert stream.indexed_attributes == ["sku", "status"]
    assert stream.indexed_since and stream.indexed_since > datetime.now(UTC).date()
    assert Edit.objects.get().fields == {"indexed_attributes": [None, ["sku", "status"]]}
    page = admin.get(f"/admin/streams/stream/{stream.pk}/change/").content.decode()
    assert 'value="sku, status"' in page
