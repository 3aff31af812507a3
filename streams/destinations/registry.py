"""Which kinds of destinations there are. Adding one: a file, a line here, a row in the README."""

from collections.abc import Mapping
from typing import Any

from streams.destinations.base import Destination, DestinationError
from streams.destinations.email import Email
from streams.destinations.webhook import Webhook

DESTINATIONS: Mapping[str, type[Destination]] = {
    "email": Email,
    "webhook": Webhook,
}


def kind_of(kind: str) -> type[Destination]:
    """The adapter of a kind; DestinationError names those there are."""
    if kind not in DESTINATIONS:
        raise DestinationError(
            f"There is no kind of destination {kind!r}.",
            f"Use one of: {', '.join(DESTINATIONS)}.",
        )
    return DESTINATIONS[kind]


def open_destination(kind: str, options: Mapping[str, Any]) -> Destination:
    """The adapter for a destination's options; DestinationError if these cannot work."""
    return kind_of(kind).of(options)
