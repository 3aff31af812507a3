"""What arrives by e-mail, and whom a mail server does not know."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from streams.destinations.base import Unreachable, WrongOption
from streams.destinations.email import Email
from streams.testing.receivers import MailReceiver, mail_receiver
from streams.tests.contract.test_destinations import message


@pytest.fixture
def receiver(settings: Settings) -> Iterator[MailReceiver]:
    with mail_receiver() as receiver:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", receiver.port
        settings.DEFAULT_FROM_EMAIL = "Deltawatch <watch@example.com>"
        settings.PUBLIC_HOST = "dw.example.com"
        yield receiver


def test_a_mail_has_a_text_and_html(receiver: MailReceiver) -> None:
    sent = message()
    Email(("anna@example.com", "bob@example.com")).send(sent)
    (mail,) = receiver.mails
    assert mail["From"] == "Deltawatch <watch@example.com>"
    assert mail["To"] == "anna@example.com, bob@example.com"
    assert mail["Message-ID"] == f"<{sent.key}@dw.example.com>"
    assert mail["References"] == "<alert-12@dw.example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text and html
    assert text.get_content().strip() == "5 matches."
    assert html.get_content().strip() == "<p>5 matches.</p>"


def test_a_subject_makes_no_header(receiver: MailReceiver) -> None:
    Email(("anna@example.com",)).send(message())
    (mail,) = receiver.mails
    assert mail["Subject"].strip() == "Critical: Refunds – too many Bcc: eve@example.com"
    assert mail["Bcc"] is None


def test_who_is_not_known_is_named_and_the_others_get_it_once(receiver: MailReceiver) -> None:
    receiver.unknown = {"gone@example.com"}
    said = Email(("anna@example.com", "gone@example.com")).send(message())
    assert said == "250 Queued as 4711. But not for gone@example.com: 550 No such mailbox"
    assert len(receiver.mails) == 1


def test_without_a_mail_server_it_says_what_to_set(settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    with pytest.raises(Unreachable) as error:
        Email(("anna@example.com",)).send(message())
    assert "DELTAWATCH_EMAIL_URL" in error.value.fix


def test_a_log_in_that_is_not_taken_is_tried_again(
    receiver: MailReceiver, settings: Settings
) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "dw", "secret-word"
    with pytest.raises(Unreachable) as error:  # it offers no log-in
        Email(("anna@example.com",)).send(message())
    assert "secret-word" not in f"{error.value} {error.value.fix}"


def test_encryption_that_is_not_offered_is_not_done_without(
    receiver: MailReceiver, settings: Settings
) -> None:
    settings.EMAIL_USE_TLS = True
    with pytest.raises(Unreachable, match="STARTTLS"):
        Email(("anna@example.com",)).send(message())
    assert receiver.mails == []


@pytest.mark.parametrize("to", ["", " , ", "anna", "a@b@c", ["x@example.com", "bad"]])
def test_only_addresses_are_taken(to: Any) -> None:
    with pytest.raises(WrongOption):
        Email.of({"to": to})


def test_addresses_are_written_as_people_do() -> None:
    given = "anna@example.com,\n bob@example.com, anna@example.com"
    assert Email.of({"to": given}).to == ("anna@example.com", "bob@example.com")


def test_more_than_fifty_are_refused() -> None:
    with pytest.raises(WrongOption, match="at most 50"):
        Email.of({"to": ",".join(f"a{n}@example.com" for n in range(51))})


def test_many_addresses_are_shown_short() -> None:
    many = Email(tuple(f"a{n}@example.com" for n in range(5)))
    assert many.target() == "a0@example.com, a1@example.com, a2@example.com and 2 more"
