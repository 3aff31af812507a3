"""The mail server and the sender, as the environment names them."""

import pytest

from dashboard.env import EnvError, MailServer, mail_sender, mail_server

NAME = "DELTAWATCH_EMAIL_URL"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("", MailServer()),
        ("smtp://mail.example.com", MailServer("mail.example.com", 25)),
        ("smtp://127.0.0.1:1025", MailServer("127.0.0.1", 1025)),
        ("smtp://a:b@localhost", MailServer("localhost", 25, "a", "b")),
        (
            "smtp+tls://dw%40example.com:p%2Fw@mail.example.com",
            MailServer("mail.example.com", 587, "dw@example.com", "p/w", starttls=True),
        ),
        ("smtps://a:b@[::1]:4465", MailServer("::1", 4465, "a", "b", tls=True)),
    ],
)
def test_a_mail_server(monkeypatch: pytest.MonkeyPatch, url: str, server: MailServer) -> None:
    monkeypatch.setenv(NAME, url)
    assert mail_server(NAME) == server


@pytest.mark.parametrize(
    "url",
    [
        *("mail.example.com", "http://mail.example.com", "smtp://", "smtp:x"),
        *("smtp://a:99999", "smtp://[::1", "smtps://dw:pass/word@mail.example.com"),
    ],
)
def test_what_is_no_mail_server_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv(NAME, url)
    with pytest.raises(EnvError, match="smtp"):
        mail_server(NAME)


def test_a_password_does_not_travel_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "smtp://dw:sesame@mail.example.com")
    with pytest.raises(EnvError, match="unencrypted") as error:
        mail_server(NAME)
    assert "sesame" not in str(error.value)


def test_who_mails_are_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DELTAWATCH_EMAIL_FROM", raising=False)
    assert mail_sender("DELTAWATCH_EMAIL_FROM", "dw.example.com") == (
        "Deltawatch <deltawatch@dw.example.com>"
    )
    monkeypatch.setenv("DELTAWATCH_EMAIL_FROM", "nobody")
    with pytest.raises(EnvError, match="address"):
        mail_sender("DELTAWATCH_EMAIL_FROM", "dw.example.com")
