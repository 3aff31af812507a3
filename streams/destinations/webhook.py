"""A webhook: the message as JSON, by POST to one URL (docs/ALERT_MESSAGE.md)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

import orjson

from streams.destinations import http
from streams.destinations.base import (
    MOST_SAID,
    Message,
    Option,
    Refused,
    Unreachable,
    WrongOption,
)
from streams.when import iso

# Client errors that say "later" and not "never".
_LATER = (408, 425, 429)
_LONGEST_URL = 2_000
# A receiver may ask for a pause, but not for the end of all tries.
_LONGEST_PAUSE = 6 * 3600


@dataclass(frozen=True)
class Webhook:
    kind: ClassVar[str] = "webhook"
    title: ClassVar[str] = "Webhook"
    options: ClassVar[tuple[Option, ...]] = (
        Option(
            "url",
            "URL",
            "Each message is posted there as JSON. An answer of 200 to 299 takes it; redirects are "
            "not followed.",
            secret=True,
        ),
    )

    url: str

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        url = str(given.get("url") or "").strip()
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        plain = url.isascii() and url.isprintable() and " " not in url and "#" not in url
        if not usable or not plain or len(url) > _LONGEST_URL:
            raise WrongOption("url", "Write a whole URL, such as https://example.com/alerts.")
        if "@" in parts.netloc:
            raise WrongOption("url", "A name and password in front of the host are not sent.")
        return cls(url)

    def as_dict(self) -> dict[str, Any]:
        return {"url": self.url}

    def target(self) -> str:
        """Its path and query may be what a receiver knows us by."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}/…"

    def send(self, message: Message) -> str:
        answer = http.post(self.url, _headers(message.key), _body(message))
        said = f"{answer.status} {answer.text[: MOST_SAID - 100]}".strip()
        if answer.cut:
            said += " … (the answer was cut here)"
        if 200 <= answer.status < 300:
            return said
        if answer.status < 400:
            raise Refused(
                f"It answered {said} and sends us elsewhere, which is not followed.",
                "Write the URL where it really is.",
            )
        if answer.status < 500 and answer.status not in _LATER:
            raise Refused(
                f"It answered {said}.", "Mend the URL, or the receiver; then send a test."
            )
        raise Unreachable(
            f"It answered {said}.", retry_after=_pause(answer.headers.get("retry-after", ""))
        )


def _headers(key: str) -> dict[str, str]:
    """Named as Standard Webhooks names them: the id is the same on every try, the time is the
    try's."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Deltawatch",
        "Webhook-Id": key,
        "Webhook-Timestamp": str(int(time.time())),
    }


def _body(message: Message) -> bytes:
    kind = message.reason if message.reason in ("test", "mute-ends") else f"alert.{message.reason}"
    return orjson.dumps(
        {
            "id": message.key,
            "type": kind,
            "timestamp": iso(message.at),
            "subject": message.subject,
            "text": message.text,
            "data": message.facts,
        }
    )


def _pause(said: str) -> float | None:
    """Retry-After, where it is a number of seconds."""
    return float(min(int(said), _LONGEST_PAUSE)) if said.isdecimal() and len(said) < 10 else None
