"""The admin: streams are added and edited through the engine; the rest is for reading."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from dashboard.admin_lists import NewestPaginator
from dashboard.tests.seeding import Shop
from streams.errors import SourceRefused
from streams.models import Edit, Gap, PoisonRecord, Problem, SavedView, Stream
from streams.testing.factories import make_stream

pytestmark = pytest.mark.django_db

FORM = {"name": "orders", "table": "orders", "region": "eu-central-1", "start": "latest"}
EMPTY = {"endpoint_url": "", "role_arn": "", "start_time": "", "keep_days": ""}


@pytest.fixture
def admin(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def add_stream() -> Iterator[Any]:
    with patch("dashboard.forms.stream.add_stream") as add:
        add.side_effect = lambda name, *rest: make_stream(name)
        yield add


def test_adding_goes_through_the_engine(admin: Client, add_stream: Any) -> None:
    response = admin.post("/admin/streams/stream/add/", FORM | EMPTY)
    assert response.status_code == 302
    options = {"table": "orders", "region": "eu-central-1"}
    add_stream.assert_called_once_with(
        "orders", "dynamodb", options, "latest", "alice", None, None, []
    )
    assert Stream.objects.count() == 1


def test_adding_from_a_moment(admin: Client, add_stream: Any) -> None:
    admin.post("/admin/streams/stream/add/", FORM | EMPTY | {"start": "time", "start_time": "2h"})
    assert add_stream.call_args.args[3] == "2h"


def test_a_moment_must_be_said(admin: Client, add_stream: Any) -> None:
    page = admin.post("/admin/streams/stream/add/", FORM | EMPTY | {"start": "time"})
    assert "Say from which moment" in page.content.decode()
    add_stream.assert_not_called()


def test_what_the_source_refuses_is_shown_with_the_fix(admin: Client, add_stream: Any) -> None:
    add_stream.side_effect = SourceRefused("The table has no stream.", "Switch it on.")
    page = admin.post("/admin/streams/stream/add/", FORM | EMPTY).content.decode()
    assert "The table has no stream." in page and "Switch it on." in page
    assert not Stream.objects.exists()


def test_a_name_that_is_taken_is_refused_before_the_source_is_asked(
    admin: Client, add_stream: Any
) -> None:
    make_stream("orders")
    page = admin.post("/admin/streams/stream/add/", FORM | EMPTY).content.decode()
    assert "already exists" in page
    add_stream.assert_not_called()


@pytest.mark.django_db(transaction=True)
def test_the_source_is_asked_outside_any_transaction(admin: Client, add_stream: Any) -> None:
    from django.db import connection

    def add(name: str, *rest: Any) -> Stream:
        assert not connection.in_atomic_block
        return make_stream(name)

    add_stream.side_effect = add
    assert admin.post("/admin/streams/stream/add/", FORM | EMPTY).status_code == 302


def test_options_are_checked_again_when_they_change(admin: Client) -> None:
    stream = make_stream("orders")
    with patch("dashboard.forms.stream.change_options") as change:
        admin.post(f"/admin/streams/stream/{stream.pk}/change/", {"table": "new-table"} | EMPTY)
    (changed, options, who), _ = change.call_args
    assert (changed.pk, options, who) == (stream.pk, {"table": "new-table"}, "alice")


def test_the_name_of_a_stream_stays(admin: Client) -> None:
    stream = make_stream("orders")
    page = admin.get(f"/admin/streams/stream/{stream.pk}/change/").content.decode()
    assert 'name="name"' not in page and f'value="{stream.options["table"]}"' in page


def test_streams_are_paused_and_resumed(admin: Client) -> None:
    stream = make_stream("orders")
    action = {"action": "pause", "_selected_action": [stream.pk]}
    assert (
        "Paused: orders."
        in admin.post("/admin/streams/stream/", action, follow=True).content.decode()
    )
    stream.refresh_from_db()
    assert stream.paused_at and stream.paused_by == "alice"
    admin.post("/admin/streams/stream/", action | {"action": "resume"})
    stream.refresh_from_db()
    assert stream.paused_at is None
    assert Edit.objects.count() == 2


def test_nothing_can_be_deleted(admin: Client) -> None:
    stream = make_stream("orders")
    assert admin.post(f"/admin/streams/stream/{stream.pk}/delete/").status_code == 403
    assert "Delete" not in admin.get(f"/admin/streams/stream/{stream.pk}/change/").content.decode()


@pytest.mark.parametrize("model", ["shard", "problem", "poisonrecord", "gap", "edit"])
def test_the_rest_is_for_reading(admin: Client, model: str) -> None:
    assert admin.get(f"/admin/streams/{model}/").status_code == 200
    assert admin.get(f"/admin/streams/{model}/add/").status_code == 403


def test_a_problem_leads_to_its_raw_records(admin: Client, shop: Shop) -> None:
    now = timezone.now()
    problem = Problem.objects.create(
        stream=shop.stream, fingerprint="1", kind="unreadable", sentence="No JSON",
        first_seen=now, last_seen=now,
    )  # fmt: skip
    raw = b"<script>alert(1)</script>\x00\xff"
    record = PoisonRecord.objects.create(
        problem=problem, shard=shop.shard, raw=raw, reason="not JSON"
    )
    page = admin.get(f"/admin/streams/problem/{problem.pk}/change/").content.decode()
    assert f"/admin/streams/poisonrecord/?problem__id__exact={problem.pk}" in page
    listed = admin.get(f"/admin/streams/poisonrecord/?problem__id__exact={problem.pk}")
    assert "not JSON" in listed.content.decode()
    page = admin.get(f"/admin/streams/poisonrecord/{record.pk}/change/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;␀\\xff" in page


@pytest.mark.parametrize(("state", "shown"), [("yes", True), ("no", False)])
def test_open_problems_are_told_from_resolved(admin: Client, state: str, shown: bool) -> None:
    now = timezone.now()
    Problem.objects.create(
        fingerprint="1", kind="k", sentence="Still open", first_seen=now, last_seen=now
    )
    page = admin.get(f"/admin/streams/problem/?open={state}").content.decode()
    assert ("Still open" in page) == shown


def test_a_shard_and_a_gap_can_be_looked_at(admin: Client, shop: Shop) -> None:
    gap = Gap.objects.create(stream=shop.stream, reason="trimmed", to_at=timezone.now())
    for path in (f"shard/{shop.shard.pk}", f"gap/{gap.pk}"):
        assert admin.get(f"/admin/streams/{path}/change/").status_code == 200


def test_a_list_is_never_counted_beyond_a_thousand() -> None:
    now = timezone.now()
    Edit.objects.bulk_create(Edit(at=now, who="a", what="b", fields={}) for _ in range(1_200))
    assert NewestPaginator(Edit.objects.all(), 50).count == 1_000


def test_saved_views_are_checked_when_they_are_edited(admin: Client) -> None:
    owner = User.objects.get(username="alice")
    view = SavedView.objects.create(name="Paid", owner=owner, query="new.status:paid")
    assert "new.status:paid" in admin.get("/admin/streams/savedview/").content.decode()
    url = f"/admin/streams/savedview/{view.pk}/change/"
    page = admin.post(url, {"name": "Paid", "owner": owner.pk, "query": "tabel:x"})
    assert "did you mean" in page.content.decode()
