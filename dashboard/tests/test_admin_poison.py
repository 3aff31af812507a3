"""The admin's list of records that could not be read: who may settle them, and what it says."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from streams.models import Gap, PoisonRecord
from streams.stages import copy_change
from streams.stages.store import Poison
from streams.testing.factories import make_change, make_shard, make_stream
from streams.tests.integration.storing import store_in, stored_in

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/admin/streams/poisonrecord/"


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def records() -> list[PoisonRecord]:
    """One that can be read by now, and one that cannot."""
    shard = make_shard(make_stream("orders"), "shard-1")
    sound = copy_change.raw(make_change(shard.stream_id, 1))
    broken = Poison("2".zfill(21), b'{"eventName": "<b>UPSERT</b>"}', "no such operation")
    store_in(shard, poison=[Poison("1".zfill(21), sound, "too new"), broken])
    return list(PoisonRecord.objects.order_by("pk"))


def send(admin: Client, action: str, *records: PoisonRecord, **fields: str) -> str:
    chosen = {"action": action, "_selected_action": [record.pk for record in records]}
    return admin.post(PATH, chosen | fields, follow=True).content.decode()


def test_retry_stores_what_it_can_and_says_why_it_cannot_the_rest(
    admin: Client, records: list[PoisonRecord]
) -> None:
    page = send(admin, "retry", *records)
    assert "Stored: 1." in page
    assert "Still open, 000000000000000000002: The record cannot be parsed" in page
    assert len(stored_in(records[0].shard.stream)) == 1
    assert "too new" not in admin.get(PATH, {"open": "yes"}).content.decode()
    settled = admin.get(PATH, {"open": "no"}).content.decode()
    assert "read by a later try and stored" in settled
    assert "no such operation" not in settled


def test_skip_first_names_what_is_lost_and_asks_for_the_reason(
    admin: Client, records: list[PoisonRecord]
) -> None:
    page = send(admin, "skip", records[1])
    assert "lost for ever" in page
    assert "000000000000000000002" in page and "&lt;b&gt;UPSERT&lt;/b&gt;" in page
    assert not Gap.objects.exists()


def test_skip_without_a_reason_asks_again(admin: Client, records: list[PoisonRecord]) -> None:
    assert "This field is required" in send(admin, "skip", records[1], reason=" ")
    assert not Gap.objects.exists()


def test_skip_with_a_reason_makes_the_gap(admin: Client, records: list[PoisonRecord]) -> None:
    assert "Skipped: 1." in send(admin, "skip", records[1], reason="a test record")
    assert Gap.objects.get().note == "a test record"
    records[1].refresh_from_db()
    assert (records[1].outcome, records[1].settled_by) == ("skipped", "alice")
    assert "settled already" in send(admin, "skip", records[1])


def test_who_may_only_look_cannot_settle(
    client: Client, bob: User, records: list[PoisonRecord]
) -> None:
    from django.contrib.auth.models import Permission

    bob.is_staff = True
    bob.save()
    bob.user_permissions.add(Permission.objects.get(codename="view_poisonrecord"))
    client.force_login(bob)
    page = client.get(PATH).content.decode()
    assert "no such operation" in page and 'value="retry"' not in page
    send(client, "retry", records[0])
    send(client, "skip", records[1], reason="because")
    assert PoisonRecord.objects.filter(outcome="").count() == 2


def test_a_record_shows_its_bytes_and_what_became_of_it(
    admin: Client, records: list[PoisonRecord]
) -> None:
    send(admin, "skip", records[1], reason="a test record")
    page = admin.get(f"{PATH}{records[1].pk}/change/").content.decode()
    assert "&lt;b&gt;UPSERT&lt;/b&gt;" in page
    assert "skipped by an operator" in page and "alice" in page
