"""The port every kind of destination implements: what it needs, and one verb.

An adapter touches no models. It tries once, in bounded time and memory; trying again, recording
and giving up belong to stages/deliver.py. It raises the errors below, and no others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self

from streams.errors import DeltawatchError

# What is kept of a receiver's answer.
MOST_SAID = 2_000


@dataclass(frozen=True)
class Option:
    """Something a kind needs to know. A `secret` one is shown only to those who may change it."""

    name: str
    label: str
    help: str = ""
    secret: bool = False


@dataclass(frozen=True)
class Message:
    """One delivery's message. The key is the same on every try; `at` is when it was made."""

    key: str
    reason: str
    at: datetime
    subject: str
    text: str
    html: str
    facts: Mapping[str, Any]


class DestinationError(DeltawatchError):
    """The text says what is wrong or went wrong; `fix` what to do, "" if there is nothing more to
    say than that."""

    def __init__(self, sentence: str, fix: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.fix = fix


class WrongOption(DestinationError):
    """An option that cannot work; `field` is its name."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class Refused(DestinationError):
    """The receiver does not want this: the same would be refused again."""


class Unreachable(DestinationError):
    """It may work when tried again; not before `retry_after` seconds, if the receiver said so."""

    def __init__(self, sentence: str, fix: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(sentence, fix)
        self.retry_after = retry_after


class Destination(Protocol):
    kind: ClassVar[str]
    title: ClassVar[str]
    options: ClassVar[tuple[Option, ...]]

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """With these options, checked; WrongOption says what to write instead."""

    def as_dict(self) -> dict[str, Any]:
        """The options as they are kept."""

    def target(self) -> str:
        """Where it leads, for people, with no secret in it."""

    def send(self, message: Message) -> str:
        """Send it once; what the receiver answered, at most MOST_SAID characters. Refused or
        Unreachable."""
