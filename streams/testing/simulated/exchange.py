"""A request and its answer, between the HTTP front and what answers behind it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Ending(Enum):
    """How an answer goes over the wire."""

    WHOLE = "whole"
    CUT = "cut"
    RESET = "reset"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    target: str
    authorization: str
    body: bytes

    @property
    def operation(self) -> str:
        return self.target.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Answer:
    """`delay` in seconds; `sent`, if given, is called once the whole answer is on its way."""

    status: int
    body: bytes
    delay: float = 0.0
    ending: Ending = Ending.WHOLE
    sent: Callable[[], None] | None = None
    # A page of a megabyte has its checksum left out where speed is measured.
    checksum: bool = True


class Answers(Protocol):
    """What server.py puts on a port."""

    def answer(self, request: Request) -> Answer:
        """Called from one thread, one request at a time."""
