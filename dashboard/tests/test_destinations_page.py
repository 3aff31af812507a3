"""The destinations: the list, one of them with its test, and the log of deliveries."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from streams import rulebook
from streams.models import Attempt, Delivery, Destination, Edit
from streams.testing.receivers import HttpReceiver, http_receiver

pytestmark = pytest.mark.django_db

PageOf = Callable[..., str]
SECRET_URL = "https://hooks.example.com/services/T0/B0/secret-part"


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


def hook(name: str = "Hook", url: str = SECRET_URL) -> Destination:
    return Destination.objects.create(name=name, kind="webhook", options={"url": url})


def sent(destination: Destination, state: str = "sent", **fields: Any) -> Delivery:
    facts: dict[str, Any] = {"reason": "opened", "alerts": []}
    message = {"subject": "Critical: Refunds", "text": "<b>5</b> matches", "facts": facts}
    given = {"reason": "opened", "message": message, **fields}
    delivery = Delivery.objects.create(destination=destination, state=state, **given)
    if state != "waiting":
        said = "200 ok" if state == "sent" else "It answered 404 no."
        Attempt.objects.create(
            delivery=delivery, seconds=0.1, succeeded=state == "sent", response=said
        )
    return delivery


def test_before_there_is_one_the_page_says_what_to_do(page_of: PageOf) -> None:
    text = page_of("/destinations")
    assert "No destination yet" in text and "Nothing was sent yet" in text
    assert "streams.add_destination" in text  # Bob may only look


def test_the_list_says_how_each_does_and_hides_secrets(page_of: PageOf) -> None:
    sent(hook("Works"))
    sent(hook("Fails"), "failed")
    Destination.objects.filter(pk=hook("Off").pk).update(enabled=False)
    hook("Fresh")
    text = page_of("/destinations")
    for chip in ("Works", "Fails", "Off", "Never used"):
        assert f"</span>{chip}</span>" in text
    assert "https://hooks.example.com/…" in text
    assert "It answered 404 no." in text
    assert "secret-part" not in text


def test_the_log_shows_message_tries_and_what_comes_next(page_of: PageOf) -> None:
    waiting = sent(hook(), "waiting", tries=3)
    text = page_of("/destinations")
    assert "3 of 8 tries, the next at" in text
    assert str(waiting.key) in text
    assert "&lt;b&gt;5&lt;/b&gt; matches" in text


def test_the_log_is_narrowed_and_paged(page_of: PageOf) -> None:
    one, other = hook("One"), hook("Other")
    for _ in range(60):
        sent(one)
    sent(other, "failed")
    assert page_of("/destinations", state="failed").count("Critical: Refunds") == 1
    first = page_of("/destinations", destination=one.pk)
    assert first.count("Critical: Refunds") == 50 and "Older" in first
    last = Delivery.objects.order_by("-pk")[50].pk
    rest = page_of("/destinations", destination=one.pk, before=last)
    assert rest.count("Critical: Refunds") == 10 and "Older" not in rest
    for wrong in ({"state": "odd"}, {"destination": "x"}, {"destination": 10**6}, {"before": "-1"}):
        page_of("/destinations", 404, **wrong)


def test_a_destination_is_added_and_the_edit_is_kept(as_alice: Client) -> None:
    given = {"name": "On call", "to": "anna@example.com, bob@example.com", "enabled": "on"}
    response = as_alice.post("/destinations/new?kind=email", given)
    made = Destination.objects.get()
    assert response.headers["Location"] == f"/destinations/{made.pk}"
    assert (made.kind, made.enabled) == ("email", True)
    assert made.options == {"to": ["anna@example.com", "bob@example.com"]}
    edit = Edit.objects.get()
    assert (edit.who, edit.what) == ("alice", "destination On call")
    assert as_alice.get("/destinations/new?kind=pigeon").status_code == 404


def test_what_is_wrong_is_said_at_its_field(as_alice: Client) -> None:
    hook("Taken")
    given = {"name": "New", "url": "example.com", "enabled": "on"}
    response = as_alice.post("/destinations/new?kind=webhook", given)
    assert response.status_code == 400
    assert response.context["form"].errors["url"][0].startswith("Write a whole URL")
    again = as_alice.post("/destinations/new?kind=webhook", {**given, "name": "Taken"})
    assert "of this name already" in again.content.decode()
    assert Destination.objects.count() == 1


def test_changing_one_keeps_its_secret_out_of_the_edits(as_alice: Client) -> None:
    kept = hook()
    text = as_alice.get(f"/destinations/{kept.pk}").content.decode()
    assert "secret-part" in text  # who may change it sees it
    given = {"name": "Renamed", "url": "https://hooks.example.com/other-secret"}
    as_alice.post(f"/destinations/{kept.pk}", given)
    kept.refresh_from_db()
    assert (kept.name, kept.enabled) == ("Renamed", False)
    assert kept.options == {"url": "https://hooks.example.com/other-secret"}
    assert Edit.objects.get().fields == {
        "name": ["Hook", "Renamed"],
        "enabled": [True, False],
        "url": ["(secret)", "(secret)"],
    }


def test_who_may_only_look_sees_no_form_and_changes_nothing(client: Client, bob: User) -> None:
    client.force_login(bob)
    kept = hook()
    text = client.get(f"/destinations/{kept.pk}").content.decode()
    assert "secret-part" not in text and "Send a test" not in text
    paths = (
        *("/destinations/new?kind=email", f"/destinations/{kept.pk}"),
        *(f"/destinations/{kept.pk}/test", f"/destinations/{kept.pk}/delete"),
    )
    for path in paths:
        assert client.post(path, {"name": "x", "url": "https://example.com"}).status_code == 403
    assert Destination.objects.get().name == "Hook"


def test_a_test_message_shows_the_answer(as_alice: Client, receiver: HttpReceiver) -> None:
    kept = hook(url=receiver.url)
    text = as_alice.post(f"/destinations/{kept.pk}/test", follow=True).content.decode()
    assert "The test message was taken" in text and "200 take" in text
    assert receiver.requests[0][1]["type"] == "test"
    receiver.way = "refuse"
    text = as_alice.post(f"/destinations/{kept.pk}/test", follow=True).content.decode()
    assert "was not taken" in text and "It answered 404 refuse." in text


def test_without_a_mail_server_the_pages_say_so(page_of: PageOf, settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    kept = Destination.objects.create(name="M", kind="email", options={"to": ["a@example.com"]})
    for path in ("/destinations", f"/destinations/{kept.pk}"):
        assert "DELTAWATCH_EMAIL_URL" in page_of(path)
    settings.EMAIL_HOST = "mail.example.com"
    assert "DELTAWATCH_EMAIL_URL" not in page_of("/destinations")


def test_what_tells_of_an_alert_or_is_named_by_a_rule_is_not_deleted(as_alice: Client) -> None:
    told, named, free = hook("Told"), hook("Named"), hook("Free")
    sent(told)
    sent(free, reason="test")
    rulebook.save({"name": "Refunds", "destinations": ["Named"]}, "alice")
    for kept in (told, named, free):
        as_alice.post(reverse("destination-delete", args=[kept.pk]))
    assert set(Destination.objects.values_list("name", flat=True)) == {"Told", "Named"}
