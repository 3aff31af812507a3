"""E-mail, through the SMTP server of DELTAWATCH_EMAIL_URL: Django's mail, with an end to the time
and the length of what the server says, which Python's smtplib does not have."""

import smtplib
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.smtp import EmailBackend
from django.core.validators import validate_email

from streams.destinations.base import (
    MOST_SAID,
    Message,
    Option,
    Refused,
    Unreachable,
    WrongOption,
)

# The whole conversation, and one answer in it.
WHOLE_SECONDS = 30.0
_ANSWER_SECONDS = 10.0
_MOST_ANSWER = 65_536
_MOST_ADDRESSES = 50
_CHECK = "Check DELTAWATCH_EMAIL_URL and the mail server."


@dataclass(frozen=True)
class Email:
    kind: ClassVar[str] = "email"
    title: ClassVar[str] = "E-mail"
    options: ClassVar[tuple[Option, ...]] = (
        Option("to", "To", "One or more addresses, separated by commas."),
    )

    to: tuple[str, ...]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        said = given.get("to") or ""
        addresses = said.replace("\n", ",").split(",") if isinstance(said, str) else said
        to = tuple(dict.fromkeys(part for address in addresses if (part := str(address).strip())))
        if not to:
            raise WrongOption("to", "Write at least one address.")
        if len(to) > _MOST_ADDRESSES:
            raise WrongOption("to", f"Write at most {_MOST_ADDRESSES} addresses.")
        for address in to:
            try:
                validate_email(address)
            except ValidationError as error:
                raise WrongOption("to", f"{address!r} is no e-mail address.") from error
        return cls(to)

    def as_dict(self) -> dict[str, Any]:
        return {"to": list(self.to)}

    def target(self) -> str:
        more = f" and {len(self.to) - 3} more" if len(self.to) > 3 else ""
        return ", ".join(self.to[:3]) + more

    def send(self, message: Message) -> str:
        """The server takes it for all, or for some: then what it said of the others is told, and
        nothing is sent again, since those who got it would get it twice."""
        if not settings.EMAIL_HOST:
            raise Unreachable(
                "No mail server is set, so no mail can be sent.",
                "Set DELTAWATCH_EMAIL_URL, as in smtp+tls://user:password@mail.example.com.",
            )
        backend = _Backend(timeout=_ANSWER_SECONDS)
        try:
            return self._sent(backend, message)
        except smtplib.SMTPRecipientsRefused as error:
            raise _refused(error) from error
        except smtplib.SMTPDataError as error:
            raise _failed(error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(_reason(error), _CHECK) from error
        finally:
            backend.hang_up()

    def _sent(self, backend: "_Backend", message: Message) -> str:
        backend.open()
        backend.send_messages([self._mail(message)])
        conversation = backend.connection
        assert isinstance(conversation, _Conversation)  # noqa: S101 - open() made one, or raised
        said = _text(*conversation.said)
        if not conversation.refused:
            return said
        others = "; ".join(
            f"{address}: {_text(*answer)}" for address, answer in conversation.refused.items()
        )
        return f"{said}. But not for {others}"[:MOST_SAID]

    def _mail(self, message: Message) -> EmailMultiAlternatives:
        host = settings.PUBLIC_HOST
        mail = EmailMultiAlternatives(
            " ".join(message.subject.split()),
            message.text,
            settings.DEFAULT_FROM_EMAIL,
            list(self.to),
            headers={
                # The same on every try: a mail reader shows it once.
                "Message-ID": f"<{message.key}@{host}>",
                "Auto-Submitted": "auto-generated",
                **_thread(message, host),
            },
        )
        if message.html:
            mail.attach_alternative(message.html, "text/html")
        return mail


class _Conversation(smtplib.SMTP):
    """Remembers the last answer, and whom the server refused."""

    said: tuple[int, bytes] = (0, b"")
    refused: Mapping[str, tuple[int, bytes]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._until = time.monotonic() + WHOLE_SECONDS
        super().__init__(*args, **kwargs)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Answers(self.sock, self._until)
        if self.file is not None:
            self.file.begin()
        self.said = super().getreply()
        return self.said

    def sendmail(self, *args: Any, **kwargs: Any) -> Any:
        self.refused = super().sendmail(*args, **kwargs)
        return self.refused


class _SecureConversation(_Conversation, smtplib.SMTP_SSL):
    """TLS from the first byte."""


class _Answers:
    """What smtplib reads lines from. An answer has any number of lines, and a line may come byte by
    byte: so both its length and its time are bounded here."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection, self._until = connection, until
        self._kept = b""
        self.begin()

    def begin(self) -> None:
        self._read = 0
        self._ends = min(self._until, time.monotonic() + _ANSWER_SECONDS)

    def readline(self, most: int) -> bytes:
        while b"\n" not in self._kept and len(self._kept) < most:
            left = self._ends - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no answer within {_ANSWER_SECONDS:g} seconds")
            self._connection.settimeout(left)
            data = self._connection.recv(8_192)
            if not data:
                break
            self._read += len(data)
            if self._read > _MOST_ANSWER:
                raise ConnectionError("the answer has no end")
            self._kept += data
        end = self._kept.find(b"\n") + 1 or len(self._kept)
        line, self._kept = self._kept[: min(end, most)], self._kept[min(end, most) :]
        self._connection.settimeout(_ANSWER_SECONDS)  # what is sent next has its own time
        return line

    def close(self) -> None:
        self._kept = b""


class _Backend(EmailBackend):
    @property
    def connection_class(self) -> type[_Conversation]:
        return _SecureConversation if self.use_ssl else _Conversation

    def hang_up(self) -> None:
        """What counts has been said: nobody waits for the answer to the good-bye."""
        for name in ("connection", "_partial_connection"):  # the second while it is being opened
            if connection := getattr(self, name):
                with suppress(OSError):
                    connection.putcmd("QUIT")
                connection.close()


def _thread(message: Message, host: str) -> dict[str, str]:
    """All mails of one alert are one conversation."""
    alerts = message.facts.get("alerts", [])
    if len(alerts) != 1:
        return {}
    return {"References": f"<alert-{alerts[0]['id']}@{host}>"}


def _refused(error: smtplib.SMTPRecipientsRefused) -> Refused | Unreachable:
    """Nobody may have it: never, if the server says so of all."""
    answers = error.recipients
    said = "; ".join(f"{address}: {_text(*answer)}" for address, answer in answers.items())
    sentence = f"The mail server refused every address: {said}"[:MOST_SAID]
    if all(code >= 500 for code, _ in answers.values()):
        return Refused(sentence, "Mend the addresses, then send a test.")
    return Unreachable(sentence)


def _failed(code: int, said: bytes | str) -> Refused | Unreachable:
    sentence = f"The mail server did not take it: {_text(code, said)}"
    return Refused(sentence) if code >= 500 else Unreachable(sentence)


def _reason(error: Exception) -> str:
    host = settings.EMAIL_HOST
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"{host} refused the log-in: {_text(error.smtp_code, error.smtp_error)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{host} answered {_text(error.smtp_code, error.smtp_error)}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{host} has a certificate that is not valid ({error.verify_message})."
    if isinstance(error, TimeoutError):
        return f"{host} did not answer in time."
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return f"{host} ended the conversation ({error})."
    if isinstance(error, socket.gaierror):
        return f"{host} has no address: its name is not known."
    if isinstance(error, OSError) and error.strerror:
        return f"{host}: {error.strerror}."
    return f"{host}: {error}"


def _text(code: int, said: bytes | str) -> str:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return f"{code} {words}"[:MOST_SAID]
